package show

import (
	"fmt"
	"time"
)

// clock writes a moment in the daemon's time zone, to the second; "-" if it never
// came.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateTime)
}

// span writes a duration in its two largest units: "4m12s", "3h05m", "2d04h".
func span(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
	}
}

// latency writes how long a probe took: "850 µs", "1.2 ms", "1.02 s".
func latency(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}

// age writes how long something has been so; "-" if it never was.
func age(now, since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	return span(now.Sub(since))
}

// ago writes how long ago something happened.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	return span(now.Sub(then)) + " ago"
}
