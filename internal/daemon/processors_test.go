package daemon

import (
	"runtime"
	"testing"
	"time"
)

func TestADirectorAtRestRunsOnOneProcessor(t *testing.T) {
	now, used := time.Now(), time.Duration(0)
	p := &processors{all: 8}
	for _, step := range []struct {
		name    string
		seconds int
		share   float64 // of a processor that it uses
		want    int     // processors in the end
	}{
		{"it starts", 3, 1.5, 8},
		{"it has just come to rest", restSeconds - 1, 0.1, 8},
		{"it is at rest", 1, 0.1, 1},
		{"it does a little more than that", 60, 0.7, 1},
		{"much to do", 1, 0.9, 8},
		{"less, but not little", 60, 0.6, 8},
		{"little", restSeconds - 1, 0.1, 8},
		{"not for long enough", 1, 0.6, 8},
		{"little again", restSeconds - 1, 0, 8},
		{"and at rest", 1, 0, 1},
	} {
		got := 0
		for range step.seconds {
			now, used = now.Add(time.Second), used+time.Duration(step.share*float64(time.Second))
			got = p.look(now, used)
		}
		if got != step.want {
			t.Errorf("%s: it runs on %d processors, want %d", step.name, got, step.want)
		}
	}
}

func TestAReloadHasAllProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	p := newProcessors()
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"it starts", p.beat, 2},
		{"it is at rest", func() {
			for range restSeconds {
				p.at = time.Time{} // What it has used is little for so long a time.
				p.beat()
			}
		}, 1},
		{"a reload", p.busy, 2},
		{"a second later", p.beat, 2},
	} {
		if step.do(); runtime.GOMAXPROCS(0) != step.want {
			t.Errorf("%s: it runs on %d processors, want %d", step.name, runtime.GOMAXPROCS(0), step.want)
		}
	}
}
