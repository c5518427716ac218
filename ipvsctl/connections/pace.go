package connections

import "time"

// slack is how far ahead of its time something may be sent: to sleep for less is not worth
// it, and the listening kernel has room for what comes within it at the usual rate.
const slack = 5 * time.Millisecond

// A pace says when the next datagram is due.
type pace struct {
	begun time.Time
	rate  int // connections a second
	told  int
}

// wait is how long to sleep now, after so many more connections; zero: not at all.
func (p *pace) wait(now time.Time, more int) time.Duration {
	p.told += more
	due := p.begun.Add(time.Duration(p.told) * time.Second / time.Duration(p.rate))
	if ahead := due.Sub(now); ahead > slack {
		return ahead
	}
	return 0
}
