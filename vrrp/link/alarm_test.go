package link

import (
	"testing"
	"time"
)

// opened is an alarm, and where it puts its tokens.
func opened(t *testing.T) (*alarm, chan struct{}) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	wake := make(chan struct{}, 1)
	go a.watch(wake)
	return a, wake
}

// woken waits for a token.
func woken(t *testing.T, wake chan struct{}) time.Time {
	t.Helper()
	select {
	case <-wake:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was woken")
	}
	return time.Now()
}

func TestAlarmWakes(t *testing.T) {
	a, wake := opened(t)
	for name, in := range map[string]time.Duration{
		"at a time that has passed": -time.Second,
		"now":                       0,
		"within a millisecond":      300 * time.Microsecond,
		"later":                     20 * time.Millisecond,
	} {
		at := time.Now().Add(in)
		a.set(at)
		if by := woken(t, wake).Sub(at); by < 0 {
			t.Errorf("%s: %v too early", name, -by)
		}
	}
}

// The time of the call before it is none any more, whether that is later or sooner.
func TestOnlyTheLastAlarmCounts(t *testing.T) {
	a, wake := opened(t)
	a.set(time.Now().Add(time.Hour))
	a.set(time.Now())
	woken(t, wake)

	a.set(time.Now().Add(20 * time.Millisecond))
	a.set(time.Now().Add(time.Hour))
	select {
	case <-wake:
		t.Error("an alarm that was set to another time woke")
	case <-time.After(60 * time.Millisecond):
	}
	a.set(time.Now().Add(20 * time.Millisecond))
	a.set(time.Time{})
	select {
	case <-wake:
		t.Error("an alarm that was turned off woke")
	case <-time.After(60 * time.Millisecond):
	}
}

// An alarm that is closed ends its watcher.
func TestAlarmThatIsClosed(t *testing.T) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { a.watch(make(chan struct{}, 1)); close(ended) }()
	a.close()
	woken(t, ended)
	a.set(time.Now()) // does nothing
}
