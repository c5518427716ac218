package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
)

// DefaultConfig is the path of the configuration unless another one is given.
const DefaultConfig = "/etc/lvsd"

// A Reading is a configuration as one director reads it.
type Reading struct {
	Path, Node string
	// Config is nil if Diagnostics has an error.
	Config      *config.Config
	Diagnostics config.Diagnostics
}

// Err returns an error if the configuration is not valid, without the mistakes.
func (r *Reading) Err() error {
	if !r.Diagnostics.HasErrors() {
		return nil
	}
	return fmt.Errorf("%s is not valid for node %q", r.Path, r.Node)
}

// An InvalidError is the reason why Run did not start: the configuration has
// mistakes, which nobody has printed yet.
type InvalidError struct{ Reading }

func (e *InvalidError) Error() string { return e.Err().Error() }

// Validate reads the configuration at path as Run would on the director named
// node, or named as this host where node is empty. What this machine has counts
// only if it is that director.
func Validate(path, node string) (*Reading, error) {
	o, facts, err := parseOptions(node)
	if err != nil {
		return nil, err
	}
	if host, err := machine.NodeName(); err != nil || host != o.Node {
		o.Local = nil
	} else {
		o.Interfaces = facts.Interfaces
	}
	return read(path, o)
}

// parseOptions returns what a configuration is read with on this machine.
// Interfaces are left out: the daemon gives none.
func parseOptions(node string) (config.Options, machine.Facts, error) {
	if node == "" {
		name, err := machine.NodeName()
		if err != nil {
			return config.Options{}, machine.Facts{}, fmt.Errorf("%w: give --node", err)
		}
		node = name
	}
	facts, err := machine.Read()
	return config.Options{Node: node, Env: os.LookupEnv, Local: facts.Addresses}, facts, err
}

// read reads and parses the configuration at path.
func read(path string, o config.Options) (*Reading, error) {
	sources, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	return parse(path, sources, o), nil
}

// The garbage collector's GOGC while a configuration is parsed, and otherwise,
// when there is little garbage and memory is what counts. More than the usual
// 100 for parsing saves nothing: fewer collections cost as much again in fresh
// pages (measured).
const (
	parsingPercent = 100
	restPercent    = 30
)

// parse parses a configuration, and afterwards returns to the system the memory
// that only parsing needed. Without that the process would keep its peak for
// minutes (measured with 10,000 servers: 50 MB, of which 13 are live).
func parse(path string, sources config.Sources, o config.Options) *Reading {
	debug.SetGCPercent(parsingPercent)
	defer func() {
		debug.SetGCPercent(restPercent)
		go debug.FreeOSMemory()
	}()
	r := &Reading{Path: path, Node: o.Node}
	r.Config, r.Diagnostics = config.Parse(sources, o)
	return r
}

// reload reads the configuration again, unless its text is the one that runs.
func reload(path, node string, running *config.Config) director.Loaded {
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
	r := parse(path, sources, o)
	if r.Err() != nil {
		return director.Loaded{Err: r.Diagnostics.Err(), Mistakes: mistakes(r.Diagnostics)}
	}
	return director.Loaded{Config: r.Config, Warnings: lines(r.Diagnostics)}
}

// maxMistakes bounds the mistakes of one configuration that are told one by one.
const maxMistakes = 50

// mistakes returns an event for each mistake, with its source.
func mistakes(diags config.Diagnostics) []event.Event {
	var all []event.Event
	for i, d := range diags {
		e := event.Event{Severity: event.Error, Code: "configuration-mistake"}
		if i == maxMistakes {
			e.Text = "more mistakes are not logged: run lvsd validate"
			e.Attributes = []slog.Attr{slog.Int("mistakes", len(diags)-i)}
			return append(all, e)
		}
		e.Text = "configuration: " + d.Summary
		e.Attributes = []slog.Attr{slog.String("at", fmt.Sprintf("%s:%d", d.File, d.Line)),
			slog.String("source", strings.TrimSpace(d.Source)), slog.String("detail", d.Detail)}
		all = append(all, e)
	}
	return all
}

// lines returns diagnostics as one line each.
func lines(diags config.Diagnostics) []string {
	var all []string
	for _, d := range diags {
		all = append(all, d.String())
	}
	return all
}
