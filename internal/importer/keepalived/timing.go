package keepalived

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// keepalived begins its pauses when an attempt has ended, and lvsd its intervals when one
// begins. So an attempt that ends at once, as one that is refused or answered wrongly, comes
// as often with either, but one that nobody answers takes its timeout longer there.

// A pace is when a check is made, and how many failures count.
type pace struct {
	interval, fast, down, timeout time.Duration // 0: not said
	fall                          uint64
	comment, about                string // of the timeout, and of the interval
}

// The bounds of lvsd's options.
const (
	minInterval = 10 * time.Millisecond
	maxInterval = 24 * time.Hour
	maxFall     = 1000
)

// The defaults of keepalived.
const (
	defaultLoop    = time.Minute
	defaultTimeout = 5 * time.Second
)

// A rhythm is what keepalived does: a try each loop, and after one that has failed so many
// more, each a delay after the end of the one before.
type rhythm struct {
	loop, delay, timeout time.Duration
	retry                uint64
}

// paceOf returns the pace that comes to the same verdict after the same time.
func (r rhythm) pace() (p pace) {
	r.loop, r.timeout = bounded(r.loop), max(r.timeout, time.Millisecond)
	p = pace{interval: r.loop, timeout: min(r.timeout, maxInterval), fall: min(r.retry, maxFall-1) + 1}
	if r.retry == 0 {
		return p
	}
	if r.delay > r.loop {
		return r.slow(p)
	}
	p.fast = bounded(r.delay)
	theirs, ours := r.silence(), silence(p)
	if theirs-ours <= (theirs+r.loop/2)/10 {
		if theirs != ours {
			p.comment = fmt.Sprintf("a silent server is down after %s, keepalived's after %s", short(ours), short(theirs))
		}
		return p
	}
	p.timeout = r.stretched(p.fast)
	p.comment = fmt.Sprintf("connect_timeout %s, and pauses: a silent server is down after %s", short(r.timeout), short(theirs))
	return p
}

// slow is a pace whose tries after a failure come less often than the others, which lvsd
// does not have. It makes all less often, or counts more failures: whichever finds both a
// server that refuses and one that is silent in about the same time.
func (r rhythm) slow(p pace) pace {
	n := time.Duration(min(r.retry, maxFall))
	error := func(p pace) float64 {
		wait := p.interval / 2
		return max(apart(wait+time.Duration(p.fall-1)*p.interval, r.loop/2+n*r.delay), apart(wait+silence(p), r.loop/2+r.silence()))
	}
	best := p
	best.interval = bounded(r.delay)
	best.timeout = r.stretched(best.interval)
	best.about = fmt.Sprintf("delay_loop %s, delay_before_retry %s: all probes come as often as those", short(r.loop), short(r.delay))
	p.about = fmt.Sprintf("delay_before_retry %s is longer: more failures count, in about the same time", short(r.delay))
	for p.fall = min(uint64((n*r.delay+r.loop-1)/r.loop), maxFall-1) + 1; p.fall > 1; p.fall-- {
		if error(p) < error(best) {
			best = p
		}
	}
	if best.timeout != r.timeout {
		best.comment = fmt.Sprintf("connect_timeout %s, and pauses: a silent server is down after %s", short(r.timeout), short(silence(best)))
	} else if ours := silence(best); ours != r.silence() {
		best.comment = fmt.Sprintf("a silent server is down after %s, keepalived's after %s", short(ours), short(r.silence()))
	}
	return best
}

// apart is by which part of the second one two times differ.
func apart(a, b time.Duration) float64 { return math.Abs(float64(a-b)) / float64(b) }

// silence is how long it takes keepalived to find that nobody answers, from the first try on.
func (r rhythm) silence() time.Duration {
	n := time.Duration(min(r.retry, maxFall))
	return r.timeout + n*(r.delay+r.timeout)
}

// silence is how long it takes by a pace.
func silence(p pace) time.Duration {
	return p.timeout + time.Duration(p.fall-1)*max(cmp.Or(p.fast, p.interval), p.timeout)
}

// stretched returns the timeout with which a silent server is found after the same time.
func (r rhythm) stretched(fast time.Duration) time.Duration {
	n := time.Duration(min(r.retry, maxFall))
	t := r.silence() / (n + 1)
	if t < fast { // Tries begin as often as fast says, whatever the timeout is.
		t = r.silence() - n*fast
	}
	return t.Round(10 * time.Millisecond)
}

// bounded returns an interval within lvsd's bounds.
func bounded(d time.Duration) time.Duration {
	return min(max(d, minInterval), maxInterval)
}

// short writes a time as people do.
func short(d time.Duration) string { return importer.Duration(d.Round(time.Millisecond)).Text }

// set writes a pace into the block of a check.
func (p pace) set(b *importer.Block, from []importer.Place) {
	b.Of(from...)
	b.Set("interval", importer.Duration(p.interval)).Comment = p.about
	if p.fast > 0 {
		b.Set("fast_interval", importer.Duration(p.fast))
	}
	if p.down > 0 {
		b.Set("down_interval", importer.Duration(p.down))
	}
	b.Set("timeout", importer.Duration(p.timeout)).Comment = p.comment
	b.Set("rise", importer.Number(1))
	b.Set("fall", importer.Number(p.fall))
}

// rhythmOf works out what keepalived does: a check's own words count before its server's, and
// these before its service's.
func rhythmOf(v *virtualServer, r *realServer, c *checker) (rhythm, []importer.Place) {
	loop := c.loop.or(r.loop).or(v.loop)
	timeout := c.timeout.or(r.timeout).or(v.timeout)
	retry := c.retry.or(r.retry).or(v.retry)
	delay := c.delay.or(r.delay).or(v.delay)
	kind := c.head.Words[0]
	y := rhythm{loop: loop.orValue(defaultLoop), timeout: timeout.orValue(defaultTimeout), retry: retry.orValue(1), delay: delay.orValue(time.Second)}
	switch kind {
	case "HTTP_GET", "SSL_GET":
		y.delay = delay.orValue(3 * time.Second)
	case "DNS_CHECK":
		y.retry, y.delay = retry.orValue(3), delay.orValue(y.loop)
	case "MISC_CHECK":
		y.retry = retry.orValue(0)
		y.timeout = c.runTime.orValue(v.loop.orValue(defaultLoop))
	}
	var from []importer.Place
	for _, places := range [][]importer.Place{loop.from, timeout.from, delay.from, retry.from, c.runTime.from} {
		from = append(from, places...)
	}
	return y, from
}
