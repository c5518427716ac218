package reader

import (
	"bytes"
	"encoding/gob"
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
	f.Fuzz(func(t *testing.T, text []byte) {
		r := New(nil, DefaultLimits)
		answer, blocks, err := receive(gob.NewDecoder(bytes.NewReader(text)))
		if err != nil && (answer.Config != nil || blocks != nil) {
			t.Error("a part of a reply counts as one")
		}
		if err == nil {
			_ = r.take(answer, blocks, r.known())
		}
	})
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
