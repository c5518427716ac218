package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// runFlags are the flags of lvsd run.
type runFlags struct {
	config, node, stateDir, socket string
	logFormat, logLevel            string
}

func newRunCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Be the daemon",
		Long: `Runs the daemon in the foreground, as systemd wants it. It needs the capabilities
NET_ADMIN and NET_RAW, and SYS_NICE and IPC_LOCK to keep time under load.

  SIGHUP   reads the configuration again; one with a mistake changes nothing
  SIGTERM  hands the virtual addresses over to the other director and ends
           (SIGINT likewise)

The exit status is 0 after SIGTERM, and 1 where the daemon could not start or
could not go on; standard error says why.`,
		Example: `  lvsd run
  lvsd run --config ./cluster.hcl --node lvs1 --state-dir /tmp/lvsd --socket /tmp/lvsd.sock`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			newLog, err := logTo(f.logFormat, f.logLevel)
			if err != nil {
				return err
			}
			lines := newLineWriter(c.ErrOrStderr(), newLog)
			defer lines.Close()
			if err := serve(c.Context(), newLog(lines), f); err != nil {
				return failure(err)
			}
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.config, "config", defaultConfig, "a file, or a directory whose *.hcl files are read together")
	flags.StringVar(&f.node, "node", "", "the name of this director in the configuration (default: the host's, to the first dot)")
	flags.StringVar(&f.stateDir, "state-dir", "/var/lib/lvsd", "where the daemon remembers which rows of the IPVS table are its own")
	flags.StringVar(&f.socket, "socket", control.DefaultSocket, "the control socket, which lvsd status asks")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	return c
}

// serve builds the edges, hands them to the director, and runs it.
func serve(ctx context.Context, log *slog.Logger, f runFlags) error {
	// From here on a signal is an order, however early it comes, and a log
	// whose reader has ended is no reason to end.
	signal.Ignore(syscall.SIGPIPE)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()

	options, _, err := parseOptions(f.node)
	if err != nil {
		return err
	}
	var work burst
	work.begin()
	first, warnings, err := firstConfig(f.config, options)
	if err != nil {
		return err
	}
	ears := link.OpenEars(ports(first.Routers))
	unlock, err := lockState(f.stateDir)
	if err != nil {
		return err
	}
	defer unlock()
	servers, err := listen(f.socket, first.Director.HTTPListen)
	if err != nil {
		return err
	}
	k, err := keeper.Start(context.WithoutCancel(ctx), keeper.Options{
		Command: []string{"/proc/self/exe", "keeper", "--lock", filepath.Join(f.stateDir, "keeper.lock")},
		Log:     log,
		Ears:    ears,
	})
	if err != nil {
		return err
	}
	// The first configuration is forgotten with the first reload: nothing that
	// lives as long as the daemon may refer to it.
	atStart := first.Director
	d := director.New(first, warnings, director.Options{
		Version: version, Path: f.config, Log: log,
		Keeper: keeperEdge{k},
		Probes: checker.New(probe.New(), atStart.ProbesInFlight),
		OpenTable: func(ctx context.Context) (director.Table, ipvsctl.Table, error) {
			return openTable(ctx, log, f.stateDir, atStart.ExclusiveTable)
		},
		Load: func(running *config.Config) director.Loaded {
			return load(log, f.config, f.node, running, &work)
		},
		Machine: machine.Read,
		Notify: func(state string) {
			notify(log, state)
			if state == "READY" {
				work.end()
			}
		},
	})
	log.Info("starting", "version", version, "node", options.Node, "config", f.config,
		"routers", len(first.Routers), "services", len(first.Services))
	return runAll(ctx, d, servers, hangups)
}

// ports are where the routers' adverts come in, each once.
func ports(routers []vrrp.Config) []vrrp.Port {
	var all []vrrp.Port
	for i := range routers {
		p := vrrp.Port{Interface: routers[i].Interface, Family: routers[i].Family()}
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// keeperEdge is the keeper as the director sees it.
type keeperEdge struct{ *keeper.Client }

func (k keeperEdge) Status() director.KeeperStatus {
	p := k.Process()
	s := director.KeeperStatus{Realtime: p.Realtime, Locked: p.Locked, Why: p.Why, Unclaimed: k.Unclaimed()}
	s.PID, s.Restarts, s.EventsDropped = k.Stats()
	return s
}

// runAll runs the director and its servers until ctx ends the director, or one
// of them fails.
func runAll(ctx context.Context, d *director.Director, servers []*control.Server, hangups <-chan os.Signal) error {
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

// firstConfig reads the configuration that the daemon starts with. What is
// wrong with it goes to standard error in full, as validate prints it.
func firstConfig(path string, o config.Options) (*config.Config, []string, error) {
	sources, err := config.Read(path)
	if err != nil {
		return nil, nil, err
	}
	c, diags := config.Parse(sources, o)
	if diags.HasErrors() {
		width, colour := terminal(os.Stderr)
		if err := diags.Render(os.Stderr, width, colour); err != nil {
			return nil, nil, fmt.Errorf("printing the diagnostics: %w", err)
		}
		return nil, nil, fmt.Errorf("%s is not valid for node %q", path, o.Node)
	}
	return c, lines(diags), nil
}

// load reads the configuration again, and logs every mistake in it.
func load(log *slog.Logger, path, node string, running *config.Config, work *burst) director.Loaded {
	o, _, err := parseOptions(node)
	if err != nil {
		return director.Loaded{Err: err}
	}
	o.Files = running.Files
	sources, err := config.Read(path)
	if err != nil {
		return director.Loaded{Err: err}
	}
	if o.Node == running.Node && sources.Digest(o) == running.Digest {
		return director.Loaded{}
	}
	work.begin()
	c, diags := config.Parse(sources, o)
	if diags.HasErrors() {
		logDiagnostics(log, diags)
		return director.Loaded{Err: diags.Err()}
	}
	return director.Loaded{Config: c, Warnings: lines(diags)}
}

// lockState makes sure that no second daemon works with this state.
func lockState(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("creating the state directory: %w", err)
	}
	lock, err := kernel.Lock(dir)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// listen opens the control socket, and the HTTP server where one is wanted.
func listen(socket, http string) ([]*control.Server, error) {
	s, err := control.Listen(socket)
	if err != nil {
		return nil, err
	}
	if http == "" {
		return []*control.Server{s}, nil
	}
	h, err := control.ListenHTTP(http)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return []*control.Server{s, h}, nil
}

// openTable opens the kernel's IPVS table, with what an earlier run left.
func openTable(ctx context.Context, log *slog.Logger, stateDir string, exclusive bool) (director.Table, ipvsctl.Table, error) {
	ledger, err := kernel.OpenLedger(stateDir)
	if err != nil {
		return nil, nil, err
	}
	conn, err := kernel.Dial()
	if err != nil {
		return nil, nil, err
	}
	r := ipvsctl.New(conn, ledger, ipvsctl.Options{Log: log, Exclusive: exclusive})
	found, err := r.Open(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return r, found, nil
}
