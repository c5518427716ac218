package vrrp

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// rivalsEvery is how often a Master asks for each of its addresses who else has it.
	// If they are many, one question each second takes longer.
	rivalsEvery = 30 * time.Second
	// claimRounds is for how many rounds of such questions a claim counts that came by
	// itself: whoever made it need not answer, as a real server does not whose ARP
	// requests come from the virtual address (arp_announce).
	claimRounds = 3
	// claimEvery is how often a Master asks for an address that somebody else has
	// claimed, and claimTries how many questions in a row whoever has answered one
	// leaves unanswered, until the claim is over.
	claimEvery = 3 * time.Second
	claimTries = 3
)

// claims are the words of others that they have addresses of a Master. A Backup is
// silent and two Masters that do not hear each other are too, so this is how either
// learns of the other one, and of a real server that answers for the address.
type claims struct {
	all     map[netip.Addr]claim
	askedAt time.Time
	asked   int // questions so far: the next one is for the address at that place
	// reviewedAt is when those that stand were looked at last.
	reviewedAt time.Time
}

type claim struct {
	mac string
	at  time.Time // it was heard last
	// unanswered are the questions since, of which the last was put at askedAt.
	unanswered int
	askedAt    time.Time
	answers    bool // it has answered one
}

// note notes a claim.
func (c *claims) note(now time.Time, address netip.Addr, mac string) {
	if c.all == nil {
		c.all = make(map[netip.Addr]claim)
	}
	was := c.all[address]
	answers := was.answers || was.unanswered > 0 && now.Sub(was.askedAt) < time.Second
	c.all[address] = claim{mac: mac, at: now, askedAt: now, answers: answers}
}

// put notes that a question for an address was put, and whether it was sent: silence
// tells nothing after one that was not.
func (c *claims) put(now time.Time, address netip.Addr, sent bool) {
	by, claimed := c.all[address]
	if !claimed {
		return
	}
	by.askedAt = now
	if sent {
		by.unanswered++
	}
	c.all[address] = by
}

// due reports at which place of n the next question is for, if it is due.
func (c *claims) due(now time.Time, n int) (place int, ok bool) {
	if now.Sub(c.askedAt) < max(rivalsEvery/time.Duration(n), time.Second) {
		return 0, false
	}
	c.askedAt, place = now, c.asked%n
	c.asked++
	return place, true
}

// review reports whether those that stand are to be looked at: each second, if there
// are any.
func (c *claims) review(now time.Time) bool {
	if len(c.all) == 0 || now.Sub(c.reviewedAt) < time.Second {
		return false
	}
	c.reviewedAt = now
	return true
}

// again returns for which address that is claimed the next question is, if one is due:
// the one for which none was put for longest.
func (c *claims) again(now time.Time, held []InterfaceAddress) (next InterfaceAddress, ok bool) {
	oldest := now.Add(-claimEvery)
	for _, a := range held {
		by, claimed := c.all[a.Prefix.Addr()]
		if claimed && by.unanswered < claimTries && !by.askedAt.After(oldest) {
			next, oldest, ok = a, by.askedAt.Add(-1), true
		}
	}
	return next, ok
}

// end forgets the claims that are over, also those of addresses that are not held any
// more. It returns one of them if none is left.
func (c *claims) end(now time.Time, held []InterfaceAddress, interval time.Duration) (last netip.Addr, over bool) {
	// One question is sent with an advert at most.
	round := max(rivalsEvery, time.Duration(len(held))*max(interval, 2*time.Second))
	for address, by := range c.all {
		stands := now.Sub(by.at) < claimRounds*round
		if by.answers {
			stands = by.unanswered < claimTries || now.Sub(by.askedAt) < time.Second
		}
		if !stands || !slices.ContainsFunc(held, func(a InterfaceAddress) bool { return a.Prefix.Addr() == address }) {
			last = address
			delete(c.all, address)
		}
	}
	return last, last.IsValid() && len(c.all) == 0
}

// lasting are those of these addresses.
func (c *claims) lasting(now time.Time, held []InterfaceAddress) []Rival {
	var all []Rival
	for _, a := range held {
		if by, ok := c.all[a.Prefix.Addr()]; ok {
			all = append(all, Rival{Address: a.Prefix.Addr(), MAC: by.mac, Age: now.Sub(by.at)})
		}
	}
	return all
}
