package connections

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/lvsd/lvsd/ipvsctl"
)

// An Edge is the kernel's list of connections, and the network.
type Edge interface {
	// Connections opens the list of this network namespace (/proc/net/ip_vs_conn).
	Connections() (io.ReadCloser, error)
	// Dial opens a way to those who listen as a sync daemon does, and Listen listens
	// beside the kernel's until ctx ends.
	Dial(ipvsctl.SyncDaemon) (Line, error)
	Listen(context.Context, ipvsctl.SyncDaemon) (Ear, error)
}

// An Ear hears what is told, but for the connections, which are the kernel's.
type Ear interface {
	// Hear waits for a message without a connection, and reads it as far as b has room.
	Hear(b []byte) (n int, err error)
}

// A Line is a way to those who listen.
type Line interface {
	Send(datagram []byte) error
	// Room is how long a datagram may be, in bytes.
	Room() int
	Close() error
}

// A Telling is what others are told, and how.
type Telling struct {
	Daemon ipvsctl.SyncDaemon
	// Table is the one that the connections are of.
	Table ipvsctl.Table
	// Rules are those by which packets have firewall marks.
	Rules ipvsctl.Ruleset
	// Every is how often all of them are told of, and Rate how many in a second at most.
	Every time.Duration
	Rate  int
}

// A Round is what came of telling once.
type Round struct {
	Connections int // that were told of
	Took        time.Duration
	Err         error
}

// A Teller tells others of all connections, while Run runs.
type Teller struct {
	edge   Edge
	report func(Round)
	wake   chan struct{}

	mu   sync.Mutex
	what *Telling // nil: nobody is told of anything
}

// NewTeller returns one that tells of nothing yet. What came of each round is given to
// report.
func NewTeller(e Edge, report func(Round)) *Teller {
	return &Teller{edge: e, report: report, wake: make(chan struct{}, 1)}
}

// Set says what is to be told from now on; nil: nothing. It waits for nobody, and the newest
// counts.
func (t *Teller) Set(what *Telling) {
	t.mu.Lock()
	defer t.mu.Unlock()
	woken := (what == nil) != (t.what == nil)
	t.what = what
	if woken {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

func (t *Teller) newest() *Telling {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.what
}

// Run tells until ctx ends, and returns nil then. What fails is tried again at the next
// round.
func (t *Teller) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-timer.C:
		}
		what := t.newest()
		if what == nil {
			timer.Stop()
			continue
		}
		begun := time.Now()
		r := t.round(ctx, what, begun)
		r.Took = time.Since(begun)
		if ctx.Err() == nil && !errors.Is(r.Err, errOver) {
			t.report(r)
		}
		timer.Reset(max(what.Every-r.Took, 0))
	}
}

// errOver is that nothing is to be told any more.
var errOver = errors.New("nothing is to be told any more")

// round tells of all connections once.
func (t *Teller) round(ctx context.Context, what *Telling, now time.Time) (r Round) {
	line, err := t.edge.Dial(what.Daemon)
	if err != nil {
		return Round{Err: err}
	}
	defer line.Close()
	list, err := t.edge.Connections()
	if err != nil {
		return Round{Err: err}
	}
	defer list.Close()
	say := func(m mark) error {
		if line.Room() < markLength {
			return nil
		}
		return line.Send(m.bytes(what.Daemon.ID))
	}
	round := mark{round: uint64(now.UnixNano())}
	if err := say(round); err != nil {
		return Round{Err: err}
	}
	d, p := newDatagram(what.Daemon.ID, line.Room()), pace{begun: now, rate: what.Rate}
	send := func() error {
		b := d.bytes()
		if b == nil {
			return nil
		}
		if err := line.Send(b); err != nil {
			return err
		}
		r.Connections += d.count
		wait := p.wait(time.Now(), d.count)
		d.clear()
		return t.sleep(ctx, wait)
	}
	x := newIndex(what.Table, what.Rules)
	r.Err = each(list, func(c *Connection) error {
		w, known := x.wayOf(c)
		if !known || d.add(c, w) {
			return nil
		}
		if err := send(); err != nil {
			return err
		}
		d.add(c, w)
		return nil
	})
	if r.Err == nil {
		r.Err = send()
	}
	if round.ends = true; r.Err == nil {
		r.Err = say(round)
	}
	return r
}

// sleep waits, and returns an error where nothing is to be told any more.
func (t *Teller) sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
		}
	}
	if t.newest() == nil {
		return errOver
	}
	return nil
}

// listBuffer is for one read of the list. A line is much shorter.
const listBuffer = 32 << 10

// each calls f with every connection of a list, until it returns an error. A line that is
// none, as the heads of the columns, is passed over.
func each(list io.Reader, f func(*Connection) error) error {
	lines := bufio.NewReaderSize(list, listBuffer)
	var c Connection // one for all
	for {
		line, err := lines.ReadSlice('\n')
		var bad error
		if c, bad = Parse(line); bad == nil {
			if err := f(&c); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			// What follows is the rest of a line that is none.
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the kernel's list of connections: %w", err)
		}
	}
}
