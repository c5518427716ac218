package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/vrrp"
)

// A wrong is how an exchange about routes and rules goes wrong.
type wrong struct {
	name string
	// err is what comes of it; done: the kernel has carried it out all the same.
	err  error
	done bool
	// list is what becomes of a list without an error, or with err: from one row on, or with
	// the first one twice.
	from  int
	twice bool
	// times is how often; 0: once.
	times int
}

var wrongs = []wrong{
	{name: "EAGAIN where the kernel is asked", err: unix.EAGAIN},
	{name: "ENOBUFS where the kernel is asked", err: unix.ENOBUFS},
	{name: "EINTR where the kernel is asked", err: unix.EINTR},
	{name: "an answer that never comes", err: unix.EAGAIN, done: true}, // The library's word for it.
	{name: "ENOBUFS in place of the answer", err: unix.ENOBUFS, done: true},
	{name: "EINTR in place of the answer", err: unix.EINTR, done: true},
	{name: "EBUSY as the answer", err: unix.EBUSY},
	{name: "ENOMEM as three answers", err: unix.ENOMEM, times: 3},
	{name: "EEXIST as the answer", err: unix.EEXIST},
	{name: "ENOENT as the answer", err: unix.ENOENT},
	{name: "EOPNOTSUPP as each answer, since the module is gone", err: unix.EOPNOTSUPP, times: 5},
	{name: "a list of what was changed meanwhile", err: netlink.ErrDumpInterrupted, done: true},
	{name: "a list of what is always changed meanwhile", err: netlink.ErrDumpInterrupted, done: true, times: dumpTries + 1},
	{name: "a list without its first row", from: 1, done: true},
	{name: "a list with one row twice", twice: true, done: true},
}

// faulty are routes and rules of the real kernel, about which exchanges go wrong.
type faulty struct {
	paths
	wrong wrong
	after int // so many exchanges that go well
	left  int // so many times
}

func (f *faulty) arm(w wrong, after int) { f.wrong, f.after, f.left = w, after, max(1, w.times) }

// exchange carries one out, if the kernel hears of it.
func (f *faulty) exchange(list bool, do func() error) error {
	if f.after--; f.after >= 0 || f.left == 0 || f.wrong.done && !list && f.wrong.err == nil || errors.Is(f.wrong.err, netlink.ErrDumpInterrupted) && !list {
		return do()
	}
	f.left--
	if f.wrong.done {
		if err := do(); err != nil {
			return err
		}
	}
	return f.wrong.err
}

// listed is a list as it comes.
func listed[T any](f *faulty, do func() ([]T, error)) (all []T, err error) {
	was := f.left
	err = f.exchange(true, func() (err error) { all, err = do(); return err })
	if f.left < was && len(all) > 0 {
		if all = all[f.wrong.from:]; f.wrong.twice {
			all = append(all[:1:1], all...)
		}
	}
	return all, err
}

func (f *faulty) RouteAdd(r *netlink.Route) error {
	return f.exchange(false, func() error { return f.paths.RouteAdd(r) })
}

func (f *faulty) RouteDel(r *netlink.Route) error {
	return f.exchange(false, func() error { return f.paths.RouteDel(r) })
}

func (f *faulty) RuleAdd(r *netlink.Rule) error {
	return f.exchange(false, func() error { return f.paths.RuleAdd(r) })
}

func (f *faulty) RuleDel(r *netlink.Rule) error {
	return f.exchange(false, func() error { return f.paths.RuleDel(r) })
}

func (f *faulty) RouteListFiltered(family int, filter *netlink.Route, mask uint64) ([]netlink.Route, error) {
	return listed(f, func() ([]netlink.Route, error) { return f.paths.RouteListFiltered(family, filter, mask) })
}

func (f *faulty) RuleList(family int) ([]netlink.Rule, error) {
	return listed(f, func() ([]netlink.Rule, error) { return f.paths.RuleList(family) })
}

// Whatever goes wrong between lvsd and the kernel about routes and rules, and at whichever
// exchange of a pass: it is told with its kind, the passes after it make them what is wanted,
// and those of others stay.
func TestFaultsOfRoutesAndRules(t *testing.T) {
	l := before(t)
	theirs := shown(t)
	routes, rules := &faulty{paths: l.routes}, &faulty{paths: l.rules}
	l.routes, l.rules = routes, rules
	const exchanges = 4
	states := []vrrp.Holdings{some(9, 4, 1, 2), some(8, 4, 2, 3), some(8, 1, 3), {}}
	have := vrrp.Holdings{}
	for _, w := range wrongs {
		t.Run(w.name, func(t *testing.T) {
			for n := range 2 * exchanges * len(states) {
				want, after := states[n%len(states)], n/len(states)
				if after < exchanges {
					routes.arm(w, after)
				} else {
					rules.arm(w, after-exchanges)
				}
				for passes := 0; ; passes++ {
					err := pass(t, l, want, have)
					if err == nil {
						break
					}
					if passes > 20 {
						t.Fatalf("after %d that go well, state %d, it never ends: %v", after, n%len(states), err)
					}
					time.Sleep(lookFor / 4) // A list is used again for some milliseconds.
				}
				routes.left, rules.left, have = 0, 0, want
				if diff := cmp.Diff(written(want), there(t)); diff != "" {
					t.Fatalf("after %d that go well, state %d (-want +got)\n%s", after, n%len(states), diff)
				}
			}
		})
	}
	if diff := cmp.Diff(theirs, shown(t)); diff != "" {
		t.Errorf("those of others (-want +got)\n%s", diff)
	}
}

// pass makes the kernel agree as the worker of virtual routers does, and returns why
// that did not go well.
func pass(t *testing.T, l *Link, want, have vrrp.Holdings) error {
	t.Helper()
	unwanted := vrrp.Holdings{
		Routes: slices.DeleteFunc(slices.Clone(have.Routes), func(r vrrp.Route) bool { return slices.Contains(want.Routes, r) }),
		Rules:  slices.DeleteFunc(slices.Clone(have.Rules), func(r vrrp.Rule) bool { return slices.Contains(want.Rules, r) }),
	}
	_, missing, held := l.Hold(want)
	_, released := l.Release(unwanted)
	for _, err := range []error{held, released} {
		var known interface{ FaultKind() string }
		if err != nil && !errors.As(err, &known) {
			t.Errorf("%v is of no kind", err)
		}
	}
	if text := missing.String(); held == nil && text != "" {
		t.Errorf("%s is missing, and nothing went wrong", text)
	}
	return errors.Join(held, released)
}

// before returns a link on a machine with an interface, and a route and a rule of somebody
// else's beside each of lvsd's.
func before(t *testing.T) *Link {
	t.Helper()
	for _, line := range []string{
		"link add paths0 type veth peer name paths1", "addr add 10.9.7.1/24 dev paths0", "link set paths0 up", "link set paths1 up",
		"route add 10.71.0.0/16 via 10.9.7.7 dev paths0 metric 5", "rule add priority 71 from 10.71.0.0/16 lookup 7",
	} {
		netnstest.Run(t, "ip "+line)
	}
	t.Cleanup(func() {
		netnstest.Run(t, "ip rule del priority 71 from 10.71.0.0/16 lookup 7")
		netnstest.Run(t, "ip link del paths0")
	})
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.asking.close)
	all, err := l.list()
	if err != nil {
		t.Fatal(err)
	}
	v := &view{devices: make(map[string]*device)}
	for _, d := range all {
		v.devices[d.name] = d
	}
	l.view.Store(v)
	return l
}

// some are routes by a gateway, and rules, of which the kernel takes each for the fourth one.
func some(gateway byte, which ...byte) (h vrrp.Holdings) {
	for _, n := range which {
		to := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 70 + n, 0, 0}), 16)
		h.Routes = append(h.Routes, vrrp.Route{Destination: to, Table: vrrp.MainTable, Interface: "paths0", Via: netip.AddrFrom4([4]byte{10, 9, 7, gateway})})
		r := vrrp.Rule{Family: 4, Priority: 71, Table: 7, To: to}
		if n == 4 {
			r.To = netip.Prefix{}
		}
		h.Rules = append(h.Rules, r)
	}
	return h
}

// written is how they are told of.
func written(h vrrp.Holdings) (all []string) {
	for _, r := range h.Routes {
		all = append(all, fmt.Sprintf("%v via %v", r.Destination, r.Via))
	}
	for _, r := range h.Rules {
		all = append(all, fmt.Sprintf("%d: to %v lookup %d", r.Priority, r.To, r.Table))
	}
	slices.Sort(all)
	return all
}

// there are those of lvsd's that the kernel has, by a way on which nothing goes wrong.
func there(t *testing.T) (all []string) {
	t.Helper()
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: RouteProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes {
		all = append(all, fmt.Sprintf("%v via %v", r.Dst, r.Gw))
	}
	rules, err := netlink.RuleList(netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if r.Protocol == RouteProtocol {
			all = append(all, fmt.Sprintf("%d: to %v lookup %d", r.Priority, prefix(r.Dst), r.Table))
		}
	}
	slices.Sort(all)
	return all
}

// shown is what iproute2 shows of all.
func shown(t *testing.T) string {
	t.Helper()
	return netnstest.Run(t, "ip -4 route show table all") + netnstest.Run(t, "ip -4 rule show")
}
