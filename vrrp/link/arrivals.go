package link

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Arrivals tell which of many sockets have something to read. Go's own poller would be
// woken by each packet, whether anybody waits for it or not: under a flood that costs more
// than all the rest. So the sockets are watched by an epoll instance, which tells of each of
// them once (EPOLLONESHOT) and then not until it is asked again; Go's poller watches that
// instance.
type arrivals[S any] struct {
	file *os.File // the epoll instance
	raw  syscall.RawConn

	mu      sync.Mutex
	sockets map[int]S // by their file descriptors
	// told are those that the instance has told of and was not asked for since.
	told   []int
	events [64]unix.EpollEvent

	ready []S // what is handed out
}

func newArrivals[S any]() (*arrivals[S], error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watching sockets: %w", err)
	}
	err = unix.SetNonblock(fd, true)
	a := &arrivals[S]{file: os.NewFile(uintptr(fd), "arrivals"), sockets: make(map[int]S)}
	if err == nil {
		a.raw, err = a.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watching sockets: %w", err), a.file.Close())
	}
	return a, nil
}

// add watches a socket.
func (a *arrivals[S]) add(fd int, s S) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var err error
	control := a.raw.Control(func(instance uintptr) { err = ask(instance, unix.EPOLL_CTL_ADD, fd) })
	if err = errors.Join(control, err); err != nil {
		return fmt.Errorf("watching a socket: %w", err)
	}
	a.sockets[fd] = s
	return nil
}

// remove is called before a socket is closed.
func (a *arrivals[S]) remove(fd int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sockets, fd)
	for i, told := range a.told {
		if told == fd {
			a.told = append(a.told[:i], a.told[i+1:]...)
			return
		}
	}
}

// ask asks to be told once when there is something to read.
func ask(instance uintptr, how, socket int) error {
	return unix.EpollCtl(int(instance), how, socket, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(socket)})
}

// take returns the sockets that may have something to read. It is for one goroutine, until
// it calls it again.
func (a *arrivals[S]) take() []S {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.raw.Control(a.collect)
	a.ready = a.ready[:0]
	for _, fd := range a.told {
		a.ready = append(a.ready, a.sockets[fd])
	}
	return a.ready
}

// collect notes of which sockets the instance tells.
func (a *arrivals[S]) collect(instance uintptr) {
	for {
		n, err := unix.EpollWait(int(instance), a.events[:], 0)
		if err != nil {
			return // It never waits, so that nothing interrupts it.
		}
		for _, e := range a.events[:n] {
			if _, there := a.sockets[int(e.Fd)]; there {
				a.told = append(a.told, int(e.Fd))
			}
		}
		if n < len(a.events) {
			return
		}
	}
}

// watch puts a token into wake when packets have arrived, not more often than it is told
// to, until it is closed. It reads none: the loop does that when it is ready to.
func (a *arrivals[S]) watch(wake chan struct{}, every time.Duration) {
	_ = a.raw.Read(func(instance uintptr) bool {
		a.mu.Lock()
		a.collect(instance)
		some := len(a.told) > 0
		a.mu.Unlock()
		if some {
			token(wake)
			time.Sleep(every)
			a.again(instance)
		}
		return false
	})
}

// again asks for the sockets that were told of. Their next packets may be there already.
func (a *arrivals[S]) again(instance uintptr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, fd := range a.told {
		_ = ask(instance, unix.EPOLL_CTL_MOD, fd)
	}
	a.told = a.told[:0]
}

func (a *arrivals[S]) close() { _ = a.file.Close() }

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
