package config

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// A pingCondition asks one address, or several of which some must answer.
type pingCondition struct {
	conditionOptions
	watching
	addresses []block.Item
	minimum   int
}

var trackPing = newConditionKind(conditionKind{
	name: "ping", help: "Met while the addresses answer ICMP echo requests, or enough of them. An address to which this director has no route does not answer.",
}, func() []block.Entry[pingCondition] {
	return append([]block.Entry[pingCondition]{
		block.List("addresses", "The addresses to ask, such as that of a router to the clients. Choose addresses that do not move.",
			func(p *pingCondition) *[]block.Item { return &p.addresses }),
		block.Count("minimum", minimumHelp,
			1, 1, 1000, func(p *pingCondition) *int { return &p.minimum }).Within(minimumRange),
		timeoutOption((*pingCondition).watch),
	}, watchingOptions((*pingCondition).watch)...)
}, (*pingCondition).self, compilePing)

func (p *pingCondition) watch() *watching { return &p.watching }

func compilePing(b *block.Body, p *pingCondition) Condition {
	b.Require("addresses", `addresses = ["10.13.0.1"]`)
	c := Condition{Minimum: p.minimum}
	var seen []netip.Addr
	for _, it := range p.addresses {
		a, ok := b.ParseAddress(it.Text, it.At)
		switch {
		case !ok || !usable(b, a, it.At):
			continue
		case slices.Contains(seen, a):
			b.Mistake(it.At, "Duplicate address", "%s is already among the addresses: remove one of the two.", a)
			continue
		}
		seen = append(seen, a)
		claim(b, pingedAddress, a.String(), it.At)
		c.Checks = append(c.Checks, p.check(checker.Target{Addr: a}, checker.Ping{OwnRoute: true}))
	}
	switch {
	case b.Given("addresses") && !b.Refused("addresses") && len(p.addresses) == 0:
		b.Mistake(b.At("addresses"), "No address", "Write at least one address, such as addresses = [\"10.13.0.1\"].")
	case p.minimum > len(seen) && len(seen) == len(p.addresses) && !b.Refused("minimum") && len(seen) > 0:
		b.Mistake(b.At("minimum"), "Invalid minimum", "There are %d addresses, so at most that many can answer, but minimum is %d.", len(seen), p.minimum)
	}
	return c
}
