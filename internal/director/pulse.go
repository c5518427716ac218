package director

import "time"

// tick is the time between heartbeats, and looks how many of them pass between
// two looks at the machine.
const (
	tick  = time.Second
	looks = 10
)

// A pulse is what the core does regularly.
type pulse struct {
	next  time.Time
	beats int
	// looking: a look at the machine has not ended yet.
	looking bool
}

// beat is one beat of the pulse.
func (c *Core) beat(now time.Time) {
	p := &c.pulse
	p.next = now.Add(tick)
	p.beats++
	c.do(Heartbeat{})
	if p.beats%looks != 0 {
		return
	}
	c.adverts = c.adverts.remember(tally{now, counters(c.routers)})
	if !p.looking {
		p.looking = true
		c.do(Look{})
	}
}
