package ipvsctl

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
)

// A MarkRange is the firewall marks that packets are given by lvsd's own rules. It is
// comparable.
type MarkRange struct{ First, Last uint32 }

// DefaultMarks are those after the ones of private services.
var DefaultMarks = MarkRange{LastPrivateMark + 1, LastPrivateMark + 1<<16}

// Holds reports whether a mark is in the range.
func (r MarkRange) Holds(mark uint32) bool { return r.First <= mark && mark <= r.Last }

// Size is how many marks there are.
func (r MarkRange) Size() uint64 { return uint64(r.Last) - uint64(r.First) + 1 }

// String returns the range as "0x6c770000-0x6c77ffff".
func (r MarkRange) String() string { return fmt.Sprintf("0x%x-0x%x", r.First, r.Last) }

// Assign gives each name a mark of its own, of which there are enough. A mark follows from
// its name's hash, so that two directors choose the same and other names may come and go;
// who would have somebody's mark takes the next that is free, in the order of the names.
func (r MarkRange) Assign(names []string) map[string]uint32 {
	all, taken := make(map[string]uint32, len(names)), make(map[uint32]bool, len(names))
	for _, name := range slices.Sorted(slices.Values(names)) {
		h := fnv.New32a()
		h.Write([]byte(name)) // It never fails.
		mark := r.First + uint32(uint64(h.Sum32())%r.Size())
		for taken[mark] {
			if mark++; !r.Holds(mark) {
				mark = r.First
			}
		}
		all[name], taken[mark] = mark, true
	}
	return all
}

// A SourceNAT is how the source of packets to real servers is translated: not at all, to the
// address of the interface by which they leave, or to an address. It is comparable.
type SourceNAT struct {
	Masquerade bool
	To         netip.Addr
}

// Translates reports whether the source is another one then.
func (n SourceNAT) Translates() bool { return n.Masquerade || n.To.IsValid() }

// String returns it as the configuration has it; empty: not at all.
func (n SourceNAT) String() string {
	switch {
	case n.Masquerade:
		return "masquerade"
	case n.To.IsValid():
		return n.To.String()
	default:
		return ""
	}
}

// A Marking is what is done to the packets of one virtual service.
type Marking struct {
	Service string // its name
	Mark    uint32
	Selection
	SourceNAT
}

// A Ruleset is what packets are marked with, and translated by, in the order of the services'
// names. It is immutable once handed out.
type Ruleset []Marking

// Equal reports whether two rulesets do the same.
func (r Ruleset) Equal(o Ruleset) bool { return slices.Equal(r.lines(), o.lines()) }

// Translates reports whether the source of some packets is translated.
func (r Ruleset) Translates() bool {
	return slices.ContainsFunc(r, func(m Marking) bool { return m.SourceNAT.Translates() })
}

// MarkOf returns the firewall mark of packets to a service by address; 0: they have none.
func (r Ruleset) MarkOf(key ServiceKey) uint32 {
	for i := range r {
		if r[i].Has(key) {
			return r[i].Mark
		}
	}
	return 0
}

// lines are the markings, a line each.
func (r Ruleset) lines() []string {
	all := make([]string, len(r))
	for i := range r {
		all[i] = r[i].String()
	}
	return all
}

// String returns the marking as nft(8) would have it, on one line:
// "ip daddr 10.13.0.200 tcp dport { 80, 443 } meta mark set 0x6c770001 masquerade".
func (m Marking) String() string {
	family := "ip"
	if m.Family().Is6() {
		family = "ip6"
	}
	text := family + " daddr " + set(m.Addresses)
	protocol, ports := " meta l4proto "+set(m.Protocols), " th dport "
	if len(m.Protocols) == 1 && len(m.Ports) > 0 {
		protocol, ports = " "+m.Protocols[0].String(), " dport "
	}
	text += protocol
	if len(m.Ports) > 0 {
		text += ports + set(m.Ports)
	}
	text += fmt.Sprintf(" meta mark set 0x%x", m.Mark)
	switch {
	case m.Masquerade:
		text += " masquerade"
	case m.To.IsValid():
		text += " snat to " + m.To.String()
	}
	return text
}

// set returns one value, or several in braces.
func set[T interface{ String() string }](values []T) string {
	text := strings.ReplaceAll(listed(values), ",", ", ")
	if len(values) == 1 {
		return text
	}
	return "{ " + text + " }"
}

// A RuleChange is one line that a ruleset has and another one has not.
type RuleChange struct {
	Service string
	Rule    string
	Removed bool
}

// DiffRules tells what turns one ruleset into another one, by the services' names; what is
// removed comes first. The kernel gets the whole in one transaction all the same.
func DiffRules(have, want Ruleset) (all []RuleChange) {
	add := func(some, others Ruleset, removed bool) {
		known := make(map[string]bool, len(others))
		for _, line := range others.lines() {
			known[line] = true
		}
		for i, line := range some.lines() {
			if !known[line] {
				all = append(all, RuleChange{some[i].Service, line, removed})
			}
		}
	}
	add(have, want, true)
	add(want, have, false)
	slices.SortStableFunc(all, func(a, b RuleChange) int { return cmp.Compare(a.Service, b.Service) })
	return all
}
