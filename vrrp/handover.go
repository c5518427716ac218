package vrrp

import "time"

// Overlap is how long a Master keeps answering after its successor's first advert, so
// that nothing is lost while the successor adds and announces the addresses.
const Overlap = 50 * time.Millisecond

// A handover is how a router parts with its addresses: those that it holds
// without being Master any more, until another Master has them.
type handover struct {
	ending Ending
	// held: the addresses are on our interfaces.
	held bool
	// takenOver: another Master was heard since this router was ended or had a
	// fault.
	takenOver bool
	// unreported: the router was Master when it was ended, and how that ended is
	// still to be told.
	unreported bool
	releaseAt  time.Time // when held addresses are released; never while Master
	// audible: the router has become Master, and nobody else was heard since, whose
	// the virtual MAC is then.
	audible bool
}

// hold keeps the addresses until further notice.
func (h *handover) hold() { h.held, h.audible, h.releaseAt = true, true, time.Time{} }

// release gives the addresses up, if they are held.
func (h *handover) release() []Action {
	h.releaseAt = time.Time{}
	if !h.held {
		return nil
	}
	h.held = false
	return []Action{Hold{}}
}

// begin waits for a successor.
func (h *handover) begin(c *Config, now time.Time) {
	h.takenOver = false
	h.releaseAt = now.Add(c.HandOver())
}

// heard notes that another router is Master, and lets the addresses go a moment
// later. Its further adverts do not put that off. Their virtual MAC is the other one's
// from now on: a switch sends what is for it to whoever has used it last, and to answer
// but one ARP request with it would take it back for as long as nobody else uses it.
func (h *handover) heard(now time.Time, c *Config) []Action {
	h.takenOver = true
	at := now.Add(Overlap)
	if h.held && (h.releaseAt.IsZero() || at.Before(h.releaseAt)) {
		h.releaseAt = at
	}
	if !h.held || !h.audible || c.VirtualMAC.Device == "" {
		return nil
	}
	h.audible = false
	held := c.Holdings()
	held.Mute = true
	return []Action{Hold{held}}
}

// restart begins a new life. It calls off a hand-over that nobody answered yet;
// one that somebody did goes on.
func (h *handover) restart() {
	if !h.takenOver {
		h.releaseAt = time.Time{}
	}
	h.ending, h.takenOver, h.unreported = Running, false, false
}

// expire releases the addresses, unless they are to stay where nobody has come
// for them.
func (h *handover) expire(now time.Time) []Action {
	switch {
	case !due(h.releaseAt, now):
		return nil
	case h.ending == Abandoned && !h.takenOver:
		h.releaseAt = time.Time{}
		return nil
	default:
		return h.release()
	}
}
