package checker

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"time"
)

// minInterval bounds how often a target is probed, whatever it asks for.
const minInterval = 10 * time.Millisecond

// tick is the resolution of start times. Probes that are due within one tick
// start together: waking the process up for each of them would cost as much
// processor time as the probe itself (measured: 56 µs, against 15 µs for one in
// a batch of 20).
const tick = 10 * time.Millisecond

// Where few targets are due in a tick, they are put into longer slots, in which about
// together of them are due at once: one wake-up then costs as much as many probes. No slot
// is longer than maxSlot, or than one slotDivisor-th of its target's interval.
const (
	together    = 16
	maxSlot     = 10 * tick
	slotDivisor = 10
)

// A grid is the times at which targets are due, but for the first probe and those that
// hurry: a place in the interval of each, and a jitter.
type grid struct {
	// seed makes the jitter another one; zero: there is none.
	seed uint64
	// slot is how far apart the places are, where intervals allow it.
	slot time.Duration
}

// slotFor is how long slots are for some targets.
func slotFor(targets []*Target) time.Duration {
	var perSecond float64
	for _, t := range targets {
		perSecond += 1 / max(t.Interval, minInterval).Seconds()
	}
	if perSecond*maxSlot.Seconds() < together {
		return maxSlot
	}
	return max(time.Duration(together/perSecond*float64(time.Second)).Truncate(tick), tick)
}

// slotOf is how long slots are for an interval.
func (g grid) slotOf(interval time.Duration) time.Duration {
	return max(min(g.slot, (interval/slotDivisor).Truncate(tick)), tick)
}

// offset is the place of a phase in an interval.
func (g grid) offset(phase uint32, interval time.Duration) time.Duration {
	return spread(phase, interval).Truncate(g.slotOf(interval))
}

// jitterDivisor is which part of its interval a probe may start later than its grid
// says. It differs from probe to probe, so that a probe does not always meet what
// else happens at the same pace on a server.
const jitterDivisor = 32

// jitter is how much later than its place a target is due in one round. All that share a
// slot are as late, and so stay together.
func (g grid) jitter(phase uint32, offset, round, interval time.Duration) time.Duration {
	if g.seed == 0 {
		return 0
	}
	part := phase
	if g.slotOf(interval) > tick {
		part = uint32(offset / tick)
	}
	x := g.seed ^ uint64(part)<<32 ^ uint64(round)
	// The finalizer of SplitMix64, whose bits are evenly distributed.
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return spread(uint32(x>>32), interval/jitterDivisor)
}

// spread is a part of an interval, in 1<<32, as whole ticks.
func spread(part uint32, interval time.Duration) time.Duration {
	high, low := bits.Mul64(uint64(part), uint64(interval))
	return time.Duration(high<<32 | low>>32).Truncate(tick)
}

// ceil is the first tick that is not before a time.
func ceil(at time.Duration) time.Duration { return (at + tick - 1).Truncate(tick) }

// phase returns where in its interval a target is probed, in parts of 1<<32: spread
// evenly over all targets, and the same for one target in every run, so that a
// restart changes nothing.
func phase(t Target) uint32 {
	b := t.Addr.AppendTo([]byte(t.Spec + " "))
	b = binary.BigEndian.AppendUint16(b, t.Port)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Interval))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Timeout))
	sum := sha256.Sum256(b) // its bits are evenly distributed, which short hashes don't promise
	return binary.BigEndian.Uint32(sum[:])
}
