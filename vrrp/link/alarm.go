package link

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm wakes the loop of the routers at a time. Go's own timers wait in whole
// milliseconds (epoll_wait(2)) and are up to one late, wherever something else has woken the
// process on the way; a timer of the kernel (timerfd_create(2)) is not.
type alarm struct {
	file *os.File
	raw  syscall.RawConn
	spec unix.ItimerSpec // only set's
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("making a timer: %w", err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "alarm")}
	if a.raw, err = a.file.SyscallConn(); err != nil {
		a.close()
		return nil, fmt.Errorf("making a timer: %w", err)
	}
	return a, nil
}

// set has the alarm wake at this time and no other; zero: at none.
func (a *alarm) set(at time.Time) {
	a.spec = unix.ItimerSpec{}
	if !at.IsZero() {
		a.spec.Value = unix.NsecToTimespec(max(1, time.Until(at).Nanoseconds())) // zero would be none
	}
	_ = a.raw.Control(func(fd uintptr) { _ = unix.TimerfdSettime(int(fd), 0, &a.spec, nil) }) // It fails only where it is closed.
}

// watch puts a token into wake whenever it is time, until the alarm is closed.
func (a *alarm) watch(wake chan struct{}) {
	var times [8]byte
	_ = a.raw.Read(func(fd uintptr) bool {
		if _, err := unix.Read(int(fd), times[:]); err == nil {
			token(wake)
		}
		return false
	})
}

func (a *alarm) close() { _ = a.file.Close() }
