package spawn_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/spawn"
)

// lines feeds these lines, waits, and then says that there are no more.
func lines(wait time.Duration, all ...string) func(context.Context) []byte {
	return func(ctx context.Context) []byte {
		if len(all) > 0 {
			line := all[0]
			all = all[1:]
			return []byte(line + "\n")
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		return nil
	}
}

// kept keeps what a program says while it runs, which is not told again at its end.
func kept(said *[]byte) func([]byte, int64) {
	return func(p []byte, _ int64) { *said = append(*said, p...) }
}

// forever feeds the same line, and counts how often it was asked.
func forever(asked *atomic.Int64) func(context.Context) []byte {
	line := bytes.Repeat([]byte("x"), 1024)
	return func(ctx context.Context) []byte {
		if asked.Add(1); ctx.Err() != nil {
			return nil
		}
		return line
	}
}

func TestAProgramThatStaysReadsLinesUntilTheirEnd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "read")
	var said []byte
	began := time.Now()
	o, err := newSpawner().Keep(t.Context(), script(`while read line; do echo "$line" >>"$1"; done; echo bye`, file), lines(2*time.Second, "one", "two"), kept(&said))
	took, wrote := time.Since(began), string(append(said, o.Output...))
	text, _ := os.ReadFile(file)
	if err != nil || !o.OK() || string(text) != "one\ntwo\n" || wrote != "bye\n" || took < 2*time.Second {
		t.Errorf("it read %q and wrote %q in %v: %v, error %v", text, wrote, took, o, err)
	}
}

// Its input must be one that a program can wait for: not O_NONBLOCK.
func TestAProgramThatStaysWaitsForItsInput(t *testing.T) {
	t.Parallel()
	var said []byte
	o, err := newSpawner().Keep(t.Context(), script(`exec cat`), lines(500*time.Millisecond, "one"), kept(&said))
	if wrote := string(append(said, o.Output...)); err != nil || !o.OK() || wrote != "one\n" {
		t.Errorf("it wrote %q: %v, error %v", wrote, o, err)
	}
}

func TestAProgramThatNeverReadsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	o, err := newSpawner().Keep(ctx, script(`trap "" TERM; while :; do sleep 1; done`), forever(&asked), nil)
	if err != nil || !o.Canceled || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v, error %v", o, time.Since(began), err)
	}
	if n := asked.Load(); n > 100 {
		t.Errorf("%d kB were handed over to nobody", n)
	}
}

func TestAProgramThatEndsAtOnceIsFedNoMore(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	for _, feed := range []func(context.Context) []byte{forever(&asked), lines(time.Hour)} {
		o, err := newSpawner().Keep(t.Context(), script(`exit 3`), feed, nil)
		if err != nil || o.Status != 3 {
			t.Errorf("%v, error %v", o, err)
		}
	}
	if _, err := newSpawner().Keep(t.Context(), spawn.Command{Args: []string{"/no/such"}}, lines(time.Hour), nil); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("error %v", err)
	}
}

func TestAProgramThatPrintsForEverIsBounded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said []byte
	o, err := newSpawner().Keep(ctx, script(`echo hello; while :; do echo "a line that is written again and again"; done`), lines(time.Hour), func(p []byte, _ int64) {
		said = append(said, p...)
		time.AfterFunc(2*time.Second, cancel)
	})
	text := string(append(said, o.Output...))
	if n := strings.Count(text, "\n"); err != nil || !strings.HasPrefix(text, "hello\n") || n > spawn.MaxLines || len(text) > spawn.MaxOutput || o.Cut == 0 {
		t.Errorf("%d lines, %d bytes, and %d were not kept; error %v", n, len(text), o.Cut, err)
	}
}

// The descendants of one that stays are ended as those of any other.
func TestTheChildrenOfAProgramThatStays(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	o, err := newSpawner().Keep(ctx, script(`setsid sleep 1000 & setsid sleep 1000 & wait`), lines(time.Hour), nil)
	if err != nil || !o.Canceled || o.Survived > 0 {
		t.Errorf("%+v, error %v", o, err)
	}
}
