package director

import (
	"cmp"
	"context"
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
