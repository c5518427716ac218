package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/spawn"
)

// reloadedStreams has, for every option of a stream, what a reload changes it to.
var reloadedStreams = map[string]string{
	"run":           `run = ["/etc/lvsd/hooks/collect", "again"]`,
	"user":          `user = "nobody"`,
	"stop_timeout":  `stop_timeout = "2s"`,
	"kill_children": `kill_children = true`,
}

// streamed is a configuration with a stream that has an option.
func streamed(t *testing.T, option string) *config.Config {
	t.Helper()
	if !strings.HasPrefix(option, "run") {
		option = "run = [\"/etc/lvsd/hooks/collect\"]\n" + option
	}
	return parsed(t, "virtual_router \"outside\" {\ninterface = \"eth0\"\nid = 51\naddresses = [\"10.13.0.200/24\"]\n}\nstream \"all\" {\n"+option+"\n}\n")
}

// A reload that changes one option of a stream ends its program, and leaves it as one that
// was started so.
func TestEveryOptionOfAStreamTakesEffectByReload(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		option, ok := strings.CutPrefix(path, "stream/")
		if !ok {
			continue
		}
		row := reloadedStreams[option]
		if row == "" {
			t.Errorf("option %s has no row in this test", path)
			continue
		}
		before, after := streamed(t, ""), streamed(t, row)
		reloaded, started := kept(before, after), kept(after, after)
		if diff := cmp.Diff(started[len(started)-2:], reloaded[len(reloaded)-2:]); diff != "" {
			t.Errorf("%s: it is not as one that was started so (-want +got):\n%s", path, diff)
		}
		if len(started) != 2 || len(reloaded) != 3 {
			t.Errorf("%s: a program is started for each configuration: %q, and by reload: %q", path, started, reloaded)
		}
	}
}

// kept runs one configuration, then the other, and returns the programs that were kept
// running, and until when the last one may go on when it is no longer configured.
func kept(before, after *config.Config) (all []string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var core hook.Core
	var running uint64
	do := func(effects []hook.Effect) {
		for _, e := range effects {
			if k, ok := e.(hook.Keep); ok {
				running = k.ID
				all = append(all, fmt.Sprintf("%+v", k.Command))
			}
		}
	}
	configure := func(c *config.Config, streams []config.Stream) {
		core.Follow(streams)
		do(core.Configure(now, c.Routers, nil))
	}
	configure(before, before.Streams)
	configure(after, after.Streams)
	if _, last, _ := core.Lines(now, running); last {
		do(core.Ended(now, running, spawn.Outcome{}, nil))
	}
	configure(after, nil)
	return append(all, fmt.Sprint("until ", core.Deadline()))
}
