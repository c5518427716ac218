package link

import (
	"errors"
	"fmt"
	"os"
	"slices"
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
	// told are those of which the instance has told the watcher, and taken those of which it
	// has told each. It was not asked for them since.
	told, taken []int
	events      [64]unix.EpollEvent
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
	is := func(other int) bool { return other == fd }
	a.told, a.taken = slices.DeleteFunc(a.told, is), slices.DeleteFunc(a.taken, is)
}

// ask asks to be told once when there is something to read.
func ask(instance uintptr, how, socket int) error {
	return unix.EpollCtl(int(instance), how, socket, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(socket)})
}

// each calls f, which reads, for the sockets that may have something to read: also for those
// of which the watcher has not heard yet, as after a stall. It never will, so that each asks
// for them itself.
func (a *arrivals[S]) each(f func(S)) {
	_ = a.raw.Control(func(instance uintptr) {
		a.mu.Lock()
		a.taken = a.collect(instance, a.taken)
		ready := make([]S, 0, len(a.told)+len(a.taken))
		for _, fd := range slices.Concat(a.told, a.taken) {
			ready = append(ready, a.sockets[fd])
		}
		a.mu.Unlock()
		for _, s := range ready {
			f(s)
		}
		a.again(instance, &a.taken)
	})
}

// collect appends the sockets of which the instance tells.
func (a *arrivals[S]) collect(instance uintptr, all []int) []int {
	for {
		n, err := unix.EpollWait(int(instance), a.events[:], 0)
		if err != nil {
			return all // It never waits, so that nothing interrupts it.
		}
		for _, e := range a.events[:n] {
			if _, there := a.sockets[int(e.Fd)]; there {
				all = append(all, int(e.Fd))
			}
		}
		if n < len(a.events) {
			return all
		}
	}
}

// watch puts a token into wake when packets have arrived, not more often than it is told
// to each time, until it is closed. It reads none: the loop does that when it is ready to.
func (a *arrivals[S]) watch(wake chan struct{}, every func() time.Duration) {
	_ = a.raw.Read(func(instance uintptr) bool {
		a.mu.Lock()
		a.told = a.collect(instance, a.told)
		some := len(a.told) > 0
		a.mu.Unlock()
		if some {
			token(wake)
			time.Sleep(every())
			a.again(instance, &a.told)
		}
		return false
	})
}

// again asks for sockets anew. Their next packets may be there already.
func (a *arrivals[S]) again(instance uintptr, all *[]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, fd := range *all {
		_ = ask(instance, unix.EPOLL_CTL_MOD, fd)
	}
	*all = (*all)[:0]
}

func (a *arrivals[S]) close() { _ = a.file.Close() }

// token puts one in, unless there is one already.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
