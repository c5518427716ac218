package director

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// anyConfig is a configuration as some administrator may write it: a few services of a few
// servers, some of which two such configurations share.
func anyConfig(rng *rand.Rand, digest string) *config.Config {
	c := &config.Config{Node: "lvs1", Digest: digest, Director: config.Director{StartDelay: time.Second, ExclusiveTable: rng.IntN(8) == 0},
		Routers: []vrrp.Config{{Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Interval: time.Second, Priority: uint8(100 + rng.IntN(2)),
			Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}}}
	for port := uint16(80); port < 84; port++ {
		if rng.IntN(3) > 0 {
			c.Services = append(c.Services, anyService(rng, port))
		}
	}
	return c
}

func anyService(rng *rand.Rand, port uint16) config.Service {
	s := config.Service{Name: fmt.Sprintf("service-%d", rng.IntN(2)*1000+int(port)), Source: "web.hcl:1",
		Key:     ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: port},
		Service: ipvsctl.Service{Scheduler: []string{"wrr", "wlc"}[rng.IntN(2)], Netmask: 32}}
	forward := []ipvsctl.Forward{ipvsctl.NAT, ipvsctl.Direct}[rng.IntN(2)]
	if rng.IntN(3) == 0 {
		s.Policy = &config.Policy{MinHealthy: config.Quantity{N: uint32(1 + rng.IntN(3))}}
	}
	if rng.IntN(2) == 0 {
		s.Fallback = &config.Fallback{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr("192.168.1.200"), Port: port},
			Destination: ipvsctl.Destination{Forward: forward, Weight: 1}}
	}
	for i := range 4 {
		if rng.IntN(2) == 0 {
			continue
		}
		key := ipvsctl.DestinationKey{Addr: netip.AddrFrom4([4]byte{192, 168, 1, byte(4 + i)}), Port: port}
		if i == 3 {
			key.Addr = lvs1 // the director itself
		}
		srv := config.Server{Name: key.Addr.String(), Key: key, Destination: ipvsctl.Destination{Forward: forward, Weight: uint32(rng.IntN(4))},
			DrainOnFailure: rng.IntN(4) == 0}
		for _, spec := range []checker.Spec{checker.SpecOf(checker.TCP{}), checker.SpecOf(checker.Ping{})}[:rng.IntN(3)] {
			srv.Checks = append(srv.Checks, config.Check{Rise: 1, Fall: 1,
				Target: checker.Target{Spec: spec, Addr: key.Addr, Port: key.Port, Interval: time.Second, Timeout: time.Second}})
		}
		if len(srv.Checks) > 0 && rng.IntN(6) == 0 {
			srv.Tier = 2
		}
		s.Servers = append(s.Servers, srv)
	}
	switch rng.IntN(4) {
	case 0:
		s.More = []ipvsctl.ServiceKey{{Protocol: ipvsctl.UDP, Addr: vip, Port: port}, {Protocol: ipvsctl.TCP, Addr: lvs1, Port: 1000 + port}}
	case 1:
		packets := s.Selection()
		s.Packets, s.Mark = &packets, 1000+uint32(port)
		if rng.IntN(2) == 0 {
			s.Key = ipvsctl.ServiceKey{Mark: s.Mark, Addr: netip.IPv4Unspecified()}
		}
		s.SourceNAT.Masquerade = rng.IntN(2) == 0
	}
	s.DrainTimeout = time.Hour * time.Duration(rng.IntN(2))
	return s
}

// A rehearser is a director with the true loops on a kernel in memory.
type rehearser struct {
	*testing.T
	*outsides
	director  *Director
	kernel    *sim.IPVS
	written   []string // what the reconciler has written since the last call of writes
	candidate *config.Config
	reports   chan []checker.Observation
	aimed     []checker.Target
	dead      map[netip.Addr]bool
}

// noLedger remembers nothing.
type noLedger struct{}

func (noLedger) Load() ([]ipvsctl.ServiceKey, error) { return nil, nil }
func (noLedger) Save([]ipvsctl.ServiceKey) error     { return nil }

// batchProbes reports what a test says, in batches.
type batchProbes struct {
	fakeProbes
	r *rehearser
}

func (b batchProbes) Set(targets []*checker.Target) {
	b.r.aimed = nil
	for _, t := range targets {
		b.r.aimed = append(b.r.aimed, *t)
	}
}

func (b batchProbes) Run(ctx context.Context, report func([]checker.Observation)) error {
	for {
		select {
		case all := <-b.r.reports:
			report(all)
		case <-ctx.Done():
			return nil
		}
	}
}

// rehearserOf runs a director until the test ends.
func rehearserOf(t *testing.T, c *config.Config, dead map[netip.Addr]bool) (r *rehearser, stop func()) {
	r = &rehearser{T: t, outsides: newOutsides(), kernel: sim.NewIPVS(), reports: make(chan []checker.Observation), dead: dead}
	r.kernel.Refuse = func(op ipvsctl.Op) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.written = append(r.written, op.String())
		return nil
	}
	f := r.outsides
	d, cancel, ended := beginWith(t, f, c, func(o *Options) {
		o.Probes = batchProbes{fakeProbes{f}, r}
		o.OpenTable = func(ctx context.Context) (Table, ipvsctl.Table, error) {
			table, err := ipvsctl.Open(ctx, r.kernel, noLedger{}, nil)
			if err != nil {
				return nil, nil, err
			}
			return keptTable{table}, table.Snapshot().Table, nil
		}
		o.Candidate = func(*config.Config, []api.File) Loaded { return Loaded{Config: r.candidate} }
		o.Load = func(*config.Config) Loaded { return Loaded{Config: r.candidate} }
		o.Rows = r.rows
		o.Machine = func([]netip.Addr, bool) (machine.Facts, error) {
			return machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}, Forward4: true}, nil
		}
	})
	r.director = d
	return r, func() { cancel(); <-ended }
}

// keptTable is the reconciler, which leaves its table at the end.
type keptTable struct{ *ipvsctl.Reconciler }

func (keptTable) Clear(context.Context) error { return nil }

func (r *rehearser) rows(ctx context.Context, keys []ipvsctl.ServiceKey) (ipvsctl.Table, map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters], error) {
	if keys == nil {
		return r.kernel.Table(), nil, nil
	}
	table, counters := ipvsctl.Table{}, map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters]{}
	for _, key := range keys {
		if vs, counted, err := r.kernel.Read(ctx, key); err == nil {
			table[key], counters[key] = vs, counted
		}
	}
	return table, counters, nil
}

// answer has all targets answer once, by who is dead; with only, those alone.
func (r *rehearser) answer(only func(checker.Target) bool) {
	var all []checker.Observation
	for i := range r.aimed {
		if only != nil && !only(r.aimed[i]) {
			continue
		}
		result := checker.Result{At: time.Now(), Outcome: checker.Passed}
		if r.dead[r.aimed[i].Addr] {
			result.Outcome, result.Detail = checker.Failed, "connection refused"
		}
		all = append(all, checker.Observation{Target: &r.aimed[i], Result: result})
	}
	if len(all) > 0 {
		r.reports <- all
	}
	synctest.Wait()
}

// writes returns what was written since the last call.
func (r *rehearser) writes() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.written = nil }()
	return r.written
}

func (r *rehearser) plan() api.Plan {
	r.Helper()
	p, err := r.director.Plan(r.Context(), api.PlanOrder{})
	if err != nil || !p.OK {
		r.Fatalf("the plan: %v, %s", err, p.Error)
	}
	return p
}

// commands are the writes of a plan.
func commands(rows []api.RowChange) (all []string) {
	for _, row := range rows {
		if row.Command != "" {
			all = append(all, row.Command)
		}
	}
	return all
}

// What a plan says is what the reconciler writes after a reload: at once, and when what is
// new has passed its checks. After that another plan has nothing to say.
func TestAPlanIsWhatIsWritten(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) { planAndReload(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func planAndReload(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	before, after := anyConfig(rng, "before"), anyConfig(rng, "after")
	dead := map[netip.Addr]bool{}
	if rng.IntN(2) == 0 {
		dead[web1] = true
	}
	r, stop := rehearserOf(t, before, dead)
	defer stop()
	if rng.IntN(2) == 0 {
		r.statuses = []*vrrp.Status{{Name: "outside", State: vrrp.Master}}
		r.changed <- struct{}{}
	}
	r.answer(nil)
	if rng.IntN(3) == 0 { // Somebody else has a service that is to be ours.
		foreign := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 83}
		_ = r.kernel.ByHand(ipvsctl.Op{Kind: ipvsctl.AddService, Service: foreign, Config: ipvsctl.Service{Scheduler: "rr", Netmask: 32}},
			ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: foreign, Destination: ipvsctl.DestinationKey{Addr: web2, Port: 83}, Dest: ipvsctl.Destination{Weight: 7}})
	}
	time.Sleep(3 * time.Second)
	heard := slices.Clone(r.aimed)
	r.writes()

	r.candidate = after
	p := r.plan()
	if again := r.plan(); !reflect.DeepEqual(p, again) {
		t.Errorf("a second plan differs:\n%s", cmp.Diff(p, again))
	}
	if written := r.writes(); len(written) > 0 {
		t.Errorf("a plan has written %q", written)
	}
	if o, err := r.director.ReloadAndWait(t.Context()); err != nil || !o.OK {
		t.Fatalf("the reload: %v, %s", err, o.Error)
	}
	// What goes for other marks goes a step later than all else.
	atOnce, planned := r.writes(), commands(p.Table)
	remarking := !Rules(before).Equal(Rules(after))
	anyOrder := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff(planned, atOnce, cmpopts.EquateEmpty(), anyOrder); diff != "" && !remarking {
		t.Errorf("written at once (-planned +written):\n%s", diff)
	}
	clear(dead)
	r.answer(func(t checker.Target) bool { return !slices.Contains(heard, t) })
	later, plannedLater := r.writes(), commands(p.Later)
	if remarking {
		time.Sleep(packetPatience)
		later, plannedLater = slices.Concat(atOnce, later, r.writes()), slices.Concat(planned, plannedLater)
	}
	if diff := cmp.Diff(plannedLater, later, cmpopts.EquateEmpty(), anyOrder); diff != "" {
		t.Errorf("written when what is new has passed (-planned +written):\n%s", diff)
	}
	same := *after
	same.Digest = "the same, written otherwise"
	r.candidate = &same
	if p := r.plan(); p.Differences {
		t.Errorf("after the reload, a plan still has %+v %q %q", p.Changes, commands(p.Table), commands(p.Later))
	}
}

// A rehearsal leaves no trace in the core: one that rehearses between everything that
// happens wants the same done as one that does not.
func TestARehearsalLeavesNoTrace(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var cores [2]*Core
		var wanted [2][]Effect
		facts := machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}, Forward4: true}
		c := anyConfig(rng, "first")
		for i := range cores {
			cores[i], wanted[i] = Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}}, facts)
		}
		now := start
		for range 40 {
			now = now.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
			in := anyInput(rng, cores[0])
			cores[0].rehearse(now, Loaded{Config: anyConfig(rng, "rehearsed")})
			for i := range cores {
				wanted[i] = cores[i].Handle(now, in)
			}
			if a, b := fmt.Sprintf("%+v", plainly(wanted[0])), fmt.Sprintf("%+v", plainly(wanted[1])); a != b {
				t.Fatalf("seed %d: after %T:\n%s\nbut without a rehearsal\n%s", seed, in, a, b)
			}
		}
		with, without := mustMarshal(t, cores[0].Status(now, Edges{})), mustMarshal(t, cores[1].Status(now, Edges{}))
		if diff := cmp.Diff(without, with); diff != "" {
			t.Fatalf("seed %d: the status after rehearsals (-without +with):\n%s", seed, diff)
		}
	}
}

func mustMarshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a plan says to an administrator.
func TestAPlanTells(t *testing.T) {
	twice := func(c *config.Config, change func(*config.Config)) *config.Config {
		is := *c
		is.Services, is.Routers, is.Digest = slices.Clone(c.Services), slices.Clone(c.Routers), "after"
		for i := range is.Services {
			is.Services[i].Servers = slices.Clone(is.Services[i].Servers)
		}
		change(&is)
		return &is
	}
	other := netip.MustParseAddr("192.168.1.9")
	for _, tt := range []struct {
		name   string
		change func(*config.Config)
		want   []string
	}{
		{"nothing that differs", func(*config.Config) {}, nil},
		{"a server that is removed cuts its connections", func(c *config.Config) { c.Services[0].Servers = c.Services[0].Servers[:1] },
			[]string{"remove real_server 192.168.1.5 [192.168.1.5:80]", "at once: add web/fallback 0->1", "at once: remove web/192.168.1.5 2->0, 7 of 9 established"}},
		{"a new one comes when it has passed its check", func(c *config.Config) {
			s := c.Services[0].Servers[0]
			s.Name, s.Key.Addr, s.Checks = "new", other, checked(checker.Target{Spec: checker.SpecOf(checker.TCP{}), Addr: other, Port: 80}).Servers[0].Checks
			c.Services[0].Servers = append(c.Services[0].Servers, s)
		}, []string{"add real_server new [192.168.1.9:80 nat weight 3 check tcp 192.168.1.9:80]", "later: add web/new 0->3"}},
		{"a weight of one that is up", func(c *config.Config) { c.Services[0].Servers[1].Destination.Weight = 5 },
			[]string{"change real_server 192.168.1.5 [weight 2 -> 5]", "at once: change web/192.168.1.5 2->5"}},
		{"a weight of one that is down changes no row", func(c *config.Config) { c.Services[0].Servers[0].Destination.Weight = 5 },
			[]string{"change real_server 192.168.1.4 [weight 3 -> 5]"}},
		{"a drained server, which keeps its connections", func(c *config.Config) { c.Services[0].Servers[1].Destination.Weight = 0 },
			[]string{"change real_server 192.168.1.5 [weight 2 -> 0]", "at once: add web/fallback 0->1", "at once: change web/192.168.1.5 2->0"}},
		{"a service that is removed, with all that it has", func(c *config.Config) { c.Services = nil },
			[]string{"remove real_server 192.168.1.4 [192.168.1.4:80]", "remove real_server 192.168.1.5 [192.168.1.5:80]", "remove virtual_service web [tcp 10.13.0.200:80]",
				"at once: remove web/ 0->0", "at once: remove web/192.168.1.5 2->0, 7 of 9 established"}},
		{"an address of a Master comes at once", func(c *config.Config) {
			c.Routers[0].Addresses = append(slices.Clone(c.Routers[0].Addresses), netip.MustParsePrefix("10.13.0.201/24"))
		}, []string{"change virtual_router outside [addresses]", "add address 10.13.0.201/24 on eth0 [], at once"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := webService(ipvsctl.NAT, web1, web2)
				s.Servers[0].Checks = checked(tcpTarget).Servers[0].Checks
				c := clusterOf(s)
				c.Routers[0].Interface = "eth0"
				r, stop := rehearserOf(t, c, map[netip.Addr]bool{tcpTarget.Addr: true})
				defer stop()
				r.statuses = []*vrrp.Status{{Name: "outside", State: vrrp.Master}}
				r.changed <- struct{}{}
				for range 3 {
					r.answer(nil)
				}
				r.kernel.Count(s.Key, s.Servers[1].Key, ipvsctl.Counters{Active: 7, Inactive: 2})
				r.candidate = twice(c, tt.change)
				got := spoken(r.plan())
				slices.Sort(got)
				if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("the plan (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// spoken are the lines of a plan.
func spoken(p api.Plan) (all []string) {
	for _, d := range p.Changes {
		line := fmt.Sprintf("%s %s %s %v", d.Action, d.Kind, d.Name, d.What)
		if d.Now {
			line += ", at once"
		}
		all = append(all, line)
	}
	for when, rows := range map[string][]api.RowChange{"at once": p.Table, "later": p.Later} {
		for _, r := range rows {
			line := fmt.Sprintf("%s: %s %s/%s %d->%d", when, r.Action, r.Service, r.Server, r.Was, r.Weight)
			if r.Connections > 0 {
				line += fmt.Sprintf(", %d of %d established", r.Established, r.Connections)
			}
			if r.Reason != "" {
				line += ", " + r.Reason
			}
			all = append(all, line)
		}
	}
	return all
}

// anyInput is something that may happen to a core.
func anyInput(rng *rand.Rand, c *Core) Input {
	switch rng.IntN(6) {
	case 0:
		return RoutersSeen{{Name: "outside", State: []vrrp.State{vrrp.Master, vrrp.Backup}[rng.IntN(2)]}}
	case 1:
		return TableSeen{Converged: rng.IntN(4) > 0}
	case 2:
		return Counted{{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}: {{Value: ipvsctl.Counters{Connections: rng.Uint64N(100), PacketsIn: rng.Uint64N(100)}}}}
	default:
		var all Probed
		for _, t := range Targets(c.config, nil) {
			r := checker.Result{Outcome: checker.Passed}
			if rng.IntN(3) == 0 {
				r = checker.Result{Outcome: checker.Failed, Silent: rng.IntN(2) == 0, Detail: "no answer"}
			}
			all = append(all, Observation{*t, r})
		}
		return all
	}
}

// plainly leaves out of effects what prints as an address of memory.
func plainly(effects []Effect) (all []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case SetTargets, SetIdle, Read, Answer, Conclude:
			all = append(all, fmt.Sprintf("%T", e))
		case Tell:
			all = append(all, e.Code+e.Subject+e.Text)
		default:
			all = append(all, e)
		}
	}
	return all
}
