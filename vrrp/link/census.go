package link

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/vrrp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// RouteProtocol is noted by the kernel with every route and rule of ours
// (rtm_protocol, FRA_PROTOCOL), as VRRP's IP protocol number, which nobody else has in
// iproute2's rt_protos: what has it is ours, also after a crash, and nothing else is
// ever removed.
const RouteProtocol = vrrp.Protocol

// A place is what two routes of the kernel differ in, or one of them is in the other's
// way.
type place struct {
	destination netip.Prefix
	table       int
	metric      int
}

func placeOf(r *netlink.Route) place {
	return place{prefix(r.Dst), cmp.Or(r.Table, unix.RT_TABLE_MAIN), r.Priority}
}

// alike reports whether a route of the kernel's is as it is wanted. Where no interface
// is wanted, any is right, and a route that leads nowhere has none.
func alike(wanted, o *netlink.Route) bool {
	if placeOf(wanted) != placeOf(o) || wanted.Type != cmp.Or(o.Type, unix.RTN_UNICAST) {
		return false
	}
	return wanted.Type != unix.RTN_UNICAST ||
		(wanted.LinkIndex == 0 || wanted.LinkIndex == o.LinkIndex) && wanted.Gw.Equal(o.Gw) && wanted.Src.Equal(o.Src) &&
			wanted.MTU == o.MTU && wanted.AdvMSS == o.AdvMSS && wanted.Hoplimit == o.Hoplimit && wanted.Window == o.Window && wanted.Scope == o.Scope && (wanted.Flags^o.Flags)&int(netlink.FLAG_ONLINK) == 0
}

// prefix is a network of the kernel's; invalid: there is none.
func prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.Prefix{}
	}
	a, _ := netip.AddrFromSlice(n.IP)
	if len(n.Mask) == net.IPv4len {
		a = a.Unmap()
	}
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a, ones)
}

// paths is what is asked about routes and rules: a *netlink.Handle, or in tests one with which
// that goes wrong.
type paths interface {
	RouteAdd(r *netlink.Route) error
	RouteDel(r *netlink.Route) error
	RouteListFiltered(family int, filter *netlink.Route, mask uint64) ([]netlink.Route, error)
	RuleAdd(r *netlink.Rule) error
	RuleDel(r *netlink.Rule) error
	RuleList(family int) ([]netlink.Rule, error)
}

// listShare is how much longer than a look at the routes took the next one waits: with
// a full Internet table the kernel looks through a million of them for ours, and nobody
// can change an address meanwhile.
const listShare = 100

// A census is the routes of ours, of all tables, as they were listed last.
type census struct {
	own   []netlink.Route
	again time.Time // when they may be listed again
	stale bool      // they have been changed here since then
}

// routes are the routes of ours in all tables, as listed now or a moment ago. The
// kernel picks them out.
func (c *census) routes(h paths) ([]netlink.Route, error) {
	if !c.stale && time.Now().Before(c.again) {
		return c.own, nil
	}
	began := time.Now()
	all, err := whole(func() ([]netlink.Route, error) {
		return h.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Protocol: RouteProtocol}, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("listing routes: %w", err)
	}
	*c = census{own: all, again: again(began)}
	return all, nil
}

// again is when something may be done again that began then and has just ended.
func again(began time.Time) time.Time {
	now := time.Now()
	return now.Add(listShare * now.Sub(began))
}

// An obstacle is what is in the place of a route that is wanted, and not ours.
type obstacle struct {
	known chan struct{} // closed when what follows is
	found *netlink.Route
	err   error
	again time.Time // when to look again
}

// obstacles are those that were found, by place.
type obstacles map[place]*obstacle

// lookFor is how long holding a route waits until it is known what is in its place.
const lookFor = 20 * time.Millisecond

// inTheWay returns why a route that somebody else has added is not as good as the
// wanted one; nil: it is the same, and stays when ours would go. A large table is looked
// through beside everything else.
func (all obstacles) inTheWay(at place, wanted *netlink.Route) error {
	o := all[at]
	if o == nil || o.outdated() {
		o = &obstacle{known: make(chan struct{})}
		all[at] = o
		go func() { defer close(o.known); o.look(at, wanted) }()
	}
	shown := ""
	select {
	case <-o.known:
		switch {
		case o.err != nil:
			return o.err
		case o.found == nil:
			return unix.EEXIST
		case alike(wanted, o.found):
			return nil
		}
		shown = " (" + o.String() + ")"
	case <-time.After(lookFor):
	}
	return fault.New("EEXIST", fmt.Errorf("there is another one already, which is not lvsd's%s: remove that one, or write another metric", shown))
}

func (o *obstacle) outdated() bool {
	select {
	case <-o.known:
		return time.Now().After(o.again)
	default:
		return false
	}
}

// String is where it leads.
func (o *obstacle) String() string {
	text := "to the same destination"
	if o.found.Gw != nil {
		text = "via " + o.found.Gw.String()
	}
	return fmt.Sprintf("%s, protocol %s", text, o.found.Protocol)
}

// look looks for the route in a place: by asking where its destination leads, and in
// the whole table if that is another one.
func (o *obstacle) look(at place, wanted *netlink.Route) {
	began := time.Now()
	defer func() { o.again = again(began) }()
	h, err := strictHandle()
	if err != nil {
		o.err = err
		return
	}
	defer h.Close()
	leads, _ := h.RouteGetWithOptions(wanted.Dst.IP, &netlink.RouteGetOptions{FIBMatch: true})
	if len(leads) == 1 && placeOf(&leads[0]) == at {
		o.found = &leads[0]
		return
	}
	// A table may have a million routes, and this process locks its memory.
	_, o.err = whole(func() ([]netlink.Route, error) {
		return nil, h.RouteListFilteredIter(wanted.Family, &netlink.Route{Table: wanted.Table}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if placeOf(&r) == at {
				o.found = &r
			}
			return o.found == nil
		})
	})
}

// strictHandle returns a handle that has the kernel pick out what is listed.
func strictHandle() (*netlink.Handle, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	_ = h.SetStrictCheck(true) // Without it, all routes are looked through here.
	return h, nil
}

// dumpTries bounds how often a list that changed while it was read is read again.
const dumpTries = 10

// whole repeats a dump until nothing changed while it was read.
func whole[T any](dump func() ([]T, error)) (rows []T, err error) {
	for range dumpTries {
		if rows, err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return rows, err
		}
	}
	return rows, fault.New(fault.CutShort, err)
}
