package director

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// A tally is the counters of adverts at one moment.
type tally struct {
	at      time.Time
	routers map[string]vrrp.Counters
}

// recent is how far back a warning about adverts looks.
const recent = time.Minute

// counters are those of each router, as the keeper told them last.
func (d *Director) counters() map[string]vrrp.Counters {
	all := make(map[string]vrrp.Counters, len(d.statuses))
	for i := range d.statuses {
		all[d.statuses[i].Name] = d.statuses[i].Counters
	}
	return all
}

// remember appends a tally to earlier ones, and forgets all but one of those
// that are older than a minute: the first is what to compare with.
func remember(earlier []tally, now tally) []tally {
	for len(earlier) > 1 && now.at.Sub(earlier[1].at) >= recent {
		earlier = earlier[1:]
	}
	return append(slices.Clip(earlier), now)
}

// remedies say what to do about adverts that were refused or that disagree.
var remedies = map[vrrp.Reason]string{
	vrrp.ReasonTTL:            "they come from beyond this network: who sends them?",
	vrrp.ReasonLength:         "what sends them?",
	vrrp.ReasonVersion:        "configure the same version on both directors",
	vrrp.ReasonType:           "what sends them?",
	vrrp.ReasonChecksum:       "are the peers the ones that are meant?",
	vrrp.ReasonAuthentication: "remove the authentication from the peer's configuration",
	vrrp.ReasonNoAddress:      "configure the same addresses on both directors",
	vrrp.ReasonNoInterval:     "configure the same advert_interval on both directors",
	vrrp.ReasonOwnAddress:     "does somebody else use this director's address?",
	vrrp.ReasonNotPeer:        "configure each director's address in the other one's peers, or none on both",
	vrrp.ReasonInterval:       "configure the same advert_interval on both directors",
	vrrp.ReasonAddresses:      "configure the same addresses on both directors",
	vrrp.ReasonOwner:          "give one of the directors less than priority 255",
}

// advertWarnings are about adverts between two moments that show that the
// directors do not understand each other; then and now are the routers' counters.
func advertWarnings(then, now map[string]vrrp.Counters) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		before, c := then[name], now[name]
		if text := increases(before.Discarded, c.Discarded); text != "" {
			all = append(all, fmt.Sprintf("virtual router %q refused adverts in the last minute: %s", name, text))
		}
		if text := increases(before.Mismatched, c.Mismatched); text != "" {
			all = append(all, fmt.Sprintf("virtual router %q heard adverts in the last minute "+
				"that disagree with its configuration: %s", name, text))
		}
		if n := increase(before.OtherMasters, c.OtherMasters); n > 0 {
			all = append(all, fmt.Sprintf("virtual router %q was Master and heard another Master in the last minute "+
				"(%d adverts): each had the addresses; does the other director hear this one's adverts "+
				"(a firewall, a switch), and has it the same id?", name, n))
		}
	}
	return all
}

// increases lists what was counted, the most frequent first: "57 for version
// (configure the same version on both directors)".
func increases(then, now map[vrrp.Reason]uint64) string {
	type count struct {
		reason vrrp.Reason
		n      uint64
	}
	var counts []count
	for reason, n := range now {
		if n = increase(then[reason], n); n > 0 {
			counts = append(counts, count{reason, n})
		}
	}
	slices.SortFunc(counts, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.reason, b.reason))
	})
	texts := make([]string, len(counts))
	for i, c := range counts {
		texts[i] = fmt.Sprintf("%d for %s", c.n, c.reason)
		if remedy := remedies[c.reason]; remedy != "" {
			texts[i] += " (" + remedy + ")"
		}
	}
	return strings.Join(texts, ", ")
}

// increase is what a counter counted; a keeper that was started again, or a
// router that is new, begins at zero.
func increase(then, now uint64) uint64 {
	if now < then {
		return now
	}
	return now - then
}
