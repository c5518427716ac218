package director

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

func TestSupply(t *testing.T) {
	for _, tt := range []struct {
		name    string
		first   Standing
		second  Standing
		weight  uint32 // of both
		want    supply
		because string
	}{
		{"one of two is up", Down, Up, 3, served, ""},
		{"nothing was heard of one yet", Down, Unknown, 3, undecided, ""},
		{"one is up, and nothing else matters", Up, Unknown, 3, served, ""},
		{"all are down", Down, Down, 3, unserved, "all real servers are down (2)"},
		{"all are drained", Up, Up, 0, unserved, "all real servers have weight 0 (2)"},
		{"down or drained", Down, Up, 0, unserved, "1 real servers are down, the others have weight 0 (1)"},
		{"left at weight 0 by whoever was here before", Quiet, Quiet, 3, unserved, "all real servers have weight 0 (2)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := webService(ipvsctl.NAT, web1, web2)
			for i := range s.Servers {
				s.Servers[i].Destination.Weight = tt.weight
			}
			got, why := supplyOf(&s, func(server int) Standing { return [...]Standing{tt.first, tt.second}[server] })
			if got != tt.want || why != tt.because {
				t.Errorf("supply %d, %q; want %d, %q", got, why, tt.want, tt.because)
			}
		})
	}
}

// logged returns the lines of a log without their time.
func logged(log *strings.Builder) []string {
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	log.Reset()
	return lines
}

func plain(log *strings.Builder) *slog.Logger {
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestLosingTheLastServerIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newOutsides()
		c := clusterOf(checked(tcpTarget))
		d := New(c, nil, Options{
			Log: plain(&log), Keeper: fakeKeeper{f}, Probes: fakeProbes{f},
		})
		d.table = fakeTable{f}
		d.healths.Configure(start, c.Services, nil)
		hear := func(o checker.Outcome) {
			d.observe(observation{tcpTarget, checker.Result{Outcome: o, Detail: "connection refused"}})
			d.plan()
		}
		d.plan()
		if log.Len() > 0 {
			t.Errorf("before the first result: %q, want nothing", log.String())
		}
		hear(checker.Passed)
		log.Reset()
		for range 6 {
			hear(checker.Failed)
		}
		want := []string{
			`level=WARN msg="real server is down" service=web server=192.168.1.4 address=192.168.1.4:80 reason="connection refused"`,
			`level=WARN msg="virtual service has no server left" service=web address="tcp 10.13.0.200:80" fallback=true why="all real servers are down (1)"`,
		}
		if diff := cmp.Diff(want, logged(&log)); diff != "" {
			t.Errorf("the last one fails (-want +got):\n%s", diff)
		}
		for range 3 {
			hear(checker.Passed)
		}
		want = []string{
			`level=INFO msg="real server is up" service=web server=192.168.1.4 address=192.168.1.4:80`,
			`level=INFO msg="virtual service has a server again" service=web address="tcp 10.13.0.200:80" fallback=true`,
		}
		if diff := cmp.Diff(want, logged(&log)); diff != "" {
			t.Errorf("it is back (-want +got):\n%s", diff)
		}
	})
}

func TestDrainingTheLastServerIsToldOnce(t *testing.T) {
	var log strings.Builder
	f := newOutsides()
	s := webService(ipvsctl.NAT, web1)
	s.Servers[0].Destination.Weight, s.Fallback = 0, nil
	d := New(clusterOf(s), nil, Options{Log: plain(&log), Keeper: fakeKeeper{f}, Probes: fakeProbes{f}})
	d.table = fakeTable{f}
	d.healths.Configure(start, []config.Service{s}, nil)
	d.plan()
	d.plan()
	want := []string{`level=WARN msg="virtual service has no server left" service=web address="tcp 10.13.0.200:80" fallback=false why="all real servers have weight 0 (1)"`}
	if diff := cmp.Diff(want, logged(&log)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	d.config = clusterOf()
	d.healths.Configure(start, nil, nil)
	d.plan()
	if len(d.lacking) > 0 || log.Len() > 0 {
		t.Errorf("a service that was removed is remembered: %v, %q", d.lacking, log.String())
	}
}

func TestOnlyAMasterHandsOver(t *testing.T) {
	for _, tt := range []struct {
		state vrrp.State
		want  string
	}{
		{vrrp.Master, `level=INFO msg="stopping: handing over"`},
		{vrrp.Backup, `level=INFO msg=stopping`},
	} {
		t.Run(tt.state.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				f := newOutsides()
				f.handOver = time.Second
				d := New(clusterOf(), nil, Options{Log: plain(&log), Keeper: fakeKeeper{f}, Notify: func(string) {}})
				d.work = t.Context()
				d.statuses = []vrrp.Status{{Name: "outside", State: tt.state, Master: netip.Addr{}}}
				<-d.handOver()
				if got := logged(&log); len(got) != 1 || got[0] != tt.want {
					t.Errorf("log %q, want %q", got, tt.want)
				}
			})
		})
	}
}
