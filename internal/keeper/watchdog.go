package keeper

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/vrrp"
)

// The codes of events about the watchdog.
const (
	watchdogUnfed    = "watchdog-unfed"
	watchdogFed      = "watchdog-fed"
	watchdogReleased = "watchdog-released"
)

// tryAgain is how long after a failure a watchdog is opened again: its driver may be
// loaded later, or whoever has it may let go.
const tryAgain = 10 * time.Second

// A dog is a watchdog that is open, so that the machine is reset when it is not fed.
type dog interface {
	// timeout is the device's own, which may be rounded.
	timeout() time.Duration
	feed() error
	// release stops it, and closes it. One that is closed without that goes on.
	release() error
}

// A feeder feeds a watchdog as long as the loop that keeps the adverts is on time.
type feeder struct {
	open   func(Watchdog) (dog, error)
	onTime func() bool
	report func(vrrp.Event)
	ending chan struct{} // closed when nothing is to be fed any more
	ended  chan struct{}

	mu     sync.Mutex
	wanted Watchdog
	is     WatchdogStatus

	// What follows belongs to the goroutine that feeds.
	dog     dog // nil: none is open
	has     Watchdog
	retryAt time.Time
	told    string // the failure that was told last
}

func newFeeder(open func(Watchdog) (dog, error), onTime func() bool, report func(vrrp.Event)) *feeder {
	return &feeder{open: open, onTime: onTime, report: report, ending: make(chan struct{}), ended: make(chan struct{})}
}

// want makes this the watchdog to be fed.
func (f *feeder) want(w Watchdog) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted = w
}

func (f *feeder) status() WatchdogStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.is
}

// run feeds from when the routers run until end. The device may keep it waiting;
// nobody else waits for it.
func (f *feeder) run(begun <-chan struct{}) {
	defer close(f.ended)
	select {
	case <-begun:
	case <-f.ending:
		return
	}
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		f.turn(time.Now())
		select {
		case <-tick.C:
		case <-f.ending:
			f.letGo("lvsd ends")
			return
		}
	}
}

// end releases the watchdog, and waits for that.
func (f *feeder) end(patience <-chan time.Time) {
	close(f.ending)
	select {
	case <-f.ended:
	case <-patience:
	}
}

// turn does what is due for the watchdog that is wanted.
func (f *feeder) turn(now time.Time) {
	f.mu.Lock()
	wanted := f.wanted
	f.mu.Unlock()
	if f.has != wanted {
		f.letGo("the configuration has changed")
		f.has, f.retryAt, f.told = wanted, time.Time{}, ""
		f.note(nil)
	}
	if wanted.Device == "" || now.Before(f.retryAt) {
		return
	}
	if f.dog == nil {
		d, err := f.open(wanted)
		if err != nil {
			f.retryAt = now.Add(tryAgain)
			f.note(err)
			return
		}
		f.dog = d
	}
	err := errors.New("the loop that sends the adverts does not respond")
	if f.onTime() {
		if err = f.dog.feed(); err != nil {
			f.letGo("it cannot be fed")
			f.retryAt = now.Add(tryAgain)
		}
	}
	f.note(err)
}

// note notes whether the watchdog is fed, or why not, and tells of a change.
func (f *feeder) note(err error) {
	is := WatchdogStatus{Watchdog: f.has, Fed: f.dog != nil && err == nil}
	if f.dog != nil {
		is.Timeout = f.dog.timeout()
	}
	if err != nil {
		is.Why = err.Error()
	}
	f.mu.Lock()
	was := f.is
	f.is = is
	f.mu.Unlock()
	switch {
	case is.Fed && !was.Fed:
		f.told = ""
		f.tell(watchdogFed, slog.LevelInfo, "%s is fed: this machine is reset if that does not happen for %v", is.Device, is.Timeout)
	case is.Why != "" && is.Why != f.told:
		f.told = is.Why
		f.tell(watchdogUnfed, slog.LevelWarn, "%s is not fed: %s", is.Device, is.Why)
	}
}

// letGo releases the watchdog, if one is open.
func (f *feeder) letGo(why string) {
	if f.dog == nil {
		return
	}
	err := f.dog.release()
	f.dog = nil
	if err != nil {
		f.tell(watchdogUnfed, slog.LevelWarn, "%s cannot be stopped, and resets this machine unless it is fed again: %v", f.has.Device, err)
		return
	}
	f.tell(watchdogReleased, slog.LevelInfo, "%s is stopped and closed: %s", f.has.Device, why)
}

func (f *feeder) tell(code string, level slog.Level, format string, args ...any) {
	f.report(vrrp.Event{At: time.Now(), Code: code, Level: level, Text: fmt.Sprintf(format, args...)})
}

// A device is a watchdog of the kernel.
type device struct {
	fd  int
	has time.Duration
}

// openWatchdog opens a watchdog, which begins to count, and sets its timeout. Where
// that is refused, it is stopped again.
func openWatchdog(w Watchdog) (dog, error) {
	// With O_NONBLOCK, nobody is waited for where the path is that of something else.
	fd, err := unix.Open(w.Device, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening it: %w%s", err, remedy(err))
	}
	if _, err := unix.IoctlGetWatchdogInfo(fd); err != nil {
		_ = unix.Close(fd) // Nothing is written to what is no watchdog.
		return nil, fmt.Errorf("it is no watchdog: %w", err)
	}
	d := &device{fd: fd}
	seconds := int(w.Timeout / time.Second)
	err = unix.IoctlSetPointerInt(fd, unix.WDIOC_SETTIMEOUT, seconds)
	has, err2 := unix.IoctlGetInt(fd, unix.WDIOC_GETTIMEOUT)
	if d.has = time.Duration(has) * time.Second; err2 != nil {
		d.has = w.Timeout // The driver does not tell.
	}
	if err != nil && has != seconds {
		refused := fmt.Errorf("it refuses a timeout of %v, and has %v: %w; set another timeout", w.Timeout, d.has, err)
		return nil, errors.Join(refused, d.release())
	}
	return d, nil
}

// remedy is what can be done about a device that cannot be opened.
func remedy(err error) string {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return "; load the driver of the machine's watchdog, or softdog if it has none (modprobe softdog)"
	case errors.Is(err, unix.EBUSY):
		return "; somebody else has it: the service manager (RuntimeWatchdogSec= of systemd-system.conf) or a watchdog daemon"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "; install the drop-in watchdog.conf for lvsd.service (see lvsd.hcl(5))"
	}
	return ""
}

func (d *device) timeout() time.Duration { return d.has }

// food is any byte but that of the magic close.
var food, magic = []byte{0}, []byte{'V'}

func (d *device) feed() error {
	if _, err := unix.Write(d.fd, food); err != nil {
		return fmt.Errorf("feeding it: %w", err)
	}
	return nil
}

func (d *device) release() error {
	_, err := unix.Write(d.fd, magic)
	if err := errors.Join(err, unix.Close(d.fd)); err != nil {
		return fmt.Errorf("stopping it: %w", err)
	}
	return nil
}
