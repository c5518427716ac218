package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/internal/realserver/host"
	"github.com/lvsd/lvsd/internal/state"
)

// RealServerUp has this machine be what it is in the configuration as a real server.
func RealServerUp(ctx context.Context, o Options) (*api.RealServer, error) {
	c, err := readRealServer(ctx, o, newReader())
	if err != nil {
		return nil, err
	}
	return realServerPass(o, c)
}

// RealServerDown gives back all that was changed. The configuration is not read.
func RealServerDown(o Options) (*api.RealServer, error) { return realServerPass(o, nil) }

func realServerPass(o Options, c *realserver.Cluster) (*api.RealServer, error) {
	store, err := state.Open(o.StateDir)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	role, result := realserver.Pass(host.Host{}, before{store}, c)
	return realServerAnswer(o.Config, c, &role, &result), nil
}

// RealServerCheck returns what is wrong with this machine as a real server, and changes
// nothing.
func RealServerCheck(ctx context.Context, o Options) (*api.RealServer, error) {
	c, err := readRealServer(ctx, o, newReader())
	if err != nil {
		return nil, err
	}
	store, err := state.Peek(o.StateDir)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	role, result := realserver.Check(host.Host{}, before{store}, c)
	return realServerAnswer(o.Config, c, &role, &result), nil
}

// readRealServer reads the directors' configuration on a real server. Where files have
// something for each director by its name, this machine's own need not be among them: then they are
// read as the first one's, since what all directors say of real servers is the same.
// Keys and passwords are the directors' alone.
func readRealServer(ctx context.Context, o Options, r *reader.Reader) (*realserver.Cluster, error) {
	host, err := machine.NodeName()
	if err != nil && o.Node == "" {
		return nil, fmt.Errorf("%w: give --node", err)
	}
	q := reader.Query{Path: o.Config, Node: cmp.Or(o.Node, host), FileDirs: o.FileDirs, NoSecrets: true}
	got, err := read(ctx, r, q)
	if err != nil {
		return nil, err
	}
	if directors := directorsOf(got.Diagnostics); len(directors) > 0 && o.Node == "" {
		q.Node = directors[0]
		if got, err = read(ctx, r, q); err != nil {
			return nil, err
		}
	}
	if err := got.Err(); err != nil {
		return nil, err
	}
	// Of a name that they have, files do not tell: so they are asked for one that they lack.
	q.Node, q.Aside, q.ValidateOnly = "nobody", true, true
	other, err := read(ctx, r, q)
	if err != nil {
		return nil, err
	}
	return &realserver.Cluster{Config: got.Config, Director: slices.Contains(directorsOf(other.Diagnostics), host)}, nil
}

// directorsOf returns the names of the directors that a configuration has, and was not read
// for; nil: none is known.
func directorsOf(diags config.Diagnostics) []string {
	for _, d := range diags {
		if len(d.Nodes) > 0 {
			return d.Nodes
		}
	}
	return nil
}

// before is where it is remembered what the parts of this machine were.
type before struct{ *state.Store }

func (b before) Load() (realserver.Memory, error) {
	texts, err := b.Settings()
	if err != nil {
		return nil, err
	}
	m := make(realserver.Memory, len(texts))
	var errs []error
	for text, value := range texts {
		part, err := realserver.Parse(text)
		m[part] = value
		errs = append(errs, err)
	}
	return m, errors.Join(errs...)
}

func (b before) Save(m realserver.Memory) error {
	texts := make(map[string]string, len(m))
	for part, value := range m {
		texts[part.String()] = value
	}
	return b.SaveSettings(texts)
}

// realServerAnswer tells of a pass.
func realServerAnswer(path string, c *realserver.Cluster, role *realserver.Role, r *realserver.Result) *api.RealServer {
	a := &api.RealServer{
		SchemaVersion: api.SchemaVersion, Path: path, OK: r.Err == nil && len(r.Left) == 0,
		Services: []api.Serving{}, Done: hostChanges(r.Done), Left: hostChanges(r.Left),
	}
	if c != nil {
		a.Node = c.Node
	}
	if r.Err != nil {
		a.Error = r.Err.Error()
	}
	for _, s := range role.Services {
		a.Services = append(a.Services, api.Serving{
			Service: s.Service, Virtual: s.Virtual, Address: s.Server.String(), Forward: s.Forward.String(), Note: s.Note,
		})
	}
	return a
}

func hostChanges(all []realserver.Change) []api.HostChange {
	list := []api.HostChange{}
	for i := range all {
		c := &all[i]
		h := api.HostChange{Action: api.Change, Part: c.Part.String(), From: c.From, To: c.To, Text: c.Describe(), Services: slices.Concat([]string{}, c.Services)}
		switch {
		case c.From == "" && c.Kind != realserver.Parameter:
			h.Action = api.Add
		case c.To == "":
			h.Action = api.Remove
		}
		list = append(list, h)
	}
	return list
}

// WatchRealServer keeps this machine as the configuration has it, until SIGTERM or SIGINT,
// or ctx ends. What was changed stays. SIGHUP has it read the configuration again.
func WatchRealServer(ctx context.Context, o Options) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	r := newReader()
	first, err := readRealServer(ctx, o, r)
	if err != nil {
		return err
	}
	store, err := state.Open(o.StateDir)
	if err != nil {
		return err
	}
	defer store.Close()
	configs := make(chan *realserver.Cluster)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			if c := rereadRealServer(ctx, o, r); c != nil {
				select {
				case configs <- c:
				case <-ctx.Done():
				}
			}
		}
	}()
	log := realServerLog{Logger: o.Log.Logger}
	realserver.Watch(ctx, host.Host{}, before{store}, first, machineChanges(ctx, o.Log.Logger), configs, log.tell)
	notify(o.Log.Logger, "STOPPING=1")
	return nil
}

// rereadRealServer reads the configuration again; nil: it has mistakes, and what was read
// before goes on.
func rereadRealServer(ctx context.Context, o Options, r *reader.Reader) *realserver.Cluster {
	notify(o.Log.Logger, "RELOADING=1")
	defer notify(o.Log.Logger, "READY=1")
	got, err := readRealServer(ctx, o, r)
	if err == nil {
		return got
	}
	if invalid, ok := errors.AsType[*InvalidError](err); ok {
		err = invalid.Diagnostics.Err()
	}
	o.Log.Error("the configuration is refused, and the former one goes on: correct it, and reload", "event", "configuration-refused", "error", err)
	return nil
}

// A realServerLog tells of what was repaired.
type realServerLog struct {
	*slog.Logger
	serving bool   // it has told of the first pass
	failure string // why the last pass failed
}

func (l *realServerLog) tell(role realserver.Role, r realserver.Result) {
	if !l.serving {
		l.serving = true
		names := make(map[string]bool)
		for _, s := range role.Services {
			names[s.Service] = true
			if s.Note != "" {
				l.Warn("something is left to you", "event", "realserver-note", "service", s.Service, "note", s.Note)
			}
		}
		l.Info("this machine is a real server", "event", "realserver-started", "services", slices.Sorted(maps.Keys(names)), "changes", len(r.Done))
		notify(l.Logger, "READY=1")
	}
	for i := range r.Done {
		c := &r.Done[i]
		l.Info(c.Describe(), "event", "realserver-changed", "part", c.Part.String(), "from", c.From, "to", c.To, "services", c.Services)
	}
	failure := ""
	if r.Err != nil {
		failure = r.Err.Error()
	}
	if failure != "" && failure != l.failure {
		l.Error("this machine is not as it should be", "event", "realserver-failed", "error", r.Err)
	}
	l.failure = failure
}
