package link

import (
	"fmt"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

// OpenEars opens sockets on ports for a Link in another process, which takes
// time to start: it inherits them. A port that cannot be listened on now has
// none; the Link will say why.
func OpenEars(ports []vrrp.Port) []vrrp.Ear {
	ears := make([]vrrp.Ear, 0, len(ports))
	for _, p := range ports {
		if e, err := openEar(p); err == nil {
			ears = append(ears, e)
		}
	}
	return ears
}

func openEar(p vrrp.Port) (vrrp.Ear, error) {
	index, err := runningIndex(p.Interface)
	if err != nil {
		return vrrp.Ear{}, err
	}
	fd, err := openRaw(p, index)
	if err != nil {
		return vrrp.Ear{}, err
	}
	return vrrp.Ear{Port: p, Index: index, FD: fd, Since: clock()}, nil
}

// runningIndex returns the index of an interface that is up and has a carrier.
func runningIndex(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, r); err != nil {
		return 0, err
	}
	const running = unix.IFF_UP | unix.IFF_RUNNING
	if r.Uint16()&running != running {
		return 0, fmt.Errorf("interface %s is down", name)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, r); err != nil {
		return 0, err
	}
	return int(r.Uint32()), nil
}

// clock reads the clock that all processes of the machine share.
func clock() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // It fails for a bad address only.
	return time.Duration(now.Nano())
}

// Inherit takes over the sockets that another process opened. The Listen that
// follows makes use of them, and closes those that do not fit.
func (l *Link) Inherit(ears []vrrp.Ear) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ears = make(map[vrrp.Port]vrrp.Ear, len(ears))
	for _, e := range ears {
		unix.CloseOnExec(e.FD)
		l.ears[e.Port] = e
	}
}

// socket returns a socket for a port: the ear, where there is one on this very
// interface, or a new one.
func (l *Link) socket(p vrrp.Port, index int) (*socket, error) {
	l.mu.Lock()
	e, ok := l.ears[p]
	ok = ok && e.Index == index
	if ok {
		delete(l.ears, p)
	}
	l.mu.Unlock()
	// Handing it over may have made it a blocking one.
	if !ok || unix.SetNonblock(e.FD, true) != nil {
		return openSocket(p, index)
	}
	s, err := newSocket(e.FD, p, index)
	if err == nil {
		s.since = time.Now().Add(e.Since - clock())
	}
	return s, err
}

// deafen closes the ears of which nothing became once ports were wanted: what
// waits in them grows old.
func (l *Link) deafen(want map[vrrp.Port]bool) {
	if len(want) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.ears {
		_ = unix.Close(e.FD)
	}
	l.ears = nil
}
