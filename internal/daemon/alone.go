package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/keyfile"
)

// aloneName is an abstract Unix socket: the kernel has one of that name for each
// network namespace, as it has one IPVS table, and it ends with its process.
const aloneName = "@lvsd"

// aloneAgain is the time between two tries to get it.
const aloneAgain = 10 * time.Second

// errStranger is wrapped where a process holds the socket that can be no lvsd.
var errStranger = errors.New("cannot tell whether another lvsd runs in this network namespace")

// A solitary keeps other daemons out of this network namespace.
type solitary struct {
	mu  sync.Mutex
	err error // why it does not; nil: it does
}

// onlyOne refuses to run beside another daemon, and keeps others out until ctx
// ends. That one cannot be told is no reason not to run: it is tried again every
// so often.
func onlyOne(ctx context.Context, name string, again time.Duration, tell event.Sink) (*solitary, error) {
	err := alone(ctx, name)
	s := &solitary{err: err}
	if !errors.Is(err, errStranger) {
		return s, err
	}
	tell(event.Event{At: time.Now(), Severity: event.Warning, Code: director.NamespaceUnlocked,
		Text: "a second lvsd in this network namespace would not be noticed: " + err.Error()})
	go s.retry(ctx, name, again, tell)
	return s, nil
}

// retry ends when the others are kept out.
func (s *solitary) retry(ctx context.Context, name string, again time.Duration, tell event.Sink) {
	for s.Err() != nil {
		time.Sleep(again)
		if ctx.Err() != nil {
			return
		}
		err := alone(ctx, name)
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	tell(event.Event{At: time.Now(), Severity: event.Info, Code: "namespace-locked", Text: "a second lvsd in this network namespace is kept out again"})
}

// Err tells why a second daemon would not be kept out, if it would not.
func (s *solitary) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// alone keeps other daemons out of this network namespace, whatever their
// directories, until ctx ends. Everybody may bind the name, so that a holder
// counts only if the kernel says that it is root, our user, or lvsd's: whoever
// else has it is the reason of an errStranger, with which the daemon can go on.
func alone(ctx context.Context, name string) error {
	var l net.Listener
	var err error
	for range 10 { // A daemon that has just begun does not listen yet, or ends.
		if l, err = new(net.ListenConfig).Listen(ctx, "unix", name); err == nil {
			go hold(ctx, l)
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: %w", errStranger, err)
		}
		var holder *unix.Ucred
		if holder, err = holderOf(name); err == nil {
			return refusal(holder)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%w: some process has the socket %s, but does not answer on it: %w", errStranger, name, err)
}

// hold answers whoever asks, so that nobody can fill the socket's queue, until
// ctx ends.
func hold(ctx context.Context, l net.Listener) {
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for ctx.Err() == nil {
		c, err := l.Accept()
		if err != nil {
			time.Sleep(100 * time.Millisecond) // There is no file descriptor left.
			continue
		}
		_ = c.Close()
	}
}

// holderOf asks the kernel who listens on a socket: who it was when it began.
func holderOf(name string) (*unix.Ucred, error) {
	c, err := net.DialTimeout("unix", name, time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return control.Peer(c.(*net.UnixConn))
}

// trusted reports whether the holder can be an lvsd of this machine.
func trusted(holder *unix.Ucred) bool {
	service, err := user.Lookup(keyfile.Service)
	return holder.Uid == 0 || int(holder.Uid) == os.Geteuid() || err == nil && service.Uid == strconv.Itoa(int(holder.Uid))
}

// refusal tells what the holder of the socket is to a daemon that starts.
func refusal(holder *unix.Ucred) error {
	if !trusted(holder) {
		return fmt.Errorf("%w: process %d of user %d has the socket that would show it", errStranger, holder.Pid, holder.Uid)
	}
	return fmt.Errorf("another lvsd (process %d) runs in this network namespace, and there can be one in each: "+
		"stop that one, or start this one in a network namespace of its own, with its own --state-dir and --socket", holder.Pid)
}
