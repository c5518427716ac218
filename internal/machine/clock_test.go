package machine

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhetherAnythingKeepsTheClock(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  int
		status int32
		want   bool
	}{
		{"an NTP daemon does", unix.TIME_OK, unix.STA_PLL, true},
		{"a leap second is to come", unix.TIME_INS, unix.STA_PLL | unix.STA_INS, true},
		{"nothing does", unix.TIME_ERROR, unix.STA_UNSYNC, false},
		{"something else is wrong", unix.TIME_ERROR, unix.STA_PPSERROR, true},
	} {
		if got := kept(tt.state, tt.status); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
	t.Logf("this machine's clock is kept: %t", ClockKept())
}
