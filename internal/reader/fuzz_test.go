package reader

import (
	"bytes"
	"encoding/gob"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

// documents are what the two processes send each other.
func documents(f *testing.F) (query, answer []byte) {
	f.Helper()
	var q, a bytes.Buffer
	known := map[config.Key]config.Block{{1}: {Summary: []byte("x")}}
	if err := send(&q, request{Query{Path: "/etc/lvsd", Node: "lvs1"}, DefaultLimits, len(known)}, known); err != nil {
		f.Fatal(err)
	}
	target := checker.Target{Spec: checker.SpecOf(checker.Ping{}), Interval: time.Second}
	block := config.Block{Key: config.Key{1}, Services: []config.Service{{Name: "web", Servers: []config.Server{{Name: "a", Checks: []config.Check{{Target: target}}}}}}}
	to := gob.NewEncoder(&a)
	for _, v := range []any{reply{Config: &config.Config{Node: "lvs1"}, Blocks: 2}, block, config.Block{Key: config.Key{1}, Reused: true}} {
		if err := to.Encode(v); err != nil {
			f.Fatal(err)
		}
	}
	return q.Bytes(), a.Bytes()
}

// Whatever the child answers, the director goes on: the child has read what anybody
// may have written, so it may be anybody's.
func FuzzReply(f *testing.F) {
	_, answer := documents(f)
	f.Add(answer)
	f.Add(encoded(f, reply{Config: &config.Config{}, Blocks: 1 << 40}))
	again := config.Block{Key: config.Key{1}, Reused: true}
	f.Add(encoded(f, reply{Config: &config.Config{}, Blocks: 4}, again, again, again, again))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := New(nil, DefaultLimits)
		r.last = map[config.Key]config.Block{{1}: {Services: make([]config.Service, 1000)}}
		answer, blocks, err := receive(gob.NewDecoder(bytes.NewReader(text)))
		if err != nil && (answer.Config != nil || blocks != nil) {
			t.Error("a part of a reply counts as one")
		}
		if err != nil {
			return
		}
		if got, err := r.take(answer, blocks, r.known(), true); err == nil && got.Config != nil && len(got.Config.Services) > 1000+len(text) {
			t.Errorf("%d bytes make %d services", len(text), len(got.Config.Services))
		}
	})
}

// encoded is what a child says.
func encoded(tb testing.TB, values ...any) []byte {
	tb.Helper()
	var b bytes.Buffer
	to := gob.NewEncoder(&b)
	for _, v := range values {
		if err := to.Encode(v); err != nil {
			tb.Fatal(err)
		}
	}
	return b.Bytes()
}

// Each block may be a few bytes of the reply, and a thousand services of the director.
func TestAChildCannotMakeTheDirectorGrow(t *testing.T) {
	from := func(values ...any) (reply, []config.Block, error) {
		return receive(gob.NewDecoder(bytes.NewReader(encoded(t, values...))))
	}
	if _, _, err := from(reply{Config: &config.Config{}, Blocks: maxBlocks + 1}); !errors.Is(err, errTooLarge) {
		t.Errorf("one block more than a text can have: %v", err)
	}
	r := New(nil, DefaultLimits)
	known := map[config.Key]config.Block{{1}: {Services: make([]config.Service, 3)}, {2}: {Services: make([]config.Service, 4)}}
	reuse := func(keys ...byte) (int, error) {
		values := []any{reply{Config: &config.Config{}, Blocks: len(keys)}}
		for _, k := range keys {
			values = append(values, config.Block{Key: config.Key{k}, Reused: true, Source: "web.hcl:7"})
		}
		answer, blocks, err := from(values...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.take(answer, blocks, known, true)
		if err != nil {
			return 0, err
		}
		return len(got.Config.Services), nil
	}
	if n, err := reuse(2, 1); n != 7 || err != nil {
		t.Errorf("two that are known: %d services, %v", n, err)
	}
	for name, keys := range map[string][]byte{"twice": {1, 2, 1}, "one that is not known": {3}} {
		if _, err := reuse(keys...); err == nil || !strings.Contains(err.Error(), "web.hcl:7") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzQuery(f *testing.F) {
	query, _ := documents(f)
	f.Add(query)
	f.Fuzz(func(t *testing.T, text []byte) {
		if q, _, err := receiveRequest(gob.NewDecoder(bytes.NewReader(text))); err == nil && q.Known > len(text) {
			t.Errorf("%d summaries in %d bytes", q.Known, len(text))
		}
	})
}
