package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/hook"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/orders"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/resource"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/internal/tuning"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/ipvsctl/filter"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// Run is the daemon. It returns nil after SIGTERM or SIGINT, or when ctx ends,
// once the virtual addresses are handed over; an *InvalidError if the
// configuration has mistakes; and any other error if the daemon could not start
// or go on.
func Run(ctx context.Context, o Options) error {
	keeper.GoFirst()
	// A log whose reader has ended is no reason to end.
	signal.Ignore(syscall.SIGPIPE)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	if orders.End() {
		return nil
	}

	debug.SetGCPercent(collectorStart)
	q, _, err := query(o.Config, o.Node, o.FileDirs)
	if err != nil {
		return err
	}
	r := newReader()
	pickFirst(o, &q)
	first, err := read(ctx, r, q)
	if ctx.Err() != nil {
		return nil // a signal came before there was anything to hand over
	}
	if err != nil {
		return err
	}
	if err := first.Err(); err != nil {
		return err
	}
	if err := capable(); err != nil {
		return err
	}
	if first.Config.Routers, err = withKeys(first.Config.Routers); err != nil {
		return err
	}
	o.Log.SetLevel(first.Config.Director.LogLevel)
	store, err := openState(o)
	if err != nil {
		return err
	}
	defer store.Close()
	return start(ctx, o, r, first, store, hangups)
}

// start runs the daemon with the configuration that it has read first.
func start(ctx context.Context, o Options, r *reader.Reader, first *Reading, store *state.Store, hangups <-chan os.Signal) error {
	events := eventsOf(o)
	servers, lonely, err := keepOthersOut(ctx, o, events)
	if err != nil {
		return err
	}
	listen := first.Config.Director.HTTP.Listen
	if o.DryRun {
		listen = "" // It is another daemon's, or will be.
	} else {
		sweepLeftovers(first.Config, events, link.SweepAll)
	}
	http := monitoring(listen, events)
	signed := &signedFile{log: o.Log.Logger, store: store}
	k, hooks, resources := startKeeper(ctx, o, events, signed)
	defer func() { signed.end(k.Signed()) }()
	if !o.DryRun {
		k.Feed(keeper.Watchdog(first.Config.Director.Watchdog))
		k.Pin(pinned(first.Config.Director.KeeperProcessors))
	}
	o.Log.Info("starting", "event", "starting", "version", o.Version, "node", first.Node, "config", o.Config,
		"routers", len(first.Config.Routers), "services", len(first.Config.Services))
	edges := edgesOf(ctx, o, events, r, first, k, hooks, resources, store, http, lonely)
	first.Files = nil // They are garbage when they are kept.
	if o.DryRun {
		edges.Keeper, edges.Resources = dryKeeper{keeperEdge{k, newProcessors()}}, dryResources{resources}
		makeDry(&edges, events, store)
	}
	d := director.New(first.Config, lines(first.Diagnostics), edges)
	edges.Trial.(*trial).follow(d.Reload)
	return serve(ctx, d, append(servers, http), hangups)
}

// keepOthersOut opens the control socket, and keeps other daemons out of this network
// namespace. A dry run disturbs none, and has a socket only where it was given one.
func keepOthersOut(ctx context.Context, o Options, events event.Sink) ([]server, *solitary, error) {
	if o.Socket == "" {
		return nil, new(solitary), nil
	}
	socket, err := control.Listen(o.Socket)
	if err != nil {
		return nil, nil, err
	}
	socket.ErrorLog = errorLog(events)
	if o.DryRun {
		return []server{socket}, new(solitary), nil
	}
	lonely, err := onlyOne(context.WithoutCancel(ctx), aloneName, aloneAgain, events)
	if err != nil {
		return nil, nil, errors.Join(err, socket.Close())
	}
	return []server{socket}, lonely, nil
}

// startKeeper starts the keeper, and what follows its reports.
func startKeeper(ctx context.Context, o Options, events event.Sink, signed *signedFile) (k *keeper.Client, hooks *hook.Runner, resources *resource.Runner) {
	answer := func(a vrrp.Answer) { k.Answer(a) }
	hooks, resources = hook.NewRunner(newSpawner(), answer, events), resource.NewRunner(newSpawner(), answer, events)
	args := []string{"--lock", filepath.Join(o.StateDir, "keeper.lock")}
	if o.DryRun {
		dry := dryPrograms{events}
		hooks, resources, args = hook.NewRunner(dry, answer, events), resource.NewRunner(dry, answer, events), []string{"--dry-run"}
	}
	k = keeper.Start(context.WithoutCancel(ctx), events, func(statuses []*vrrp.Status, events []vrrp.Event) {
		resources.Take(statuses, events)
		hooks.Take(statuses, events)
		signed.note(k.Signed())
	}, "/proc/self/exe", append([]string{"keeper"}, args...)...)
	k.SignAfter(signed.load())
	return k, hooks, resources
}

// edgesOf are what a director works with. They must not keep first: its configuration is
// garbage after the first reload.
func edgesOf(ctx context.Context, o Options, events event.Sink, r *reader.Reader, first *Reading, k *keeper.Client, hooks *hook.Runner, resources *resource.Runner, store *state.Store, http *control.HTTP, lonely *solitary) director.Options {
	prober := probe.New(starter(newSpawner()))
	prober.ForwardBy(newForwarder())
	probes := checker.New(prober, first.Config.Director.ProbesInFlight)
	probes.SetPerSecond(first.Config.Director.ProbesPerSecond)
	prober.OnProcesses(func() { probes.Hurry(checker.Process{}.Kind()) })
	var memory collector
	standby, tuned, onTrial := &standbyFile{store: store}, tuning.New(store, kernel.Dial), newTrial(o.Log.Logger, store, o.Config)
	processors := newProcessors()
	return director.Options{
		Version: o.Version, Path: o.Config, Files: named(first.Files), Events: events,
		Keeper: keeperEdge{k, processors},
		Probes: probes,
		Hooks:  hooks, Resources: resources,
		HTTP:  http.Err,
		Alone: lonely.Err,
		Configure: func(c config.Director) {
			o.Log.SetLevel(c.LogLevel)
			http.Listen(c.HTTP.Listen)
			probes.SetInFlight(c.ProbesInFlight)
			probes.SetPerSecond(c.ProbesPerSecond)
			k.Feed(keeper.Watchdog(c.Watchdog))
			k.Pin(pinned(c.KeeperProcessors))
		},
		OpenTable: func(ctx context.Context) (director.Table, ipvsctl.Table, error) {
			return openTable(ctx, events, store)
		},
		Standby: standby.load(o.Log.Logger), SaveStandby: standby.save,
		KeptOut:           loadKeptOut(store, o.Log.Logger),
		SaveKeptOut:       func(all []director.KeptOut) error { return saveKeptOut(store, all) },
		SaveConfiguration: func(c director.SaveConfiguration) error { return saveConfiguration(store, c) },
		Owned:             len(first.Config.Services) == 0 && owned(o.Log.Logger, store),
		Load: func(running *config.Config) director.Loaded {
			return reload(ctx, o, r, running, onTrial.pick)
		},
		Trial: onTrial,
		Candidate: func(running *config.Config, files []api.File) director.Loaded {
			return candidate(ctx, o, r, running, files)
		},
		Rules:       ipvsctl.NewRuler(&filter.Filter{}, reported(events)),
		Rows:        readRows,
		Machine:     tuned.Look,
		Connections: connections.NewTeller(kernel.Teller{}, toldOf(o.Log.Logger)),
		Tune:        tuned.Tune, Tuned: tuned.Load(o.Log.Logger),
		MachineChanges: machineChanges(ctx, o.Log.Logger),
		Notify: func(state string) {
			notify(o.Log.Logger, state)
			memory.follow(state)
			if state == reloading {
				processors.busy()
			}
		},
	}
}

// machineChanges watches the machine. Without that the director works as well, and
// asks at their next turn those whom it could not ask.
func machineChanges(ctx context.Context, log *slog.Logger) <-chan struct{} {
	changes, err := machine.Watch(ctx)
	if err != nil {
		log.Warn("cannot watch for changes of this machine's addresses", "event", "machine-unwatched", "error", err)
	}
	return changes
}

// A server answers until its context ends.
type server interface {
	Serve(context.Context, control.Source) error
}

// serve runs the director and its servers until ctx ends the director, or one
// of them fails.
func serve(ctx context.Context, d *director.Director, servers []server, hangups <-chan os.Signal) error {
	// The servers answer while the director hands over, and end after it.
	serving, endServing := context.WithCancel(context.WithoutCancel(ctx))
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer endServing()
		return d.Run(gctx)
	})
	for _, s := range servers {
		g.Go(func() error { return s.Serve(serving, d) })
	}
	g.Go(func() error {
		for {
			select {
			case <-hangups:
				d.Reload()
			case <-serving.Done():
				return nil
			}
		}
	})
	return g.Wait()
}
