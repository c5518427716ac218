package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// A tracking is what all blocks say of conditions together.
type tracking struct {
	definitions []definition
	references  []block.Claim // to conditions that are defined elsewhere
	pinged      []block.Claim // addresses
	services    []block.Claim // that conditions are about
	suspended   []block.Claim // services whose checks run on the Master
}

func (t *tracking) add(c block.Claim) {
	of := map[int]*[]block.Claim{conditionReference: &t.references, pingedAddress: &t.pinged, trackedService: &t.services, suspendedService: &t.suspended}
	*of[c.Kind] = append(*of[c.Kind], c)
}

// checkDefinitions reports conditions of one name that are two things. In place the
// same may be said as often as it is tracked.
func (t *tracking) checkDefinitions(report *block.Reports) {
	first := make(map[string]*definition)
	for i := range t.definitions {
		d := &t.definitions[i]
		before := first[d.Name]
		switch {
		case d.implied:
		case before == nil:
			first[d.Name] = d
		case d.shared || before.shared || !d.same(before):
			kind, name, _ := strings.Cut(d.Name, " ")
			report.Mistake(d.at, fmt.Sprintf("Duplicate condition %q %q", kind, name), "It is already defined at %s: define it once, by condition %q %q { … } at the top level of a file, and write track %[2]q %[3]q {} with nothing but a weight and reverse, or choose another name.",
				before.at, kind, name)
		}
	}
}

// checkReferences reports conditions that are tracked and nowhere defined, and those
// that are defined and never tracked.
func (t *tracking) checkReferences(report *block.Reports, routers []vrrp.Config) {
	defined, used := t.defined(), make(map[string]bool)
	for i := range routers {
		for _, track := range routers[i].Track {
			used[track.Condition] = true
		}
	}
	for _, c := range t.references {
		if d := defined[c.Key]; d != nil {
			if d.Counts && c.Text == "0" {
				report.Mistake(c.At, "Number without weight", "This condition is a number, which is multiplied by a weight: write for example weight = 1.")
			}
			continue
		}
		kind, name, _ := strings.Cut(c.Key, " ")
		report.Mistake(c.At, fmt.Sprintf("Unknown condition %q", name), "%sNo block condition %q %q defines it: write one at the top level of a file, or say in this track block what it is.",
			language().DidYouMean(name, ofKind(kind, defined)), kind, name)
	}
	for _, d := range t.definitions {
		if d.shared && !used[d.Name] {
			kind, name, _ := strings.Cut(d.Name, " ")
			report.Doubt(d.at, "Unused condition", "No virtual router tracks it, so it is not watched: remove it, or write track %q %q {} in a virtual_router.", kind, name)
		}
	}
}

// checkServices reports conditions about services that do not exist.
func (t *tracking) checkServices(report *block.Reports, services []string) {
	if len(t.services) == 0 {
		return
	}
	known := make(map[string]bool)
	for _, name := range services {
		known[name] = true
	}
	for _, c := range t.services {
		if !known[c.Key] {
			known[c.Key] = true // It is told once.
			report.Mistake(c.At, fmt.Sprintf("Unknown virtual_service %q", c.Key), "%sThere is no virtual service of this name: write the label of its block.", language().DidYouMean(c.Key, services))
		}
	}
}

// checkSuspended reports conditions about services whose servers a Backup does not check,
// and warns about services that no virtual router moves.
func (t *tracking) checkSuspended(report *block.Reports, routers []vrrp.Config) {
	holders := Holders(routers)
	for _, s := range t.suspended {
		for _, c := range t.services {
			if c.Key == s.Key {
				report.Mistake(c.At, "Condition about a suspended service", "A Backup does not check the servers of %q (ha_suspend, %s), so it can't know whether they are up: remove ha_suspend there, or the condition.", c.Key, s.At)
			}
		}
		a, err := netip.ParseAddr(s.Text)
		if _, moves := holders[a]; len(routers) == 0 || err == nil && !moves {
			report.Doubt(s.At, "Option without effect", "No virtual router has the address of %q, so its checks always run: remove ha_suspend.", s.Key)
		}
	}
}

// checkPinged warns about addresses whose answer says nothing, and about directors
// that stand back for each other.
func (t *tracking) checkPinged(report *block.Reports, routers []vrrp.Config) {
	virtual := Holders(routers)
	for _, c := range t.pinged {
		if a, err := netip.ParseAddr(c.Key); err == nil && virtual[a] != "" {
			report.Doubt(c.At, "Virtual address", "%s is an address of virtual router %q: whichever director is Master answers for it, and itself always does. Write an address that does not move.", a, virtual[a])
		}
	}
	defined := t.defined()
	for i := range routers {
		checkPeers(report, &routers[i], defined)
	}
}

// checkPeers warns where a router stands back because the other director does not
// answer, or because it does: then nobody is Master.
func checkPeers(report *block.Reports, r *vrrp.Config, defined map[string]*definition) {
	for _, track := range r.Track {
		d := defined[track.Condition]
		if d == nil || track.Weight != 0 || len(d.Checks) == 0 {
			continue
		}
		peers := 0
		for _, c := range d.Checks {
			if slices.Contains(r.Peers, c.Target.Addr) {
				peers++
			}
		}
		switch {
		case track.Reverse && peers >= d.Minimum:
			report.Doubt(d.at, "Both directors would stand back", "Virtual router %q stands back while its own peer answers (reverse), and so does the peer: while both directors are well, none would be Master. Remove the peers' addresses from it, or track it with a weight.", r.Name)
		case !track.Reverse && peers > len(d.Checks)-d.Minimum:
			report.Doubt(d.at, "Both directors would stand back", "Virtual router %q needs an answer of its own peer: while the other director is dead, this one would not be Master either. Remove the peers' addresses from it, or track it with a weight.", r.Name)
		}
	}
}

// ofKind returns the names of conditions of a kind, without it.
func ofKind(kind string, conditions map[string]*definition) (names []string) {
	for _, c := range slices.Sorted(maps.Keys(conditions)) {
		if name, ok := strings.CutPrefix(c, kind+" "); ok {
			names = append(names, name)
		}
	}
	return names
}

// defined are the definitions by their names, of which one in words counts more than
// one that a name alone implies.
func (t *tracking) defined() map[string]*definition {
	all := make(map[string]*definition)
	for i := range t.definitions {
		d := &t.definitions[i]
		if known := all[d.Name]; known == nil || known.implied {
			all[d.Name] = d
		}
	}
	return all
}

// resolve returns the conditions that the director watches, as they are tracked, and lets
// the routers know what the definitions say to them.
func (t *tracking) resolve(routers []vrrp.Config) (watched []Condition) {
	defined, taken := t.defined(), make(map[string]bool)
	for i := range routers {
		for j := range routers[i].Track {
			track := &routers[i].Track[j]
			d := defined[track.Condition]
			if d == nil {
				continue // The name says all.
			}
			track.UpAfter, track.DownAfter = d.upAfter, d.downAfter
			if d.watched() && !taken[d.Name] {
				taken[d.Name] = true
				watched = append(watched, d.Condition)
			}
		}
	}
	return watched
}
