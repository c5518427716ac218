package vrrp

import "time"

// A departure is a Master that waits until it may leave, and what it then does: end, stand
// back for a fault, or offer its role. Of several the first of these counts.
type departure struct {
	clearing
	ending Ending
	fault  string
	order  Offer
}

// add adds to what it does.
func (d *departure) add(other departure) {
	if other.ending != Running {
		d.ending = other.ending
	}
	if other.fault != "" {
		d.fault = other.fault
	}
	if other.order.Number != 0 {
		d.order = other.order
	}
}

// The methods below take nil for a Master that does not wait.

// waits reports whether its question is open.
func (d *departure) waits() bool { return d != nil && d.stage == asked }

// over reports whether it may leave now.
func (d *departure) over() bool { return d != nil && d.stage == granted }

// deadline is when it counts as refused, or leaves; zero: never.
func (d *departure) deadline() time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.until
}

// grant lets it be done now.
func (d *departure) grant(now time.Time) { d.stage, d.until = granted, now }
