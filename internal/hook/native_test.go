package hook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// betweenArgument makes this test's program be the process between.
const betweenArgument = "spawn"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == betweenArgument {
		if err := spawn.Main(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// told counts events by their code and their stream.
type told struct {
	mu sync.Mutex
	of map[string]int
}

func (c *told) tell(e event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stream := ""
	for _, a := range e.Attributes {
		if a.Key == "stream" && a.Value.Kind() == slog.KindString {
			stream = a.Value.String()
		}
	}
	c.of[e.Code+" "+stream]++
}

func (c *told) count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[what]
}

// Real programs that behave as programs do: one reads, and the others do what lvsd must
// not suffer from.
func TestRealProgramsThatStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lines")
	scripts := map[string]string{
		"reads":  `exec cat >"$1"`,
		"deaf":   `trap "" TERM; while :; do sleep 1; done`,
		"brief":  `exit 3`,
		"prints": `while :; do echo "a line that is written again and again"; done`,
	}
	var streams []config.Stream
	for name, text := range scripts {
		streams = append(streams, config.Stream{Name: name, Run: []string{"/bin/sh", "-c", text, "sh", file}, StopTimeout: time.Second})
	}
	events := &told{of: make(map[string]int)}
	r := hook.NewRunner(spawn.New("/proc/self/exe", betweenArgument), nil, events.tell)
	r.Configure([]vrrp.Config{{Name: "r0", Priority: 100}}, nil, streams)
	until(t, "all have begun", func() bool {
		text, _ := os.ReadFile(file) // its first line is read before anything changes
		return len(text) > 0 && events.count("stream-ended brief") > 1 && events.count("stream-output prints") > 0
	})
	const changes = 2000
	for i := range changes {
		become(r, 1, []vrrp.State{vrrp.Backup, vrrp.Master}[i%2])
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r.Finish(ctx)
	if ctx.Err() != nil {
		t.Error("it did not finish in time")
	}
	checkLines(t, file, changes)
	if n := events.count("stream-output prints"); n > spawn.MaxLines+1 {
		t.Errorf("what is printed for ever is %d lines of the log", n)
	}
	for name := range scripts {
		if events.count("stream-ended "+name) == 0 {
			t.Errorf("the program of stream %s has not ended", name)
		}
	}
}

// checkLines: every change was read, in its order, and the end.
func checkLines(t *testing.T, file string, changes int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var last api.StreamLine
	former := ""
	for line := range strings.Lines(string(text)) {
		number := last.Sequence
		last = api.StreamLine{}
		if err := json.Unmarshal([]byte(line), &last); err != nil || last.Sequence != number+1 {
			t.Fatalf("after line %d: %q, error %v", number, line, err)
		}
		if last.StreamState != nil {
			if last.FormerState != former {
				t.Fatalf("after %q: %q", former, line)
			}
			former = last.State
		}
	}
	if last.Sequence != uint64(changes)+2 || former != "stop" {
		t.Errorf("the last line is %+v, %q", last, former)
	}
}

// until waits until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is not so after 30 s: %s", what)
		}
	}
}
