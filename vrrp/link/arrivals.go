package link

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Arrivals tell that packets have arrived at a socket. Go's own poller would be
// woken by each packet, whether anybody waits for it or not: under a flood that
// costs more than all the rest. So the socket is watched by an epoll instance of
// its own, which says so once (EPOLLONESHOT) and then not until it is asked again;
// Go's poller watches that instance.
type arrivals struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn
	of   int // the socket
}

// arrivalsAt watches a socket.
func arrivalsAt(socket int) (a arrivals, err error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return a, fmt.Errorf("watching a socket: %w", err)
	}
	err = errors.Join(unix.SetNonblock(fd, true), a.ask(fd, unix.EPOLL_CTL_ADD, socket))
	a.file, a.of = os.NewFile(uintptr(fd), "arrivals"), socket
	if err == nil {
		a.raw, err = a.file.SyscallConn()
	}
	if err != nil {
		return a, errors.Join(fmt.Errorf("watching a socket: %w", err), a.file.Close())
	}
	return a, nil
}

// ask asks to be told once when there is something to read.
func (arrivals) ask(fd, how, socket int) error {
	return unix.EpollCtl(fd, how, socket, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
}

// watch puts a token into wake when packets have arrived, not more often than it
// is told to, until the socket is closed. It reads none: the loop does that when
// it is ready to.
func (a arrivals) watch(wake chan struct{}, every time.Duration) {
	var told [1]unix.EpollEvent
	_ = a.raw.Read(func(fd uintptr) bool {
		_, _ = unix.EpollWait(int(fd), told[:], 0)
		token(wake)
		time.Sleep(every)
		// The next ones may be there already. Where the socket is closed, so is
		// the instance.
		return a.ask(int(fd), unix.EPOLL_CTL_MOD, a.of) != nil
	})
}

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
