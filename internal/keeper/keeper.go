package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/orders"
	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

// socketFD is the keeper's end of the socket pair.
const socketFD = 3

// An Edge is what a Session of virtual routers needs of the kernel; vrrp/link
// has it.
type Edge interface {
	vrrp.Link
	vrrp.Holder
	// Run watches the interfaces until the context ends.
	Run(ctx context.Context) error
}

// A keeper is the state of the keeper's process.
type keeper struct {
	conn    *os.File
	session *vrrp.Session
	begun   chan struct{} // closed when the session runs
	longest time.Duration // time that a hand-over takes
	watched silence       // of the director
	ending  vrrp.Ending   // as the session was told
	orderly bool          // the director itself announced it
	others  others
	pinning pinning
	feeder  *feeder

	kick    chan struct{} // there is something to send
	mu      sync.Mutex
	pending snapshot // what is to be sent, but for what the session knows
	foreign int      // sockets of others
	runs    Affinity
}

// Main is the life of the keeper's process. It expects the socket to the
// director as file descriptor 3, and returns when the routers have handed over.
// The file at path lock, if one is named, is locked as long as a keeper runs, so
// that a new one does not begin while another hands over. Open opens the network, which
// may report events.
func Main(lock string, open func(report func(vrrp.Event)) (Edge, error)) error {
	sa, _ := unix.Getsockname(socketFD) // nil where there is none
	if _, ok := sa.(*unix.SockaddrUnix); !ok {
		return errors.New("the keeper is started by \"lvsd run\", not by hand: file descriptor 3 is not a socket to a director")
	}
	process := prepare()
	signal.Ignore(unix.SIGINT, unix.SIGHUP)
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM)
	if orders.End() {
		return nil
	}

	unix.CloseOnExec(socketFD)
	if err := unix.SetNonblock(socketFD, true); err != nil {
		return fmt.Errorf("preparing the socket to the director: %w", err)
	}
	k := &keeper{conn: os.NewFile(socketFD, "director"), begun: make(chan struct{}),
		kick: make(chan struct{}, 1), pending: snapshot{Process: &process}}
	edge, err := open(k.event)
	if err != nil {
		return fmt.Errorf("opening the network: %w", err)
	}
	k.session = vrrp.NewSession(edge, edge, k.event)
	k.feeder = newFeeder(openWatchdog, func() bool { return k.session.Responds(pulse) }, k.event)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := make(chan struct{})
	go func() { defer close(left); _ = edge.Run(ctx) }()
	go k.feeder.run(k.begun)
	k.run(lock, term)
	cancel()
	patience := time.After(leaveWithin)
	select { // It removes what it has made.
	case <-left:
	case <-patience:
	}
	k.feeder.end(patience)
	return nil
}

// leaveWithin bounds how long a keeper that has ended waits for the kernel.
const leaveWithin = 2 * time.Second

// run follows the director until the routers have stopped.
func (k *keeper) run(lock string, term <-chan os.Signal) {
	orders := make(chan order)
	go func() { defer close(orders); receive(k.conn, func(o order) { orders <- o }) }()
	ended := make(chan struct{})
	sent := make(chan struct{})
	go func() { defer close(sent); k.send(ended) }()
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	collect := time.NewTicker(collectEvery)
	defer collect.Stop()
	settle := time.After(settled)
	waiting := acquire(lock)
	lockTimer := time.NewTimer(k.lockPatience())
	begin := func() {
		waiting = nil
		close(k.begun)
		go func() { k.session.Run(context.Background()); close(ended) }()
	}
	for {
		select {
		case o, ok := <-orders:
			if ok {
				k.obey(o)
			} else {
				orders = nil
				k.abandon("the director has ended")
			}
			lockTimer.Reset(k.lockPatience())
		case <-term:
			k.terminate()
		case <-tick.C:
			if k.watched.missed() {
				k.abandon("the director's loop does not respond")
			}
			if waiting == nil { // The keeper before it is gone.
				k.lookForOthers()
			}
		case <-collect.C:
			alone(runtime.GC)
		case <-settle:
			giveBack(unused)
		case err := <-waiting:
			if err != nil {
				k.warn("keeper-unlocked", "continuing without the lock that keeps a second keeper out: "+err.Error())
			}
			begin()
		case <-lockTimer.C:
			if waiting != nil {
				k.warn("keeper-beside", "the previous keeper has not ended; starting alongside it")
				begin()
			}
		case <-ended:
			<-sent
			return
		}
		if waiting != nil && k.ending != vrrp.Running {
			return // It has not begun.
		}
	}
}

// lockPatience is how long another keeper may take to hand over.
func (k *keeper) lockPatience() time.Duration {
	return max(k.longest, 4*time.Second) + 2*time.Second
}

// obey follows an order.
func (k *keeper) obey(o order) {
	if o.Heartbeat {
		k.watched.sign()
	}
	if o.Processors != nil {
		runs := k.pinning.pin(*o.Processors)
		k.mu.Lock()
		k.runs = runs
		k.mu.Unlock()
		token(k.kick)
	}
	if o.Watchdog != nil {
		k.feeder.want(*o.Watchdog)
	}
	for _, a := range o.Answers {
		k.session.Answer(a)
	}
	if o.Desired == nil {
		return
	}
	giveKeys(o.Desired.Routers, o.Keys)
	for _, c := range o.Desired.Routers {
		k.longest = max(k.longest, c.HandOver())
	}
	if o.Desired.Ending != vrrp.Running {
		k.ending, k.orderly = o.Desired.Ending, true
	}
	o.Desired.Resume, o.Desired.Signed = resumptions(time.Now(), boottime(), o.Resume), o.Signed
	k.session.Set(*o.Desired)
}

// end makes the session end.
func (k *keeper) end(how vrrp.Ending) {
	k.ending = how
	k.session.Set(vrrp.Desired{Ending: how})
}

// terminate hands over, unless that is being done for a director that is gone. A
// service manager that cleans up after a killed director may be sooner than the
// end of its socket, which then turns Stopped into Abandoned.
func (k *keeper) terminate() {
	if k.ending != vrrp.Abandoned {
		k.end(vrrp.Stopped)
	}
}

// abandon hands over for a director that is gone, and leaves the addresses
// where nobody takes over.
func (k *keeper) abandon(why string) {
	if k.ending == vrrp.Abandoned || k.orderly {
		return
	}
	k.warn(directorLost, why+": handing over")
	k.end(vrrp.Abandoned)
}

func (k *keeper) warn(code, text string) {
	k.event(vrrp.Event{At: time.Now(), Code: code, Level: slog.LevelWarn, Text: text})
}

// acquire locks a file. What it returns receives nil when the file is locked, or
// why it cannot be. It waits for nothing, not even for the disk that the file is
// on.
func acquire(path string) <-chan error {
	result := make(chan error, 1)
	go func() { result <- lock(path) }()
	return result
}

// lock waits until a file is locked, if one is named. The lock ends with the
// process: the file descriptor is a bare one, which no garbage collection closes.
func lock(path string) error {
	for path != "" {
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err == nil {
			if err = unix.Flock(fd, unix.LOCK_EX); err == nil {
				return nil
			}
			_ = unix.Close(fd)
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("locking %s: %w", path, err)
		}
	}
	return nil
}

// event adds an event to what is to be sent; it never waits.
func (k *keeper) event(e vrrp.Event) {
	k.mu.Lock()
	if len(k.pending.Events) < maxEvents {
		k.pending.Events = append(k.pending.Events, e)
	} else {
		k.pending.Dropped++
	}
	k.mu.Unlock()
	token(k.kick)
}

// send sends the director the newest state: at once after a change, else with
// every pulse. It may wait for a director that does not read; nobody waits for
// it.
func (k *keeper) send(ended <-chan struct{}) {
	enc := json.NewEncoder(k.conn)
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		last := false
		select {
		case <-tick.C:
		case <-k.kick:
		case <-k.session.Changed():
		case <-ended:
			last = true
			_ = k.conn.SetWriteDeadline(time.Now().Add(pulse / 4))
		}
		k.mu.Lock()
		s := k.pending
		k.pending = snapshot{}
		s.Others, s.Affinity = k.foreign, k.runs
		k.mu.Unlock()
		select {
		case <-k.begun:
			s.Report = k.session.Report()
			if s.More {
				token(k.kick)
			}
		default: // It waits for the keeper before it, and is alive.
		}
		s.Unclaimed, s.Signed = k.session.Unclaimed(), k.session.Signed()
		s.Watchdog, s.Static = k.feeder.status(), k.session.Static()
		if enc.Encode(s) != nil || last {
			return
		}
		time.Sleep(spacing)
	}
}

// betweenLooks is how many pulses pass from one look to the next:
// each leaves some garbage in a process whose memory stays locked.
const betweenLooks = 5

// lookForOthers looks for other daemons that speak VRRP now and then, and tells
// of them.
func (k *keeper) lookForOthers() {
	if k.others.skip--; k.others.skip > 0 {
		return
	}
	k.others.skip = betweenLooks
	n := k.others.look()
	k.mu.Lock()
	was := k.foreign
	k.foreign = n
	k.mu.Unlock()
	switch {
	case n == was:
		return
	case was == 0:
		k.warn("vrrp-others", "another daemon on this machine speaks VRRP: stop and disable it (ss --raw --processes names it)")
	case n == 0:
		k.event(vrrp.Event{At: time.Now(), Code: "vrrp-others-gone", Text: "no other daemon on this machine speaks VRRP any more"})
	}
	token(k.kick)
}
