package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// markings are what all blocks say of packets that lvsd marks.
type markings struct {
	within  ipvsctl.MarkRange
	ignores bool // conntrack is set to false
	packets []block.Claim
	others  []block.Claim // marks of the user's
}

func (m *markings) add(c block.Claim) {
	if c.Kind == markedPackets {
		m.packets = append(m.packets, c)
	} else {
		m.others = append(m.others, c)
	}
}

// direct takes what the director block says.
func (m *markings) direct(d *Director) {
	m.within, m.ignores = d.Marks, d.IPVS.Parameters["conntrack"] == "0"
}

// check judges the marks, and whether a packet belongs to two services. Services are the
// places of those by address, by their keys' texts.
func (m *markings) check(report *block.Reports, services func() map[string]block.Place) {
	if len(m.packets) == 0 {
		return
	}
	for _, c := range m.others {
		if n, err := strconv.ParseUint(c.Key, 10, 32); err == nil && m.within.Holds(uint32(n)) {
			report.Mistake(c.At, "Reserved firewall mark", "lvsd gives the marks %s to packets itself: write another one, here and in your rules, or set marks in the director block.", m.within)
		}
	}
	if n := uint64(len(m.packets)); n > m.within.Size() {
		report.Mistake(m.packets[0].At, "Too few firewall marks", "%d services need one, and there are %d: set a larger range as marks in the director block.", n, m.within.Size())
	}
	all, selections := make([]markedClaim, len(m.packets)), make([]*ipvsctl.Selection, len(m.packets))
	for i, c := range m.packets {
		selections[i] = &all[i].Selection
		if err := json.Unmarshal([]byte(c.Key), &all[i]); err != nil {
			panic(fmt.Sprintf("config: a claim that was not written here: %v", err))
		}
		if m.ignores && all[i].Translates {
			report.Mistake(c.At, "Source NAT without connection tracking", "source_nat needs net.ipv4.vs.conntrack, and the director block has conntrack = false: remove one of the two.")
		}
	}
	if !ipvsctl.Disjoint(selections) { // Which ones they are is worth the time that it takes then.
		m.checkMarked(report, all)
	}
	m.checkPlain(report, all, services())
}

// checkMarked reports services whose packets would have two marks.
func (m *markings) checkMarked(report *block.Reports, all []markedClaim) {
	for i, c := range m.packets {
		for j := range all[:i] {
			if all[i].Overlaps(&all[j].Selection) {
				report.Mistake(c.At, "Overlapping virtual services", "%s and %s of %q (%s) have packets in common: let each packet belong to one service.", &all[i], &all[j], m.packets[j].Text, m.packets[j].At)
			}
		}
	}
}

// checkPlain reports services by address whose packets have a mark, by which the kernel
// hands them to another service.
func (m *markings) checkPlain(report *block.Reports, all []markedClaim, services map[string]block.Place) {
	var selections []*ipvsctl.Selection
	for i := range all {
		if all[i].Service {
			selections = append(selections, &all[i].Selection)
		}
	}
	plain := make(map[string]ipvsctl.Selection)
	for text := range services {
		protocol, address, _ := strings.Cut(text, " ")
		to, err := netip.ParseAddrPort(address)
		known := slices.IndexFunc(protocols, func(w block.Word[ipvsctl.Protocol]) bool { return w.Name == protocol })
		if err != nil || known < 0 {
			continue // by a firewall mark
		}
		if to.Port() > 0 { // What is for every port gets those that no other service has.
			one := ipvsctl.Select([]ipvsctl.AddressRange{{First: to.Addr(), Last: to.Addr()}}, []ipvsctl.Protocol{protocols[known].Value}, []ipvsctl.PortRange{{First: to.Port(), Last: to.Port()}})
			plain[text], selections = one, append(selections, &one)
		}
	}
	if ipvsctl.Disjoint(selections) {
		return
	}
	for _, text := range slices.Sorted(maps.Keys(plain)) {
		one := plain[text]
		for i := range all {
			if all[i].Service && all[i].Overlaps(&one) {
				report.Mistake(m.packets[i].At, "Overlapping virtual services", "%s has packets of %s, which is defined at %s: let each packet belong to one service.", &all[i], text, services[text])
			}
		}
	}
}

// assignMarks gives each service the firewall mark by which lvsd knows its packets.
func assignMarks(services []Service, within ipvsctl.MarkRange) {
	var names []string
	for i := range services {
		if services[i].Packets != nil {
			names = append(names, services[i].Name)
		}
	}
	if len(names) == 0 {
		return
	}
	marks := within.Assign(names)
	for i := range services {
		if s := &services[i]; s.Packets != nil {
			if s.Marked() {
				s.Key.Mark = marks[s.Name]
			}
			s.Mark = marks[s.Name]
		}
	}
}
