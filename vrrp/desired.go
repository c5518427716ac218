package vrrp

import "time"

// A Desired is what the director asks of the keeper, whole: the routers that
// are to run, and no others.
type Desired struct {
	Routers []Config
	// Ending, unless it is Running, is how all routers are to end; the rest of the
	// Desired is ignored then.
	Ending Ending
	// Conditions are those that the director watches. They concern every router.
	Conditions []Condition
	// Offers are what routers are ordered to offer, which they do once.
	Offers []Offer
	// Static is what the director has always, without a router. It has no lease.
	Static Holdings
	// Resume are routers that were Master in the keeper before this one.
	Resume []Resumption `json:"-"`
	// Signed is a sequence that no earlier keeper of this director has signed after;
	// zero: none is known.
	Signed Sequence `json:"-"`
}

// Idle reports whether there is nothing to run.
func (d *Desired) Idle() bool { return len(d.Routers) == 0 && d.Static.empty() }

// A StaticStatus is how Desired.Static stands.
type StaticStatus struct {
	// Wanted are the addresses, routes and rules as text: "10.13.0.15/24 on eth1".
	Wanted []string `json:"wanted"`
	Held   int      `json:"held"` // how many of them are there
	// Missing are the others, as text, and Failure is why they are.
	Missing string `json:"missing,omitempty"`
	Failure string `json:"failure,omitempty"`
	// Restored counts those that somebody else had removed.
	Restored uint64 `json:"restored"`
}

// A Resumption lets a router be Master again at once, if it starts in time:
// the keeper that it replaces was Master and is gone.
type Resumption struct {
	Router string
	// Before is when a peer may have taken over, by this process's clocks.
	Before time.Time
}
