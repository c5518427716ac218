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

// pending reports whether there is anything that it does.
func (d *departure) pending() bool { return d.stage != unasked }

// grant lets it be done now.
func (d *departure) grant(now time.Time) { d.stage, d.until = granted, now }
