package link

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// holdRules makes it so that rules are there.
func (l *Link) holdRules(rules []vrrp.Rule) (added, missing []vrrp.Rule, err error) {
	if len(rules) == 0 {
		return nil, nil, nil
	}
	there, err := l.ownRules()
	errs := []error{err}
	for _, r := range rules {
		if slices.Contains(there, ruleOf(rule(r))) {
			continue
		}
		if err := l.holdRule(r, there); err != nil {
			missing = append(missing, r)
			errs = append(errs, fmt.Errorf("adding %s: %w", r, err))
			continue
		}
		added, there = append(added, r), append(there, ruleOf(rule(r)))
	}
	return added, missing, errors.Join(errs...)
}

// holdRule adds a rule. The kernel refuses one where it has one of that priority and table
// that is for fewer packets, which it takes for the same: such of ours come behind it. Of
// somebody else it is none, since that has another protocol.
func (l *Link) holdRule(r vrrp.Rule, there []vrrp.Rule) error {
	err := l.rules.RuleAdd(rule(r))
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	narrower := slices.DeleteFunc(slices.Clone(there), func(o vrrp.Rule) bool { return !fits(ruleOf(rule(r)), o) })
	if len(narrower) == 0 {
		return fault.New("EEXIST", errors.New("the kernel takes it for another one of that priority and table: write another priority"))
	}
	var errs []error
	for _, o := range narrower {
		errs = append(errs, l.rules.RuleDel(rule(o)))
	}
	for _, o := range slices.Insert(narrower, 0, r) {
		errs = append(errs, l.rules.RuleAdd(rule(o)))
	}
	return errors.Join(errs...)
}

// releaseRules makes it so that rules are not there. The kernel removes the first one that
// fits, and takes what it is not told for any: others that it takes are put back.
func (l *Link) releaseRules(rules []vrrp.Rule) (removed []vrrp.Rule, err error) {
	if len(rules) == 0 {
		return nil, nil
	}
	there, err := l.ownRules()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, r := range rules {
		i := slices.Index(there, ruleOf(rule(r)))
		if i < 0 {
			continue
		}
		taken := slices.DeleteFunc(slices.Clone(there[:i]), func(o vrrp.Rule) bool { return !fits(there[i], o) })
		there = append(slices.DeleteFunc(slices.Delete(there, i, i+1), func(o vrrp.Rule) bool { return slices.Contains(taken, o) }), taken...)
		if err := l.removeRule(r, len(taken)+1); err != nil {
			errs = append(errs, fmt.Errorf("removing %s: %w", r, err))
		} else {
			removed = append(removed, r)
		}
		_, _, err := l.holdRules(taken)
		errs = append(errs, err)
	}
	return removed, errors.Join(errs...)
}

// removeRule removes that many rules, of which it is the last one.
func (l *Link) removeRule(r vrrp.Rule, n int) error {
	for range n {
		if err := l.rules.RuleDel(rule(r)); err != nil {
			return err // Also where it was there a moment ago, and is not now: it is looked again.
		}
	}
	return nil
}

// fits reports whether a rule is one that the kernel takes for another when it is told
// to remove that (rule_find in net/core/fib_rules.c).
func fits(r, o vrrp.Rule) bool {
	return r.Family == o.Family && r.Priority == o.Priority && r.Table == o.Table &&
		(!r.From.IsValid() || r.From == o.From) && (!r.To.IsValid() || r.To == o.To) &&
		(r.In == "" || r.In == o.In) && (r.Out == "" || r.Out == o.Out) &&
		(r.Mark == 0 || r.Mark == o.Mark) && (r.Mask == 0 || r.Mask == o.Mask) &&
		(r.Protocol == 0 || r.Protocol == o.Protocol) && (!r.Suppress.On || r.Suppress == o.Suppress) &&
		(r.SourcePorts == vrrp.Ports{} || r.SourcePorts == o.SourcePorts) && (r.DestinationPorts == vrrp.Ports{} || r.DestinationPorts == o.DestinationPorts)
}

// ownRules lists the rules of ours, in the kernel's order.
func (l *Link) ownRules() (own []vrrp.Rule, err error) {
	for _, family := range [...]int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := whole(func() ([]netlink.Rule, error) { return l.rules.RuleList(family) })
		if err != nil {
			return nil, fmt.Errorf("listing rules: %w", err)
		}
		for i := range all {
			if all[i].Protocol == RouteProtocol {
				own = append(own, ruleOf(&all[i]))
			}
		}
	}
	return own, nil
}

// rule is a rule as it is given to the kernel.
func rule(r vrrp.Rule) *netlink.Rule {
	k := netlink.NewRule()
	k.Family, k.Priority, k.Table, k.Protocol = netlink.FAMILY_V4, int(r.Priority), int(r.Table), RouteProtocol
	if r.Family == 6 {
		k.Family = netlink.FAMILY_V6
	}
	if r.From.IsValid() {
		k.Src = ipNet(r.From)
	}
	if r.To.IsValid() {
		k.Dst = ipNet(r.To)
	}
	k.IifName, k.OifName = r.In, r.Out
	if r.Mask != 0 {
		k.Mark, k.Mask = r.Mark, &r.Mask
	}
	k.IPProto = int(r.Protocol)
	k.Sport, k.Dport = portRange(r.SourcePorts), portRange(r.DestinationPorts)
	if r.Suppress.On {
		k.SuppressPrefixlen = int(r.Suppress.Length)
	}
	return k
}

func (l *Link) sweepRules(keep []vrrp.Rule) error {
	there, err := l.ownRules()
	if err != nil {
		return err
	}
	kept := func(r vrrp.Rule) bool {
		return slices.ContainsFunc(keep, func(k vrrp.Rule) bool { return ruleOf(rule(k)) == r })
	}
	_, err = l.releaseRules(slices.DeleteFunc(there, kept))
	return err
}

// ruleOf is a rule of the kernel's as vrrp has it. It tells no network that is all.
func ruleOf(k *netlink.Rule) vrrp.Rule {
	r := vrrp.Rule{Family: 4, Priority: uint32(k.Priority), Table: uint32(k.Table), In: k.IifName, Out: k.OifName}
	if from := prefix(k.Src); from.Bits() > 0 {
		r.From = from
	}
	if to := prefix(k.Dst); to.Bits() > 0 {
		r.To = to
	}
	if k.Family == netlink.FAMILY_V6 {
		r.Family = 6
	}
	if k.Mask != nil {
		r.Mark, r.Mask = k.Mark, *k.Mask
	}
	r.Protocol, r.SourcePorts, r.DestinationPorts = uint8(k.IPProto), portsOf(k.Sport), portsOf(k.Dport)
	if k.SuppressPrefixlen >= 0 {
		r.Suppress = vrrp.Suppression{On: true, Length: uint8(k.SuppressPrefixlen)}
	}
	return r
}

func portRange(p vrrp.Ports) *netlink.RulePortRange {
	if p == (vrrp.Ports{}) {
		return nil
	}
	return netlink.NewRulePortRange(p.First, p.Last)
}

func portsOf(p *netlink.RulePortRange) vrrp.Ports {
	if p == nil {
		return vrrp.Ports{}
	}
	return vrrp.Ports{First: p.Start, Last: p.End}
}
