package keeper

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

const (
	// A keeper that ends is started again at once; one that keeps ending,
	// after a pause that doubles from firstPause to longestPause. One that
	// lived for steady begins anew.
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
	steady       = 30 * time.Second
)

// A Client is the director's end of the keeper: it starts the process when
// there is a router to run, starts it again when it has ended, sends it the
// newest desired state, and remembers its newest snapshot. Its methods are safe
// for concurrent use; none but Stop waits.
type Client struct {
	command string
	args    []string
	events  event.Sink
	follow  func([]*vrrp.Status, []vrrp.Event)
	kick    chan struct{} // there is something to tell
	changed chan struct{}
	done    chan struct{} // closed when no keeper runs and none will

	heartbeat atomic.Bool // is to be told
	watchdog  atomic.Pointer[Watchdog]
	// processors are those that the keeper is to run on.
	processors atomic.Pointer[[]int]
	watched    silence // of the keeper

	mu       sync.Mutex // guards what follows
	desired  *vrrp.Desired
	answers  []vrrp.Answer // that are to be told
	statuses []*vrrp.Status
	told     assembly
	history  history
	status   Status
	starts   uint64
	cause    string // why the keeper that runs is going to end, if that is known
	signed   vrrp.Sequence
	signedAt time.Time // when a keeper has told that; zero: none has
}

// Start returns a Client, whose events get what happens to the routers and to the
// keeper itself. Follow gets each report of the keeper as a whole, in their order: what
// has happened, and then how all routers are; nil: that is not said. Neither may block.
// The process is started by the first Set that names a router, or what is static, by
// a command that calls Main. When the context ends without a Stop, the keeper
// takes it for the director's death.
func Start(ctx context.Context, events event.Sink, follow func([]*vrrp.Status, []vrrp.Event), command string, args ...string) *Client {
	c := &Client{
		command: command,
		args:    args,
		events:  events,
		follow:  follow,
		desired: new(vrrp.Desired),
		history: make(history),
		kick:    make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	go c.supervise(ctx)
	return c
}

// Set makes these routers run, and no others. The newest Set wins, until Stop. What
// d refers to must not be changed afterwards.
func (c *Client) Set(d vrrp.Desired) {
	c.mu.Lock()
	if c.desired.Ending == vrrp.Running {
		c.desired = &d
		c.history.keep(d.Routers)
	}
	c.mu.Unlock()
	token(c.kick)
}

// Heartbeat reports that the director's loop is alive. It is to be called about
// every second.
func (c *Client) Heartbeat() {
	c.heartbeat.Store(true)
	token(c.kick)
}

// Feed makes the keeper feed a watchdog from now on, and no other. Without a device, it
// feeds none.
func (c *Client) Feed(w Watchdog) {
	c.watchdog.Store(&w)
	token(c.kick)
}

// Pin makes the keeper run on these processors, by their numbers; none: on all.
func (c *Client) Pin(processors []int) {
	c.processors.Store(&processors)
	token(c.kick)
}

// Answer answers the question of a router, which a status showed. A keeper that has been
// started since has no such question.
func (c *Client) Answer(a vrrp.Answer) {
	c.mu.Lock()
	if c.status.PID != 0 {
		c.answers = append(c.answers, a)
	}
	c.mu.Unlock()
	token(c.kick)
}

// Statuses returns the routers as the keeper reported them last. They are not
// changed any more.
func (c *Client) Statuses() []*vrrp.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.statuses
}

// Transitions returns the last transitions of each router, the newest first.
func (c *Client) Transitions() map[string][]Transition {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string][]Transition, len(c.history))
	for router, t := range c.history {
		all[router] = slices.Clone(t)
	}
	return all
}

// SignAfter has keepers sign with later sequences than this one, where replays are told
// by their order. It is to be called before the first Set.
func (c *Client) SignAfter(last vrrp.Sequence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed = last
}

// Signed returns the last such sequence that a keeper has reported, or what SignAfter was
// called with; zero: there is none.
func (c *Client) Signed() vrrp.Sequence {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signed
}

// mayHaveSigned returns a sequence that no keeper has signed after. The one that has ended
// may have gone on for a while after its last report.
func (c *Client) mayHaveSigned(now time.Time) vrrp.Sequence {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signedAt.IsZero() {
		return c.signed
	}
	return c.signed.Add(now.Sub(c.signedAt))
}

// Changed receives a token when Statuses has changed.
func (c *Client) Changed() <-chan struct{} { return c.changed }

// Status returns how the keeper itself is.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status
	s.Restarts = max(c.starts, 1) - 1
	return s
}

// Stop announces an orderly stop and waits until every router has handed over
// and the process has ended, or until the context ends.
func (c *Client) Stop(ctx context.Context) error {
	c.Set(vrrp.Desired{Ending: vrrp.Stopped})
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the keeper to hand over: %w", ctx.Err())
	}
}

// supervise keeps a keeper running as long as one is needed.
func (c *Client) supervise(ctx context.Context) {
	defer close(c.done)
	var resume []resumption
	var pause, next time.Duration
	for c.await(ctx, pause) {
		born := time.Now()
		why := c.live(ctx, resume)
		if c.newest().Ending != vrrp.Running || ctx.Err() != nil {
			return
		}
		died := time.Now()
		resume = c.masters(boottime())
		if pause = next; died.Sub(born) > steady {
			pause = 0
		}
		next = min(max(2*pause, firstPause), longestPause)
		when := "at once"
		attrs := []slog.Attr{slog.String("why", why), slog.Duration("lived", died.Sub(born).Round(time.Millisecond))}
		if pause > 0 {
			when = "after a pause"
			attrs = append(attrs, slog.Duration("pause", pause))
		}
		c.tell(event.Error, "keeper-ended", "the keeper has ended and is restarted "+when, attrs...)
	}
}

// await waits out a pause, and then until there is something to run. It reports
// whether there is one: after a stop there will be none.
func (c *Client) await(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for paused := false; ; {
		switch d := c.newest(); {
		case d.Ending != vrrp.Running || ctx.Err() != nil:
			return false
		case !d.Idle() && paused:
			return true
		}
		select {
		case <-timer.C:
			paused = true
		case <-c.kick:
		case <-ctx.Done():
		}
	}
}

func (c *Client) newest() *vrrp.Desired {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.desired
}

// next is what the keeper is to be told.
func (c *Client) next() (d *vrrp.Desired, answers []vrrp.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, answers, c.answers = c.desired, c.answers, nil
	return d, answers
}

// masters are the routers that were Master in the last snapshot of a keeper that has
// just ended. Its last advert is at most one interval old, and a peer waits for
// three, by default: for two more nobody takes over.
func (c *Client) masters(died time.Duration) []resumption {
	c.mu.Lock()
	defer c.mu.Unlock()
	var resume []resumption
	for _, s := range c.statuses {
		if s.State == vrrp.Master {
			resume = append(resume, resumption{Router: s.Name, Before: died + time.Duration(min(cmp.Or(s.MissedAdverts, 3), 3)-1)*s.Interval})
		}
	}
	return resume
}

// live starts a keeper, talks to it until it has ended, and returns why it has.
func (c *Client) live(ctx context.Context, resume []resumption) (why string) {
	c.mu.Lock()
	if c.starts++; c.starts > 1 { // also where the process cannot be started
		c.status.Restarted = time.Now()
	}
	c.cause = ""
	c.mu.Unlock()
	conn, cmd, words, err := c.spawn()
	if err != nil {
		return err.Error()
	}
	c.mu.Lock()
	c.status.PID = cmd.Process.Pid
	c.mu.Unlock()
	c.watched.sign()
	defer c.end()
	ended := make(chan struct{})
	var talk sync.WaitGroup
	talk.Go(func() { receive(conn, c.take) })
	talk.Go(func() { c.order(conn, resume, ended) })
	go c.guard(ctx, conn, cmd.Process, ended)
	err = cmd.Wait()
	close(ended)
	// What it said last is still in the socket, and then comes its end.
	_ = conn.SetReadDeadline(time.Now().Add(pulse))
	_ = conn.SetWriteDeadline(time.Now())
	talk.Wait()
	_ = conn.Close()
	c.mu.Lock()
	why = c.cause
	c.mu.Unlock()
	switch {
	case why != "":
	case err != nil:
		why = err.Error()
	default:
		why = "it ended by itself, without an error: somebody may have sent it SIGTERM"
	}
	if len(*words) > 0 { // what it said last
		why += ": " + string(*words)
	}
	return why
}

// spawn starts the process with its end of the socket pair, in a process group of
// its own: what is meant for the director's terminal does not reach it.
func (c *Client) spawn() (*os.File, *exec.Cmd, *head, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("making a socket pair for the keeper: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "keeper"), os.NewFile(uintptr(fds[1]), "director")
	defer theirs.Close()
	words := new(head)
	cmd := exec.Command(c.command, c.args...)
	cmd.Args[0] = "lvsd"                // for those who list processes; it is /proc/self/exe
	cmd.ExtraFiles = []*os.File{theirs} // It becomes file descriptor 3.
	cmd.Stderr = words
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := withPolicy(func() error { return withoutCapabilities(cmd.Start) }); err != nil {
		_ = ours.Close()
		return nil, nil, nil, fmt.Errorf("starting the keeper: %w", err)
	}
	return ours, cmd, words, nil
}

func (c *Client) end() {
	c.mu.Lock()
	c.status.PID, c.status.Process, c.status.Watchdog = 0, Process{}, WatchdogStatus{}
	c.status.Static, c.status.Affinity = nil, Affinity{}
	c.answers = nil
	c.mu.Unlock()
	token(c.changed)
}

// order sends the newest desired state whenever there is one to send, the first
// time with what only a new keeper is told.
func (c *Client) order(w io.Writer, resume []resumption, ended <-chan struct{}) {
	enc := json.NewEncoder(w)
	var sent *vrrp.Desired
	signed := c.mayHaveSigned(time.Now())
	var fed *Watchdog
	var pinned *[]int
	for {
		d, answers := c.next()
		o := order{Heartbeat: c.heartbeat.Swap(false) || sent == nil, Answers: answers}
		if w := c.watchdog.Load(); w != fed {
			o.Watchdog, fed = w, w
		}
		if p := c.processors.Load(); p != pinned {
			o.Processors, pinned = p, p
		}
		if d != sent {
			sent = d
			o.Desired, o.Keys, o.Resume, resume = d, keysOf(d.Routers), resume, nil
			o.Signed, signed = signed, 0
		}
		if enc.Encode(o) != nil {
			return
		}
		select {
		case <-c.kick:
		case <-ended:
			return
		}
	}
}

func (c *Client) take(s snapshot) {
	c.mu.Lock()
	var statuses []*vrrp.Status // nil: nothing is said of them
	if s.Renewed || len(s.Statuses) > 0 {
		now := time.Now()
		anchor(now, s.Statuses, c.statuses)
		if c.told.add(s.Report); c.told.unknown == 0 {
			c.statuses, c.status.Reported = c.told.all, now
			statuses = c.statuses
		}
	}
	if s.Process != nil {
		c.status.Process = *s.Process
	}
	c.status.Dropped += s.Dropped
	c.status.Unclaimed, c.status.Others, c.status.Watchdog = s.Unclaimed, s.Others, s.Watchdog
	c.status.Static, c.status.Affinity = s.Static, s.Affinity
	if s.Signed != 0 {
		c.signed, c.signedAt = s.Signed, time.Now()
	}
	pid := c.status.PID
	c.mu.Unlock()
	c.watched.sign()
	token(c.changed)
	switch p := s.Process; {
	case p != nil && p.Why != "":
		c.tell(event.Warning, "keeper-limited", "the keeper is running with limitations", slog.Int("pid", pid), slog.String("why", p.Why))
	case p != nil:
		c.tell(event.Info, "keeper-runs", "the keeper is running", slog.Int("pid", pid))
	}
	for _, e := range s.Events {
		c.mu.Lock()
		c.history.note(time.Now(), e)
		if e.Code == directorLost {
			c.cause = fmt.Sprintf("it handed over, because lvsd did not respond for %v", patience*pulse)
		}
		c.mu.Unlock()
		c.events(exported(e))
	}
	c.follow(statuses, s.Events)
}

// jitter is how long a snapshot may be on its way. A new keeper takes longer.
const jitter = 100 * time.Millisecond

// anchor makes the moments of statuses those of this process's clocks, with its
// monotonic one, so that setting the time changes no duration. A router that is in
// the state that it was in before has entered it when it had. Both are in the order of
// the names, of which a router that ends and its successor may have the same.
func anchor(now time.Time, statuses []vrrp.Status, before []*vrrp.Status) {
	for i := range statuses {
		s := &statuses[i]
		if s.Since.IsZero() {
			continue
		}
		s.Since = now.Add(-s.Age)
		j, _ := slices.BinarySearchFunc(before, s.Name, func(b *vrrp.Status, name string) int { return strings.Compare(b.Name, name) })
		for ; j < len(before) && before[j].Name == s.Name; j++ {
			if b := before[j]; b.State == s.State && b.Since.Sub(s.Since).Abs() < jitter {
				s.Since = b.Since
			}
		}
	}
}

// tell makes an event of what happened to the keeper itself.
func (c *Client) tell(severity slog.Level, code, text string, attrs ...slog.Attr) {
	c.events(event.Event{At: time.Now(), Severity: severity, Code: code, Text: text, Attributes: attrs})
}

// exported is an event of a router as the rest of the daemon knows events.
func exported(e vrrp.Event) event.Event {
	out := event.Event{At: e.At, Severity: event.Info, Code: e.Code, Subject: e.Router, Text: e.Text}
	if e.Level >= slog.LevelWarn {
		out.Severity = event.Warning
	}
	if e.Router != "" {
		out.Attributes = append(out.Attributes, slog.String("router", e.Router))
	}
	if e.Changed() {
		out.Text = "virtual router is " + string(e.To)
		out.Attributes = append(out.Attributes, slog.String("was", string(e.From)), slog.String("why", e.Text))
	}
	return out
}

// guard kills a keeper that shows no sign of life, since its peers have taken
// over long ago, and lets it see the director's end when the context ends.
func (c *Client) guard(ctx context.Context, conn io.Closer, p *os.Process, ended <-chan struct{}) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			_ = conn.Close()
			return
		case <-tick.C:
		}
		if c.watched.missed() {
			// Another director is Master by now.
			c.mu.Lock()
			c.statuses = nil
			c.cause = fmt.Sprintf("it showed no sign of life for %v and was killed", patience*pulse)
			c.mu.Unlock()
			_ = p.Kill()
			return
		}
	}
}
