package reader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/lvsd/lvsd/internal/config"
)

// A Reading is what came of reading a configuration.
type Reading struct {
	// Unchanged: the files say what runs already. Then there is no Config.
	Unchanged bool
	// Exceeded: reading it took more than a limit allows, which may be because
	// the machine was busy.
	Exceeded bool
	// Config is nil where Diagnostics has an error.
	Config      *config.Config
	Contents    Contents
	Diagnostics config.Diagnostics
	// NamesHost is as in config.Outcome.
	NamesHost bool
	// Files are those of a Config that is to run, as they were read.
	Files []config.SourceFile
}

// A Reader reads configurations in child processes. It is safe for concurrent
// use.
type Reader struct {
	command []string
	limits  Limits
	// stuck counts the children that were killed and have not ended.
	stuck atomic.Int32

	mu sync.Mutex
	// last holds the blocks of the last valid configuration, by their keys.
	last map[config.Key]config.Block
}

// New returns a Reader. Command is the program and its arguments that calls
// Main.
func New(command []string, l Limits) *Reader {
	return &Reader{command: command, limits: l}
}

// Read reads a configuration. What it says of virtual services is not parsed
// again where it is as in the last one that was valid.
//
// Mistakes in it, and that it costs too much to read it, are diagnostics; an
// error means that there was nothing to read, or that the child could not do its
// work.
func (r *Reader) Read(ctx context.Context, q Query) (Reading, error) {
	if n := r.stuck.Load(); n >= maxStuck {
		return Reading{}, fmt.Errorf("%d earlier attempts to read the configuration were killed but have not ended: check the disk or network file system that they wait for", n)
	}
	ctx, cancel := r.withDeadline(ctx)
	defer cancel()
	c, err := start(r.command)
	if err != nil {
		return Reading{}, fmt.Errorf("starting the process that reads the configuration: %w", err)
	}
	defer c.board.Close()
	var known map[config.Key]config.Block
	if !q.ValidateOnly {
		known = r.known()
	}
	stop := context.AfterFunc(ctx, c.kill)
	defer stop()
	answer, blocks, asked := c.ask(request{q, r.limits, len(known)}, known)
	how := death{asked: asked, late: context.Cause(ctx)}
	if c.ended() {
		how.state, how.words = c.cmd.ProcessState, c.words.String()
	} else {
		r.await(c)
	}
	switch {
	case asked == nil && answer.Failed != "":
		return Reading{}, errors.New(answer.Failed)
	case asked == nil:
		return r.take(answer, blocks, known, !q.Aside)
	}
	excess, err := r.limits.exceeded(how)
	if err != nil {
		return Reading{}, err
	}
	return Reading{Exceeded: true, Diagnostics: config.Diagnostics{blame(excess, oldest(c.board))}}, nil
}

func (r *Reader) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.limits.Duration == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, r.limits.Duration)
}

// await counts a child that could not be ended until it has ended after all.
func (r *Reader) await(c *child) {
	r.stuck.Add(1)
	go func() {
		<-c.done
		r.stuck.Add(-1)
	}()
}

// known returns the blocks of the last configuration; nobody changes them.
func (r *Reader) known() map[config.Key]config.Block {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// take puts a configuration together of what is new and what is known, and
// keeps its blocks for the next one if it is to run.
func (r *Reader) take(answer reply, blocks []config.Block, known map[config.Key]config.Block, runs bool) (Reading, error) {
	out := Reading{Unchanged: answer.Unchanged, Contents: answer.Contents, Diagnostics: answer.Diagnostics, NamesHost: answer.NamesHost, Files: answer.Files}
	if answer.Config == nil {
		return out, nil
	}
	if err := check(blocks, known); err != nil {
		return Reading{}, err
	}
	out.Config = config.Outcome{Config: answer.Config, Blocks: blocks}.Complete(known)
	if !runs {
		return out, nil
	}
	last := make(map[config.Key]config.Block, len(blocks))
	for _, b := range blocks {
		if b.Reused {
			b.Reused, b.Summary = false, known[b.Key].Summary
		}
		if b.Summary != nil {
			last[b.Key] = b
		}
	}
	r.mu.Lock()
	r.last = last
	r.mu.Unlock()
	return out, nil
}
