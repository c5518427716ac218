package vrrp

import (
	"net/netip"
	"time"
)

const (
	// rivalsEvery is how often a Master asks for each of its addresses who else has it.
	// If they are many, one question each second takes longer.
	rivalsEvery = 30 * time.Second
	// claimRounds is for how many rounds of such questions a claim counts.
	claimRounds = 3
)

// claims are the words of others that they have addresses of a Master. A Backup is
// silent and two Masters that do not hear each other are too, so this is how either
// learns of the other one, and of a real server that answers for the address.
type claims struct {
	all     map[netip.Addr]claim
	askedAt time.Time
	asked   int // questions so far: the next one is for the address at that place
}

type claim struct {
	mac string
	at  time.Time
}

// note notes a claim.
func (c *claims) note(now time.Time, address netip.Addr, mac string) {
	if c.all == nil {
		c.all = make(map[netip.Addr]claim)
	}
	c.all[address] = claim{mac, now}
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

// lasting are those that count of these addresses, where one question is sent with
// an advert at most.
func (c *claims) lasting(now time.Time, held []InterfaceAddress, interval time.Duration) []Rival {
	var all []Rival
	round := max(rivalsEvery, time.Duration(len(held))*max(interval, 2*time.Second))
	for _, a := range held {
		by, ok := c.all[a.Prefix.Addr()]
		if age := now.Sub(by.at); ok && age < claimRounds*round {
			all = append(all, Rival{Address: a.Prefix.Addr(), MAC: by.mac, Age: age})
		}
	}
	return all
}
