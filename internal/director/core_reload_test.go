package director

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestARefusedReloadIsToldOnce(t *testing.T) {
	const refused = `level=ERROR msg="configuration refused; the previous one keeps running" event=configuration-refused path=/etc/lvsd`
	for _, tt := range []struct {
		name string
		load Loaded
		want []string
	}{
		{"with every mistake in it", Loaded{Err: errors.New("web.hcl:3: no such thing (and 1 more)"), Mistakes: []event.Event{
			{Severity: event.Error, Code: "configuration-mistake", Text: "configuration: no such thing", Attributes: []slog.Attr{slog.String("at", "web.hcl:3")}},
			{Severity: event.Error, Code: "configuration-mistake", Text: "configuration: no such port", Attributes: []slog.Attr{slog.String("at", "web.hcl:9")}}}},
			[]string{`level=ERROR msg="configuration: no such thing" event=configuration-mistake at=web.hcl:3`, `level=ERROR msg="configuration: no such port" event=configuration-mistake at=web.hcl:9`, refused}},
		{"with the reason why it could not be read", Loaded{Err: errors.New("permission denied")}, []string{refused + ` error="permission denied"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, clusterOf())
			s.handle(Reload{})
			s.log.Reset()
			s.handle(ReadingEnded{Number: 1, Loaded: tt.load})
			s.wantLog("the log", tt.want...)
			if got := s.core.Status(s.now, Edges{}).Findings; len(got) == 0 || got[0].Code != "reload-refused" {
				t.Errorf("findings %v, want the refusal first", got)
			}
		})
	}
}

// Whoever takes a result may begin the next reading at once: the one that is
// over must not be counted any more.
func TestAReadingIsOverWhenItsResultIsThere(t *testing.T) {
	s := tellOf(t, clusterOf())
	for range maxHung {
		s.handle(Reload{})
		s.wait(loadPatience + time.Second)
	}
	s.handle(ReadingEnded{Number: 2, Loaded: Loaded{Config: second()}})
	if got := s.core.Status(s.now, Edges{}).Reload; got.OK || got.Digest != "first" {
		t.Errorf("reload %+v, want no notice of what was given up", got)
	}
	s.lines = nil
	s.handle(Reload{})
	s.want("one of the four has ended", "systemd: RELOADING", "read 5, open true")
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 5})
	s.want("and the next begins with the end of that", "info configuration-unchanged", "systemd: READY", "systemd: RELOADING", "read 6, open true")
}

// Whether an address is this director's own depends on the configuration too: a
// virtual one is not, although the machine has it.
func TestAReloadJudgesTheMachineAnew(t *testing.T) {
	c := clusterOf(webService(ipvsctl.Direct, lvs1))
	c.Services[0].Fallback = nil
	s := tellOf(t, c)
	s.want("Backup, with this director among the servers", "keeper: 1 routers, table loaded false", "table:")
	moved := second(c.Services...)
	moved.Routers[0].Addresses = append(moved.Routers[0].Addresses, netip.PrefixFrom(lvs1, 24))
	s.handle(Reload{})
	s.lines = nil
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: moved}})
	s.want("the address moves with the virtual ones now", "info configuration-applied", "info configuration-changed", "keeper: 1 routers, table loaded false", "table: 10.13.0.15:80=3")
}

func TestReloadsAreCounted(t *testing.T) {
	s := tellOf(t, clusterOf())
	for _, tt := range []struct {
		load              Loaded
		succeeded, failed uint64
	}{
		{Loaded{Err: errors.New("permission denied")}, 1, 1}, // the start is the first that succeeded
		{Loaded{Config: second()}, 2, 1},
		{Loaded{}, 3, 1},
		{Loaded{Err: errors.New("permission denied")}, 3, 2},
	} {
		s.handle(Reload{})
		s.handle(ReadingEnded{Number: s.core.reload.number, Loaded: tt.load})
		if got := s.core.Status(s.now, Edges{}).Reload; got.Succeeded != tt.succeeded || got.Failed != tt.failed {
			t.Errorf("%+v: %d succeeded and %d failed, want %d and %d", tt.load, got.Succeeded, got.Failed, tt.succeeded, tt.failed)
		}
	}
}

// The service manager hears that a reload is over when the newest configuration
// that was asked for is in the kernel, not before.
func TestReloadsAreOverWhenTheLastOneIsInTheKernel(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.handle(TableSeen{Converged: true})
	s.hear(checker.Passed)
	s.handle(TableSeen{Converged: true})
	for range 3 {
		s.handle(Reload{})
	}
	s.lines = nil
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: second(checked(tcpTarget))}})
	s.want("one is applied, and the next one read", "info configuration-applied", "targets: 1",
		"keeper: 1 routers, table loaded true", "systemd: RELOADING", "read 2, open false", "table: 192.168.1.4:80=3")
	s.handle(TableSeen{Converged: true})
	s.want("the first is in the kernel")
	s.handle(ReadingEnded{Number: 2, Loaded: Loaded{Config: second(checked(tcpTarget))}})
	s.handle(Reload{})
	s.lines = nil
	s.handle(ReadingEnded{Number: 3})
	s.want("the same once more, before that is in the kernel", "info configuration-unchanged")
	s.handle(TableSeen{Converged: true})
	s.want("all of it is in the kernel", "systemd: READY")
}

// A stop cancels the reading that is under way. That is no fault of the
// configuration, and a new one would come too late.
func TestAReadingThatEndsWhileStoppingCountsForNothing(t *testing.T) {
	for _, load := range []Loaded{{Err: errors.New("context canceled")}, {Config: second()}, {}} {
		s := tellOf(t, clusterOf())
		s.handle(Reload{})
		s.handle(Stop{})
		s.lines = nil
		s.handle(ReadingEnded{Number: 1, Loaded: load})
		s.want("after the stop")
		s.wait(loadPatience + time.Second)
		s.handle(Reload{})
		if strings.Contains(s.log.String(), "refused") || len(s.lines) > 0 && !slices.Equal(slices.Compact(s.lines), []string{"look"}) {
			t.Errorf("%q: %s", s.lines, s.log.String())
		}
	}
}

// Only the reader knows at which block it stood, so it is the one that gives up
// first: it kills its child, and waits a little for its end.
func TestTheReaderGivesUpBeforeTheDirector(t *testing.T) {
	if limit := reader.DefaultLimits.Duration + 5*time.Second; loadPatience < limit {
		t.Errorf("the director waits %v, and the reader may take %v", loadPatience, limit)
	}
}
