package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/resource"
	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// BenchmarkReload reloads 1,000 services of 10 real servers each, of which one has
// another weight. cpu-ms/op is the processor time of the director and of the child
// that reads the configuration. The keeper has nothing to do, and the kernel's table is
// in memory: what is missing is one write by netlink, and the memory that is given back
// at rest, once for all reloads.
func BenchmarkReload(b *testing.B) {
	dir, text := b.TempDir(), manyServices()
	path := filepath.Join(dir, "lvsd.hcl")
	configure := func(weight uint32) {
		text := strings.Replace(text, "weight = 1\n", fmt.Sprintf("weight = %d\n", weight), 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	written := make(chan uint32, 1)
	k := sim.NewIPVS()
	k.Refuse = func(op ipvsctl.Op) error {
		if op.Dest.Weight > 100 {
			written <- op.Dest.Weight
		}
		return nil
	}
	configure(1)
	d := startDirector(b, Options{Config: path, Node: "lvs1"}, k)
	before, weight, n := processorTime(), uint32(100), 0
	for b.Loop() {
		weight++
		n++
		configure(weight)
		if o, err := d.ReloadAndWait(b.Context()); err != nil || !o.OK || len(o.Changes) != 1 {
			b.Fatalf("%+v, error %v", o, err)
		}
		if w := <-written; w != weight {
			b.Fatalf("the weight %d was written, want %d", w, weight)
		}
	}
	b.ReportMetric(float64((processorTime()-before).Microseconds())/1000/float64(n), "cpu-ms/op")
}

func manyServices() string {
	var all strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&all, "virtual_service \"s%d\" {\n  address   = \"10.9.0.100\"\n  port      = %d\n  scheduler = \"wrr\"\n  forward   = \"nat\"\n\n  check \"tcp\" {\n    interval = \"1h\"\n    timeout  = \"1s\"\n  }\n\n", i, 1000+i)
		for j := range 10 {
			fmt.Fprintf(&all, "  real_server \"node-%d\" {\n    address = \"172.16.%d.%d\"\n    port    = 80\n    weight = %d\n  }\n", j, i/25, i%25*10+j+1, j+1)
		}
		all.WriteString("}\n\n")
	}
	return all.String()
}

// startDirector starts a director whose servers all answer, and returns when its
// table is complete.
func startDirector(b *testing.B, o Options, k *sim.IPVS) *director.Director {
	r := newReader()
	q, _, err := query(o.Config, o.Node, nil)
	if err != nil {
		b.Fatal(err)
	}
	first, err := read(b.Context(), r, q)
	if err != nil || first.Err() != nil {
		b.Fatal(err, first)
	}
	ready := make(chan bool, 1)
	var memory collector
	d := director.New(first.Config, nil, director.Options{
		Events: func(event.Event) {}, Keeper: noKeeper{}, Hooks: hook.NewRunner(newSpawner(), nil, func(event.Event) {}), Resources: resource.NewRunner(newSpawner(), nil, func(event.Event) {}), Connections: connections.NewTeller(nil, nil), Rules: ipvsctl.NewRuler(ipvsctl.NewDryFilter(func(ipvsctl.RuleChange) {}), func(ipvsctl.Event) {}), Probes: checker.New(allPass{}, checker.DefaultInFlight),
		Configure: func(config.Director) {}, HTTP: func() error { return nil },
		OpenTable: func(ctx context.Context) (director.Table, ipvsctl.Table, error) {
			table, err := ipvsctl.Open(ctx, k, noLedger{}, nil)
			return table, nil, err
		},
		Load: func(running *config.Config) director.Loaded {
			return reload(context.Background(), o, r, running, unpicked)
		},
		Machine: func(to []netip.Addr, _ bool) (machine.Facts, error) { return machine.Read(to...) },
		Tune:    func(_, _ map[machine.Setting]string) (map[machine.Setting]error, error) { return nil, nil },
		Notify: func(state string) {
			memory.follow(state)
			if state == "READY=1" {
				select {
				case ready <- true:
				default:
				}
			}
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	select {
	case <-ready:
	case <-time.After(time.Minute):
		b.Fatal("it is not ready after a minute")
	}
	return d
}

// processorTime is this process's, and that of its children that have ended.
func processorTime() (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		_ = syscall.Getrusage(who, &u)
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

type noKeeper struct{}

func (noKeeper) Set(vrrp.Desired)           {}
func (noKeeper) Heartbeat()                 {}
func (noKeeper) Statuses() []*vrrp.Status   { return nil }
func (noKeeper) Changed() <-chan struct{}   { return nil }
func (noKeeper) Status() api.Keeper         { return api.Keeper{} }
func (noKeeper) Stop(context.Context) error { return nil }

type noLedger struct{}

func (noLedger) Load() ([]ipvsctl.ServiceKey, error) { return nil, nil }
func (noLedger) Save([]ipvsctl.ServiceKey) error     { return nil }

type allPass struct{}

func (allPass) Compile(checker.Spec) checker.ProbeFunc {
	return func(context.Context, checker.Target) checker.Result { return checker.Result{Outcome: checker.Passed} }
}
