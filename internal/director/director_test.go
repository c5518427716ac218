package director

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
)

func TestNobodyBecomesMasterWithAnEmptyTable(t *testing.T) {
	t.Run("every target has had one result and the table is in the kernel", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			f.unconverged = true
			_, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
			if f.ready() || f.targets != 0 {
				t.Errorf("ready %v with %d targets before the first table is in the kernel, want false and 0", f.ready(), f.targets)
			}
			f.converge(true)
			if f.ready() || f.targets != 1 {
				t.Errorf("ready %v with %d targets before the first result, want false and 1", f.ready(), f.targets)
			}
			f.unconverged = true
			f.hear(tcpTarget, checker.Passed)
			if f.ready() {
				t.Error("ready before the table was in the kernel")
			}
			f.converge(true)
			if !f.ready() || f.told() != "READY" {
				t.Errorf("ready: %v, told %q; want true and READY", f.ready(), f.told())
			}
			stop()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	})
	t.Run("or after start_delay", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			_, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
			time.Sleep(10*time.Second - time.Millisecond)
			synctest.Wait()
			if f.ready() {
				t.Error("ready before start_delay")
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if !f.ready() {
				t.Error("not ready after start_delay")
			}
			stop()
			<-ended
		})
	})
	t.Run("routers alone wait for nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			_, stop, ended := begin(t, f, clusterOf(), errors.New("no IPVS here"))
			if !f.ready() {
				t.Error("not ready")
			}
			stop()
			<-ended
		})
	})
}

func TestAFailedServerLeavesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		d, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
		for _, step := range []struct {
			outcomes []checker.Outcome
			want     string
		}{
			{[]checker.Outcome{checker.Passed}, "192.168.1.4:80"},
			{[]checker.Outcome{checker.Failed, checker.Failed}, "192.168.1.4:80"},
			{[]checker.Outcome{checker.Failed}, "10.13.0.15:8080"}, // the fallback
			{[]checker.Outcome{checker.Passed}, "10.13.0.15:8080"},
			{[]checker.Outcome{checker.Passed}, "192.168.1.4:80"},
		} {
			for _, o := range step.outcomes {
				f.hear(tcpTarget, o)
			}
			if got := f.servers(); got != step.want {
				t.Errorf("after %v: table has %q, want %q", step.outcomes, got, step.want)
			}
		}
		s, err := d.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Services[0].Servers[0]; got.Health != "up" || got.Weight != 3 {
			t.Errorf("status: %s with weight %d, want up with 3", got.Health, got.Weight)
		}
		stop()
		<-ended
	})
}

func TestStopHandsOverWhileTheTableIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.handOver = 3 * time.Second
		_, stop, ended := begin(t, f, clusterOf(checked(tcpTarget)), nil)
		f.hear(tcpTarget, checker.Passed)
		stop()
		time.Sleep(time.Second)
		for range 3 {
			f.hear(tcpTarget, checker.Failed)
		}
		if got := f.servers(); got != "10.13.0.15:8080" {
			t.Errorf("a server that fails during the hand-over: table has %q, want the fallback", got)
		}
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if f.cleared {
			t.Error("the table was cleared, want it kept")
		}
	})
}

func TestNoIPVSIsAnErrorAtStartAndARefusalAtReload(t *testing.T) {
	noIPVS := errors.New("the kernel has no IPVS")
	t.Run("start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, stop, ended := begin(t, newOutsides(), clusterOf(checked(tcpTarget)), noIPVS)
			defer stop()
			if err := <-ended; !errors.Is(err, noIPVS) {
				t.Errorf("run: %v, want %v", err, noIPVS)
			}
		})
	})
	t.Run("reload", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			f.loads = []Loaded{{Config: clusterOf(checked(tcpTarget))}}
			d, stop, ended := begin(t, f, clusterOf(), noIPVS)
			d.Reload()
			synctest.Wait()
			s, err := d.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Reload.OK || len(s.Services) != 0 {
				t.Errorf("status: ok %v with %d services, want a refusal and none", s.Reload.OK, len(s.Services))
			}
			stop()
			<-ended
		})
	})
}

// Rows of services that were removed while lvsd was not running would serve for
// ever.
func TestRowsThatAnEarlierRunLeftGoAlthoughNoServiceIsConfigured(t *testing.T) {
	for _, openErr := range []error{nil, errors.New("the kernel has no IPVS")} {
		synctest.Test(t, func(t *testing.T) {
			f := newOutsides()
			f.owned, f.found = true, foundAt(checked(tcpTarget), 3)
			_, stop, ended := begin(t, f, clusterOf(), openErr)
			if set := len(f.tables) == 1 && len(f.tables[0]) == 0; set != (openErr == nil) {
				t.Errorf("opening the table: %v; tables set %v, want one without rows unless it cannot be opened", openErr, f.tables)
			}
			if !f.ready() {
				f.converge(true)
			}
			if !f.ready() {
				t.Error("not ready")
			}
			stop()
			<-ended
		})
	}
}

func TestAMachineThatCannotBeLookedAtEndsTheStartAlone(t *testing.T) {
	refused := errors.New("listing this machine's addresses: refused")
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.lookErr = refused
		_, stop, ended := begin(t, f, clusterOf(), nil)
		stop() // It has ended by itself, or ends in order.
		if err := <-ended; !errors.Is(err, refused) {
			t.Errorf("run: %v, want %v", err, refused)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		f.loads = []Loaded{{Config: clusterOf(webService(ipvsctl.NAT, web1))}}
		d, stop, ended := begin(t, f, clusterOf(), nil)
		f.mu.Lock()
		f.lookErr = refused
		f.mu.Unlock()
		time.Sleep(time.Minute)
		d.Reload()
		synctest.Wait()
		if got := statusOf(t, d).Findings; slices.ContainsFunc(got, func(f api.Finding) bool { return f.Code == "forwarding-off" }) {
			t.Errorf("warnings %q, want none: what was seen last holds", got)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestStatusNamesRoutersThatTheKeeperHasNotSpokenOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		d, stop, ended := begin(t, f, clusterOf(), nil)
		s, err := d.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Routers) != 1 || s.Routers[0].Name != "outside" || s.Routers[0].Fault == "" {
			t.Errorf("routers: %+v, want the configured one with a reason", s.Routers)
		}
		stop()
		<-ended
	})
}

func TestALookThatHangsDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		_, stop, ended := begin(t, f, clusterOf(), nil)
		f.mu.Lock()
		f.lookTime = time.Hour
		f.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		f.mu.Lock()
		beats := f.heartbeats
		f.mu.Unlock()
		if beats < 59 {
			t.Errorf("%d heartbeats in a minute in which the kernel did not answer, want one a second", beats)
		}
		stop()
		<-ended
		time.Sleep(time.Hour)
	})
}

// A table of thousands of services takes seconds to list. A stop meanwhile is
// none for a reason of the table.
func TestAStopWhileTheTableIsOpenedIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f := newOutsides()
		d := New(clusterOf(checked(tcpTarget)), nil, Options{
			Machine: func([]netip.Addr, bool) (machine.Facts, error) { return machine.Facts{}, nil },
			OpenTable: func(ctx context.Context) (Table, ipvsctl.Table, error) {
				stop()
				return nil, nil, ctx.Err()
			},
			Keeper: fakeKeeper{f}, Probes: fakeProbes{f}, Hooks: fakeHooks{}, Resources: fakeResources{}, Connections: connections.NewTeller(nil, nil), Rules: ipvsctl.NewRuler(ipvsctl.NewDryFilter(func(ipvsctl.RuleChange) {}), func(ipvsctl.Event) {}), Events: func(event.Event) {}, Notify: func(string) {},
		})
		if err := d.Run(ctx); err != nil {
			t.Errorf("error %v", err)
		}
	})
}
