package machine

import "golang.org/x/sys/unix"

// ClockKept reports whether something keeps the machine's clock, such as an NTP daemon,
// or whether that cannot be told.
func ClockKept() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err != nil || kept(state, t.Status)
}

// kept judges what adjtimex(2) returns. A daemon that has synchronized the clock clears
// STA_UNSYNC, and the kernel sets it again when that is long ago.
func kept(state int, status int32) bool {
	return state != unix.TIME_ERROR || status&unix.STA_UNSYNC == 0
}
