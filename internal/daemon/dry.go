package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/resource"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
	"github.com/lvsd/lvsd/vrrp"
)

// wouldDo is the code of events about what a dry run does not do. There is one for each
// thing, however many there are.
const wouldDo = "would-do"

// would tells what a dry run does not do.
func would(tell event.Sink, text string) {
	tell(event.Event{At: time.Now(), Severity: event.Info, Code: wouldDo, Text: "would " + text})
}

// makeDry has a director change nothing, and tell instead.
func makeDry(o *director.Options, tell event.Sink, store *state.Store) {
	dry := &drySettings{tell: tell, set: make(map[machine.Setting]string)}
	o.OpenTable = func(ctx context.Context) (director.Table, ipvsctl.Table, error) {
		return openDryTable(ctx, tell, store)
	}
	look := o.Machine
	o.Machine = func(to []netip.Addr, ipvs bool) (machine.Facts, error) { return dry.facts(look(to, ipvs)) }
	o.Tune, o.Tuned = dry.tune, nil
	o.Rules = ipvsctl.NewRuler(ipvsctl.NewDryFilter(func(c ipvsctl.RuleChange) {
		would(tell, fmt.Sprintf("%s for virtual service %q: %s", map[bool]string{true: "remove the rule of nftables", false: "add a rule of nftables"}[c.Removed], c.Service, c.Rule))
	}), func(ipvsctl.Event) {})
	o.Connections = &dryConnections{tell: tell}
	o.Configure = func(config.Director) {}
	o.HTTP, o.Alone = func() error { return nil }, func() error { return nil }
	o.SaveStandby = func(uint64, *api.Standby) error { return nil }
	o.SaveKeptOut = func([]director.KeptOut) error { return nil }
}

// openDryTable is openTable, but what is written reaches no kernel.
func openDryTable(ctx context.Context, tell event.Sink, store *state.Store) (director.Table, ipvsctl.Table, error) {
	ledger, err := store.Ledger()
	if err != nil {
		return nil, nil, err
	}
	conn, err := kernel.Dial()
	if err != nil {
		return nil, nil, err
	}
	table, err := conn.List(ctx)
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, nil, err
	}
	dry := ipvsctl.NewDry(table, func(op ipvsctl.Op) { would(tell, "write to the IPVS table: ipvsadm "+op.String()) })
	r, err := ipvsctl.Open(ctx, dry, ledger, reported(tell))
	if err != nil {
		return nil, nil, err
	}
	return r, r.Snapshot().Table, nil
}

// drySettings are parameters of the kernel as they would be.
type drySettings struct {
	tell event.Sink
	mu   sync.Mutex
	set  map[machine.Setting]string
}

// tune takes parameters for set.
func (d *drySettings) tune(values, _ map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range slices.Sorted(maps.Keys(values)) {
		d.set[s] = values[s]
		would(d.tell, fmt.Sprintf("set %s to %q", s, values[s]))
	}
	return nil, nil
}

// facts are those of the machine with these parameters.
func (d *drySettings) facts(f machine.Facts, err error) (machine.Facts, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := maps.Clone(d.set)
	for s, value := range f.Settings {
		if _, set := all[s]; !set {
			all[s] = value
		}
	}
	f.Settings = all
	return f, err
}

// dryConnections tells nobody of connections.
type dryConnections struct {
	tell  event.Sink
	tells bool
}

func (d *dryConnections) Set(t *connections.Telling) {
	if t != nil && !d.tells {
		would(d.tell, fmt.Sprintf("tell other directors of all connections every %v", t.Every))
	}
	d.tells = t != nil
}

// Learn waits: who only looks has no connections.
func (*dryConnections) Learn(ctx context.Context, _ ipvsctl.SyncDaemon, _ func()) error {
	<-ctx.Done()
	return ctx.Err()
}

func (*dryConnections) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// dryPrograms starts nothing, and takes everything for done.
type dryPrograms struct{ tell event.Sink }

var (
	_ hook.Programs     = dryPrograms{}
	_ resource.Programs = dryPrograms{}
)

func (p dryPrograms) Run(_ context.Context, c spawn.Command) (spawn.Outcome, error) {
	p.would(c)
	return spawn.Outcome{}, nil
}

func (p dryPrograms) Keep(ctx context.Context, c spawn.Command, feed func(context.Context) []byte, _ func([]byte, int64)) (spawn.Outcome, error) {
	p.would(c)
	for ctx.Err() == nil {
		_ = feed(ctx)
	}
	return spawn.Outcome{Canceled: true}, nil
}

func (dryPrograms) Check(c spawn.Command) error { return spawn.Check(c) }

func (p dryPrograms) would(c spawn.Command) {
	as := ""
	if c.User != "" {
		as = " as " + c.User
	}
	would(p.tell, "run "+strings.Join(c.Args, " ")+as)
}

// dryResources are resources of which it is not asked whether they run: what would have
// been started does not.
type dryResources struct{ *resource.Runner }

func (r dryResources) Configure(routers []vrrp.Config, all []config.Resource) {
	all = slices.Clone(all)
	for i := range all {
		all[i].Status, all[i].Directory = nil, ""
	}
	r.Runner.Configure(routers, all)
}

// dryKeeper is a keeper that makes no device for virtual MACs: adverts would be sent from
// these, and are heard on the interfaces below.
type dryKeeper struct{ keeperEdge }

func (k dryKeeper) Set(d vrrp.Desired) {
	d.Routers = slices.Clone(d.Routers)
	for i := range d.Routers {
		d.Routers[i].VirtualMAC = vrrp.VirtualMAC{}
	}
	k.keeperEdge.Set(d)
}

// openState opens the state directory as a dry run or another one does.
func openState(o Options) (*state.Store, error) {
	if o.DryRun {
		return state.Peek(o.StateDir)
	}
	return state.Open(o.StateDir)
}

// eventsOf is where the events of a daemon go. In a dry run each line says that it is one,
// and of what is not done nothing is left out.
func eventsOf(o Options) event.Sink {
	if !o.DryRun {
		return bounded(event.Log(o.Log.Logger))
	}
	o.Log.Logger = o.Log.With(slog.Bool("dry_run", true))
	all := event.Log(o.Log.Logger)
	some := bounded(all)
	return func(e event.Event) {
		if e.Code == wouldDo {
			all(e)
		} else {
			some(e)
		}
	}
}
