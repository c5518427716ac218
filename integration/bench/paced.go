package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// pacedName is the argument by which this program is a director without a kernel's
// table: its loop, its checker and its probes are lvsd's, so that what checks cost can be
// measured on a machine without IPVS.
const pacedName = "paced"

// A pacedReport is what such a director prints of a while at rest.
type pacedReport struct {
	Checks, Passed float64
	// Processor is the processor time of the process in seconds, with that of the
	// packets which the kernel handled meanwhile in its name. Took is the real time.
	Processor, Took float64
	// Delay99 is below which bound 99 of 100 checks began after they were due.
	Delay99 float64
	Memory  float64 // PSS, in bytes
	Alone   int     // targets that the engine was not asked about
}

// paced is the program by that name.
func paced(arguments []string) error {
	flags := flag.NewFlagSet(pacedName, flag.ExitOnError)
	servers := flags.Int("servers", 10_000, "")
	interval := flags.Duration("interval", time.Second, "")
	settled := flags.Duration("after", 6*time.Second, "")
	measured := flags.Duration("for", 10*time.Second, "")
	_ = flags.Parse(arguments)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	probes := checker.New(probe.New(nil), checker.DefaultInFlight)
	ended := make(chan error, 1)
	go func() { ended <- newPaced(probes, pacedConfig(*servers, *interval)).Run(ctx) }()
	time.Sleep(*settled)
	debug.SetGCPercent(10) // as a director at rest
	debug.FreeOSMemory()
	before, begin, used := probes.Stats(), time.Now(), processorTime()
	select {
	case err := <-ended:
		return fmt.Errorf("the director ended: %w", err)
	case <-time.After(*measured):
	}
	after := probes.Stats()
	report := pacedReport{Processor: processorTime() - used, Took: time.Since(begin).Seconds(), Alone: after.Bypassed}
	report.Checks = float64(results(after) - results(before))
	report.Passed = float64(after.Kinds["tcp"].Passed - before.Kinds["tcp"].Passed)
	report.Delay99 = quantile(checker.DelayBounds, before.Delays, after.Delays, .99)
	var err error
	if report.Memory, err = ownPSS(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

// results counts the results of TCP checks.
func results(s checker.Stats) uint64 {
	k := s.Kinds["tcp"]
	return k.Passed + k.Failed + k.NotRun
}

// quantile is the bound of a histogram below which a part of what was counted is
// between two moments.
func quantile(bounds []float64, before, after []uint64, part float64) float64 {
	var all, below uint64
	for i := range after {
		all += after[i] - before[i]
	}
	for i, bound := range bounds {
		below += after[i] - before[i]
		if float64(below) >= part*float64(all) {
			return bound
		}
	}
	return never
}

func processorTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func ownPSS() (float64, error) {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "\nPss:")
	var kib float64
	_, err = fmt.Sscanf(rest, "%f kB", &kib)
	return kib * 1024, err
}

// pacedConfig are services of ten servers each, with a TCP check and the address of
// their own.
func pacedConfig(servers int, interval time.Duration) *config.Config {
	c := &config.Config{Node: "bench", Digest: "bench", Director: config.Director{StartDelay: time.Minute, ProbesInFlight: checker.DefaultInFlight}}
	spec := checker.SpecOf(checker.TCP{})
	for i := range servers {
		if i%serversPerService == 0 {
			key := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.AddrFrom4([4]byte{192, 0, 2, 1}), Port: uint16(1 + i/serversPerService)}
			c.Services = append(c.Services, config.Service{Name: fmt.Sprint("service", len(c.Services)), Key: key})
		}
		s := &c.Services[len(c.Services)-1]
		addr := netip.AddrFrom4([4]byte{172, byte(16 + i>>16), byte(i >> 8), byte(i)})
		s.Servers = append(s.Servers, config.Server{
			Name: addr.String(), Key: ipvsctl.DestinationKey{Addr: addr, Port: fleetPort}, Destination: ipvsctl.Destination{Weight: 1},
			Checks: []config.Check{{
				Target: checker.Target{Spec: spec, Addr: addr, Port: fleetPort, Interval: interval, Timeout: time.Second},
				Rise:   1, Fall: 3,
			}},
		})
	}
	return c
}

// newPaced returns a director all of whose edges but the checker are memory.
func newPaced(probes *checker.Checker, c *config.Config) *director.Director {
	table := pacedTable{make(chan struct{}, 1)}
	return director.New(c, nil, director.Options{
		Events: event.Log(slog.New(slog.DiscardHandler)), Keeper: pacedKeeper{}, Probes: probes, Hooks: pacedHooks{}, Resources: pacedResources{}, Connections: connections.NewTeller(nil, nil),
		Trial:     pacedTrial{},
		Rules:     ipvsctl.NewRuler(ipvsctl.NewDryFilter(func(ipvsctl.RuleChange) {}), func(ipvsctl.Event) {}),
		Configure: func(config.Director) {}, HTTP: func() error { return nil }, Alone: func() error { return nil },
		OpenTable: func(context.Context) (director.Table, ipvsctl.Table, error) { return table, nil, nil },
		Machine:   func([]netip.Addr, bool) (machine.Facts, error) { return machine.Facts{}, nil },
		Notify:    func(string) {},
	})
}

// pacedTable is a kernel's table that has at once what is set.
type pacedTable struct{ applied chan struct{} }

func (t pacedTable) Set(ipvsctl.Desired) {
	select {
	case t.applied <- struct{}{}:
	default:
	}
}
func (t pacedTable) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (t pacedTable) Snapshot() ipvsctl.Snapshot    { return ipvsctl.Snapshot{Converged: true} }
func (t pacedTable) Applied() <-chan struct{}      { return t.applied }
func (t pacedTable) Clear(context.Context) error   { return nil }

type pacedTrial struct{ director.Trial }

func (pacedTrial) Stake() *director.Stake { return nil }
func (pacedTrial) Status() *api.Trial     { return nil }

type pacedKeeper struct{}

func (pacedKeeper) Set(vrrp.Desired)           {}
func (pacedKeeper) Heartbeat()                 {}
func (pacedKeeper) Statuses() []*vrrp.Status   { return nil }
func (pacedKeeper) Changed() <-chan struct{}   { return nil }
func (pacedKeeper) Status() api.Keeper         { return api.Keeper{} }
func (pacedKeeper) Stop(context.Context) error { return nil }

type pacedHooks struct{}

func (pacedHooks) Configure([]vrrp.Config, []config.Hook, []config.Stream) {}
func (pacedHooks) Streams() []api.Stream                                   { return nil }
func (pacedHooks) Assert([]string, api.User, func(api.Ordered))            {}
func (pacedHooks) Statuses() map[config.Owner][]api.Hook                   { return nil }
func (pacedHooks) Hear([]api.ServiceState)                                 {}
func (pacedHooks) Finish(context.Context)                                  {}

type pacedResources struct{}

func (pacedResources) Configure([]vrrp.Config, []config.Resource)            {}
func (pacedResources) Statuses() (routers, groups map[string][]api.Resource) { return nil, nil }
func (pacedResources) Barred() map[string]string                             { return nil }
func (pacedResources) Changed() <-chan struct{}                              { return nil }
func (pacedResources) Retry()                                                {}
func (pacedResources) Finish(context.Context)                                {}
