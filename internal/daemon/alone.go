package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/control"
)

// aloneName is an abstract Unix socket: the kernel has one of that name for each
// network namespace, as it has one IPVS table, and it ends with its process.
const aloneName = "@lvsd"

// serviceUser is the user that lvsd.service runs as.
const serviceUser = "lvsd"

// errStranger is wrapped where a process holds the socket that can be no lvsd.
var errStranger = errors.New("cannot tell whether another lvsd runs in this network namespace")

// onlyOne refuses to run beside another daemon. That one cannot be told is no
// reason not to run.
func onlyOne(ctx context.Context, log *slog.Logger) error {
	err := alone(context.WithoutCancel(ctx), aloneName)
	if errors.Is(err, errStranger) {
		log.Warn("starting without the lock that keeps a second lvsd out", "event", "namespace-unlocked", "error", err)
		return nil
	}
	return err
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

// refusal tells what the holder of the socket is to a daemon that starts.
func refusal(holder *unix.Ucred) error {
	service, err := user.Lookup(serviceUser)
	if holder.Uid != 0 && int(holder.Uid) != os.Geteuid() && (err != nil || service.Uid != strconv.Itoa(int(holder.Uid))) {
		return fmt.Errorf("%w: process %d of user %d has the socket that would show it; end that process", errStranger, holder.Pid, holder.Uid)
	}
	return fmt.Errorf("another lvsd (process %d) runs in this network namespace, and there can be one in each: "+
		"stop that one, or start this one in a network namespace of its own, with its own --state-dir and --socket", holder.Pid)
}
