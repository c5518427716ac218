package director

import (
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// readiness is the order of a start: the table, then the first result of every
// target, then the virtual routers; and none of that for longer than the start
// delay.
type readiness struct {
	delay time.Duration // start_delay
	end   time.Time     // of the start, at the latest
	// probing: the first table is in the kernel, or was waited for in vain.
	probing bool
	// ready: the virtual routers may leave Initialize.
	ready bool
	// awaited is until when targets that are new may lack a first result.
	awaited time.Time
}

func newReadiness(now time.Time, delay time.Duration) readiness {
	end := now.Add(delay)
	return readiness{delay: delay, end: end, awaited: end}
}

// probe notes that targets are set.
func (r *readiness) probe(now time.Time) {
	r.probing, r.awaited = true, now.Add(r.delay)
}

// deadline is when the start ends by itself; zero: it has ended.
func (r *readiness) deadline() time.Time {
	if r.ready {
		return time.Time{}
	}
	return r.end
}

// condition keeps the virtual routers in Initialize until the start is over.
func (r *readiness) condition() vrrp.Condition {
	return vrrp.Condition{
		Name: "table loaded", OK: r.ready, Reason: "waiting for the first IPVS table and the first result of every check",
	}
}
