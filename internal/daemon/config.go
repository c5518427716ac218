package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/orders"
	"github.com/lvsd/lvsd/internal/reader"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// DefaultConfig is the path of the configuration unless another one is given.
const DefaultConfig = "/etc/lvsd"

// A Reading is a configuration as one director reads it.
type Reading struct {
	Path, Node string
	// Host is the name of this machine where it is not the director's: its interfaces
	// do not count then, nor its addresses but for its own, and those only unless the
	// files name it, as another director. Else it is empty.
	Host string
	reader.Reading
}

// Err returns an *InvalidError if the configuration is not valid.
func (r *Reading) Err() error {
	if !r.Diagnostics.HasErrors() {
		return nil
	}
	return &InvalidError{r}
}

// An InvalidError says that a configuration has mistakes, but not which: that is
// in its Diagnostics.
type InvalidError struct{ *Reading }

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s is not valid for node %q", e.Path, e.Node)
}

// newReader returns what reads configurations, each in a child process.
func newReader() *reader.Reader {
	return reader.New([]string{"/proc/self/exe", ReadCommand}, reader.DefaultLimits)
}

// newSpawner returns what starts programs that are not lvsd's own.
func newSpawner() *spawn.Spawner { return spawn.New("/proc/self/exe", SpawnCommand) }

// ReadCommand is the name of the subcommand that calls reader.Main.
const ReadCommand = orders.Read

// SpawnCommand is the name of the subcommand that calls spawn.Main.
const SpawnCommand = orders.Spawn

// Validate reads a configuration as Run would with these options: the director is
// the one of that name, and most of what this machine has counts only if it is that
// one.
// The path "-" stands for in. The Reading has no Config.
func Validate(ctx context.Context, o Options, in io.Reader) (*Reading, error) {
	q, facts, err := query(o.Config, o.Node, o.FileDirs)
	if err != nil {
		return nil, err
	}
	q.ValidateOnly = true
	if o.Config == "-" {
		text := config.SourceFile{Name: "standard input"}
		if text.Text, err = io.ReadAll(io.LimitReader(in, config.MaxSource+1)); err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		// What is too long is not sent to be refused: that may need more memory than there is.
		if _, err := config.FromFiles(".", text); err != nil {
			return nil, err
		}
		q.Path, q.Read = ".", []config.SourceFile{text}
	}
	q.Whose = config.OfHost
	host, err := machine.NodeName()
	if err == nil && host == q.Node {
		host, q.Interfaces, q.Whose = "", facts.Names(), config.OfDirector
		q.Programs, q.NoUsers, q.NoWatchdog = true, lacks("/", "CAP_SETUID"), lacks("/", "DeviceAllow=/dev/watchdog")
		q.Unsynchronized = !machine.ClockKept()
	}
	q.Host = host
	r, err := read(ctx, newReader(), q)
	if err != nil {
		return nil, err
	}
	r.Host = host
	if len(q.Read) > 0 {
		r.Path = q.Read[0].Name
	}
	return r, nil
}

// lacks reports whether lvsd.service is installed beneath a directory without a setting,
// which it does not have itself: one of the shipped drop-ins has it, or one's own.
func lacks(root, setting string) bool {
	installed := false
	for _, place := range []string{"lib/systemd/system", "usr/lib/systemd/system", "usr/local/lib/systemd/system", "run/systemd/system", "etc/systemd/system"} {
		unit := filepath.Join(root, place, "lvsd.service")
		files, _ := filepath.Glob(unit + ".d/*.conf")
		for _, file := range append(files, unit) {
			text, err := os.ReadFile(file)
			if err == nil && strings.Contains(string(text), setting) {
				return false
			}
			installed = installed || err == nil && file == unit
		}
	}
	return installed
}

// query returns what a configuration is read with at a start on this machine, without
// Interfaces: a router of the daemon whose interface is missing says so itself.
func query(path, node string, fileDirs []string) (reader.Query, machine.Facts, error) {
	if node == "" {
		name, err := machine.NodeName()
		if err != nil {
			return reader.Query{}, machine.Facts{}, fmt.Errorf("%w: give --node", err)
		}
		node = name
	}
	facts, err := machine.Read()
	return reader.Query{Path: path, Node: node, FileDirs: fileDirs, Machine: config.Machine{Addresses: addresses(facts), Whose: config.OfStart, Processors: config.Processors(machine.Processors())}}, facts, err
}

// addresses returns those on a machine's interfaces.
func addresses(facts machine.Facts) []vrrp.InterfaceAddress {
	var all []vrrp.InterfaceAddress
	for _, i := range facts.Interfaces {
		for _, p := range i.Addresses {
			all = append(all, vrrp.InterfaceAddress{Interface: i.Name, Prefix: p})
		}
	}
	return all
}

// settled are those addresses that do not move by the configuration that runs: a
// Master's virtual and extra addresses are not its own, even while it has no other.
func settled(all []vrrp.InterfaceAddress, routers []vrrp.Config) []vrrp.InterfaceAddress {
	type place struct {
		link    string
		address netip.Addr
	}
	moving := map[place]bool{}
	for _, c := range routers {
		if c.Priority == 255 {
			continue
		}
		for _, p := range c.Addresses {
			moving[place{c.Interface, p.Addr()}], moving[place{c.Home(), p.Addr()}] = true, true
		}
		for _, x := range c.Extra {
			moving[place{x.Interface, x.Prefix.Addr()}] = true
		}
	}
	return slices.DeleteFunc(all, func(a vrrp.InterfaceAddress) bool { return moving[place{a.Interface, a.Prefix.Addr()}] })
}

// read reads a configuration.
func read(ctx context.Context, r *reader.Reader, q reader.Query) (*Reading, error) {
	got, err := r.Read(ctx, q)
	if err != nil {
		return nil, err
	}
	return &Reading{Path: q.Path, Node: q.Node, Reading: got}, nil
}

// reload reads the configuration again, unless its text is the one that runs; or the one
// before, where the files were on trial and not confirmed.
func reload(ctx context.Context, o Options, r *reader.Reader, running *config.Config, pick func(*reader.Query) (warning string)) director.Loaded {
	warning := ""
	l := load(ctx, o, r, running, func(q *reader.Query) { warning = pick(q) })
	if warning != "" && l.Err == nil {
		l.Warnings = append(l.Warnings, warning)
	}
	return l
}

// candidate reads a configuration that is not to run now: of these files, or with none the
// daemon's own. What it says otherwise, such as the host's name, is as for a reload.
func candidate(ctx context.Context, o Options, r *reader.Reader, running *config.Config, files []api.File) director.Loaded {
	return load(ctx, o, r, running, func(q *reader.Query) {
		q.Aside = true
		for _, f := range files {
			q.Read = append(q.Read, config.SourceFile{Name: f.Name, Text: []byte(f.Text)})
		}
	})
}

// load reads a configuration beside the one that runs, unless it has the same text.
func load(ctx context.Context, o Options, r *reader.Reader, running *config.Config, of func(*reader.Query)) director.Loaded {
	q, facts, err := query(o.Config, o.Node, o.FileDirs)
	if err != nil {
		return director.Loaded{Err: err}
	}
	of(&q)
	q.RunningNode, q.RunningDigest, q.RunningFiles = running.Node, running.Digest, running.Files
	q.Addresses, q.Whose = settled(q.Addresses, running.Routers), config.OfDirector
	got, err := read(ctx, r, q)
	switch {
	case err != nil:
		return director.Loaded{Err: err}
	case got.Err() != nil:
		var diagnosis strings.Builder
		_ = got.Diagnostics.Render(&diagnosis, diagnosisWidth, false) // a Builder takes all
		return director.Loaded{Err: got.Diagnostics.Err(), Mistakes: mistakes(got.Diagnostics), Diagnosis: diagnosis.String()}
	}
	if got.Config == nil {
		got.Config, err = renewed(running)
	} else {
		got.Config.Routers, err = withKeys(got.Config.Routers)
	}
	if err != nil {
		return director.Loaded{Err: err}
	}
	if got.Config != nil {
		if err := director.Deprived(running.Routers, got.Config.Routers, facts.Names()); err != nil {
			return director.Loaded{Err: err}
		}
	}
	return director.Loaded{Config: got.Config, Files: named(got.Files), Warnings: lines(got.Diagnostics)}
}

// named are files with their absolute paths.
func named(files []config.SourceFile) []api.File {
	var all []api.File
	for _, f := range files {
		name, err := filepath.Abs(f.Name)
		if err != nil {
			name = f.Name
		}
		all = append(all, api.File{Name: name, Text: string(f.Text)})
	}
	return all
}

// diagnosisWidth is how wide the diagnosis of a refused reload is, in columns:
// who reads it may not be at a terminal.
const diagnosisWidth = 78

// maxMistakes bounds the mistakes of one configuration that are logged.
const maxMistakes = 50

// mistakes returns an event for each mistake, with its source. Warnings refuse nothing.
func mistakes(diags config.Diagnostics) []event.Event {
	var all []event.Event
	left := 0
	for _, d := range diags {
		switch {
		case d.Severity != config.Error:
		case len(all) == maxMistakes:
			left += max(1, d.Count)
		default:
			all = append(all, mistake(d))
		}
	}
	if left > 0 {
		all = append(all, event.Event{Severity: event.Error, Code: "configuration-mistake",
			Text: "more mistakes are not logged: run lvsd validate", Attributes: []slog.Attr{slog.Int("mistakes", left)}})
	}
	return all
}

func mistake(d config.Diagnostic) event.Event {
	e := event.Event{Severity: event.Error, Code: "configuration-mistake", Text: "configuration: " + d.Summary}
	if d.File != "" {
		e.Attributes = append(e.Attributes, slog.String("at", fmt.Sprintf("%s:%d", d.File, d.Line)), slog.String("source", strings.TrimSpace(d.Source)))
	}
	e.Attributes = append(e.Attributes, slog.String("detail", d.Detail))
	return e
}

// lines returns diagnostics as one line each.
func lines(diags config.Diagnostics) []string {
	var all []string
	for _, d := range diags {
		all = append(all, d.String())
	}
	return all
}
