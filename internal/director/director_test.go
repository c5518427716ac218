package director

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// outsides play everything outside the director: keeper, table and probes. The
// real ones are driven by the tests in integration/.
type outsides struct {
	mu      sync.Mutex
	desired []vrrp.Desired
	tables  []ipvsctl.Table
	notices []string
	cleared bool
	targets int // that the checker was told last
	retries int

	statuses    []*vrrp.Status
	changed     chan struct{}
	applied     chan struct{}
	report      chan Observation
	handOver    time.Duration // how long the keeper takes to stop
	loads       []Loaded      // what the next reloads find
	loadTime    time.Duration
	lookTime    time.Duration // how long a look at the machine takes
	lookErr     error
	http        error // why HTTP is not served
	alone       error
	configured  []config.Director
	found       ipvsctl.Table // what is in the kernel at the start
	log         *slog.Logger  // nil: nobody reads it
	heartbeats  int
	unconverged bool
	owned       bool // some of what was found is lvsd's
}

func newOutsides() *outsides {
	return &outsides{
		changed: make(chan struct{}, 1), applied: make(chan struct{}, 1), report: make(chan Observation),
	}
}

// The keeper.

type fakeKeeper struct{ *outsides }

func (f fakeKeeper) Set(d vrrp.Desired) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.desired = append(f.desired, d)
}
func (f fakeKeeper) Heartbeat()               { f.mu.Lock(); defer f.mu.Unlock(); f.heartbeats++ }
func (f fakeKeeper) Statuses() []*vrrp.Status { f.mu.Lock(); defer f.mu.Unlock(); return f.statuses }
func (f fakeKeeper) Changed() <-chan struct{} { return f.changed }
func (f fakeKeeper) Status() api.Keeper       { return api.Keeper{PID: 42} }
func (f fakeKeeper) Stop(ctx context.Context) error {
	select {
	case <-time.After(f.handOver):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// The table.

type fakeTable struct{ *outsides }

func (f fakeTable) Set(d ipvsctl.Desired) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tables = append(f.tables, d.Table)
}
func (f fakeTable) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (f fakeTable) Applied() <-chan struct{}      { return f.applied }
func (f fakeTable) Clear(context.Context) error   { f.cleared = true; return nil }
func (f fakeTable) Snapshot() ipvsctl.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	return ipvsctl.Snapshot{Converged: !f.unconverged}
}

// The probes.

type fakeProbes struct{ *outsides }

func (f fakeProbes) Set(targets []*checker.Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets = len(targets)
}
func (f fakeProbes) Retry()                  { f.mu.Lock(); defer f.mu.Unlock(); f.retries++ }
func (fakeProbes) Suspect([]checker.Target)  {}
func (fakeProbes) SetIdle([]*checker.Target) {}
func (fakeProbes) Restart([]checker.Target)  {}
func (f fakeProbes) Stats() checker.Stats    { return checker.Stats{} }
func (f fakeProbes) Run(ctx context.Context, report func([]checker.Observation)) error {
	for {
		select {
		case o := <-f.outsides.report:
			report([]checker.Observation{{Target: &o.Target, Result: o.Result}})
		case <-ctx.Done():
			return nil
		}
	}
}

// hear reports the outcome of a probe.
func (f *outsides) hear(t checker.Target, o checker.Outcome) {
	f.report <- Observation{t, checker.Result{At: time.Now(), Outcome: o, Detail: "connection refused"}}
	synctest.Wait()
}

// converge says whether the kernel has what was set.
func (f *outsides) converge(yes bool) {
	f.mu.Lock()
	f.unconverged = !yes
	f.mu.Unlock()
	f.applied <- struct{}{}
	synctest.Wait()
}

// ready tells whether the keeper was told to leave Initialize.
func (f *outsides) ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.desired) > 0 && f.desired[len(f.desired)-1].Conditions[0].OK
}

// servers returns the addresses in the newest table, sorted.
func (f *outsides) servers() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, s := range f.tables[len(f.tables)-1] {
		for _, row := range s.Destinations {
			all = append(all, row.Key.String())
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// told returns what the service manager was told so far.
func (f *outsides) told() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.notices, " ")
}

// fakeResources are none.
type fakeResources struct{}

func (fakeResources) Configure([]vrrp.Config, []config.Resource)            {}
func (fakeResources) Statuses() (routers, groups map[string][]api.Resource) { return nil, nil }
func (fakeResources) Barred() map[string]string                             { return nil }
func (fakeResources) Changed() <-chan struct{}                              { return nil }
func (fakeResources) Retry()                                                {}
func (fakeResources) Finish(context.Context)                                {}

// fakeHooks are none.
type fakeHooks struct{}

func (fakeHooks) Configure([]vrrp.Config, []config.Hook, []config.Stream) {}
func (fakeHooks) Streams() []api.Stream                                   { return nil }
func (fakeHooks) Statuses() map[config.Owner][]api.Hook                   { return nil }
func (fakeHooks) Hear([]api.ServiceState)                                 {}
func (fakeHooks) Assert(_ []string, _ api.User, done func(api.Ordered)) {
	done(api.Ordered{OK: true, Hooks: []api.Asserted{{Router: "outside", Outcome: api.AssertedRun}}})
}
func (fakeHooks) Finish(context.Context) {}

// fakeTrial notes what is asked of it.
type fakeTrial struct {
	asked  []string
	err    error
	status *api.Trial

	mu    sync.Mutex
	stake *Stake
	lost  []string
}

func (f *fakeTrial) Stake() *Stake {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stake
}

// told are the losses for which it was ended.
func (f *fakeTrial) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.lost)
}

func (f *fakeTrial) Fail(lost string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stake, f.lost = nil, append(f.lost, lost)
}

func (f *fakeTrial) Begin(by api.User, digest string, lasts time.Duration, stake *Stake) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stake = stake
	f.asked = append(f.asked, "begin "+digest+" "+lasts.String())
	return f.err
}
func (f *fakeTrial) End(api.User) error { f.asked = append(f.asked, "end"); return f.err }

func (f *fakeTrial) Status() *api.Trial { return f.status }

// begin runs a director among fakes until the test ends.
func begin(t *testing.T, f *outsides, c *config.Config, openErr error) (*Director, context.CancelFunc, <-chan error) {
	t.Helper()
	return beginWith(t, f, c, func(o *Options) {
		o.OpenTable = func(context.Context) (Table, ipvsctl.Table, error) { return fakeTable{f}, f.found, openErr }
	})
}

// beginWith is begin with other options.
func beginWith(t *testing.T, f *outsides, c *config.Config, others func(*Options)) (*Director, context.CancelFunc, <-chan error) {
	t.Helper()
	o := Options{
		Trial:   &fakeTrial{},
		Version: "test", Path: "/etc/lvsd", Events: event.Log(cmp.Or(f.log, slog.New(slog.DiscardHandler))),
		Keeper: fakeKeeper{f}, Probes: fakeProbes{f}, Hooks: fakeHooks{}, Resources: fakeResources{}, Connections: connections.NewTeller(nil, nil), Rules: ipvsctl.NewRuler(ipvsctl.NewDryFilter(func(ipvsctl.RuleChange) {}), func(ipvsctl.Event) {}), HTTP: func() error { return f.http }, Alone: func() error { return f.alone },
		Configure: func(c config.Director) { f.configured = append(f.configured, c) },
		Owned:     f.owned,
		Load: func(*config.Config) Loaded {
			f.mu.Lock()
			l, takes := f.loads[0], f.loadTime
			f.loads = f.loads[1:]
			f.mu.Unlock()
			time.Sleep(takes)
			return l
		},
		Machine: func([]netip.Addr, bool) (machine.Facts, error) {
			f.mu.Lock()
			takes, err := f.lookTime, f.lookErr
			f.mu.Unlock()
			time.Sleep(takes)
			return machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}, Forward4: true}, err
		},
		Notify: func(assignment string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if state, ok := strings.CutSuffix(assignment, "=1"); ok {
				f.notices = append(f.notices, state)
			} else if !strings.HasPrefix(assignment, "STATUS=") {
				f.notices = append(f.notices, assignment)
			}
		},
	}
	others(&o)
	d := New(c, nil, o)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	synctest.Wait()
	return d, stop, ended
}

// clusterOf is a configuration of one router and the given services.
func clusterOf(services ...config.Service) *config.Config {
	return &config.Config{
		Node: "lvs1", Digest: "first",
		Director: config.Director{StartDelay: 10 * time.Second, KeepTable: true},
		Routers:  []vrrp.Config{{Name: "outside", Interval: time.Second, Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}},
		Services: services,
	}
}

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
