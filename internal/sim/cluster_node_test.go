package sim

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

var errRefused = errors.New("the kernel refuses it")

// A Node is one machine of a Cluster. Its Director is the keeper: the virtual
// router and the addresses.
type Node struct {
	*Director
	cluster *Cluster
	number  int
	kernel  *IPVS
	facts   machine.Facts

	// core is nil while the director process is down, and life tells one
	// process from the next.
	core   *director.Core
	life   int
	coreAt time.Duration
	// stalled: the process gets no processor time; waiting is what came meanwhile.
	stalled bool
	waiting []director.Input
	// blind: this director cannot ask any server, and cut: it hears nothing of any.
	blind, cut bool

	targets []checker.Target
	desired vrrp.Desired
	leaving bool
	kept    *api.Standby // beyond the process
	awaited int          // orders of which the operator does not know yet what became of them
	// told is what the keeper has reported last.
	told role
	// want is the table to be reached, and seen what the core knows about that.
	want ipvsctl.Desired
	set  bool
	seen director.TableSeen

	check check
}

// A role is what a keeper reports when it changes.
type role struct {
	state   vrrp.State
	holds   bool
	offered vrrp.Offered
}

func newNode(c *Cluster, number int) *Node {
	n := &Node{
		Director: c.Add(c.files.config(number).Routers[0]), cluster: c, number: number, kernel: NewIPVS(), coreAt: never,
		facts: machine.Facts{Forward4: true, Addresses: []netip.Prefix{netip.PrefixFrom(serverAddr(servers-1-number), 24)}},
	}
	n.kernel.Refuse = func(ipvsctl.Op) error {
		if c.chance(c.refusals) {
			return errRefused
		}
		return nil
	}
	return n
}

// Boot starts the director process. What an earlier one left in the kernel is
// found.
func (n *Node) Boot() {
	n.cluster.logf("%s: lvsd starts with %d services, version %d", n.Name, len(n.cluster.files.services), n.cluster.files.version)
	n.life++
	n.stalled, n.waiting, n.blind, n.leaving, n.set, n.seen = false, nil, false, false, false, director.TableSeen{}
	n.targets, n.told, n.awaited = nil, role{}, 0
	c := n.cluster.files.config(n.number)
	first := director.Loaded{Config: c}
	if found := n.kernel.Table(); len(c.Services)+len(found) > 0 {
		first.Found = found
	}
	n.check = newCheck(n, c, first.Found)
	core, effects := director.Begin(n.clock(), "/etc/lvsd", first, n.facts)
	n.core = core
	n.carryOut(effects)
	if n.kept != nil {
		n.handle(director.StandbyKept(*n.kept))
	}
	n.later(n.cluster.ms(1000), n.audit)
	n.later(n.cluster.ms(1000), n.probe)
}

// Kill ends the director process; with the keeper too, the machine is as after
// a crash, and without it the keeper hands over.
func (n *Node) Kill(keeper bool) {
	n.cluster.logf("%s: lvsd is killed, keeper=%t", n.Name, keeper)
	n.end()
	switch {
	case n.Router == nil:
	case keeper:
		n.Crash()
	default:
		n.Director.Stop(true)
	}
}

func (n *Node) end() {
	n.life++
	n.core, n.coreAt = nil, never
}

// later lets something happen to this process, if it is still there.
func (n *Node) later(d time.Duration, do func()) {
	life := n.life
	n.cluster.after(d, func() {
		if n.life == life {
			do()
		}
	})
}

// handle tells the core what happened, or lets it wait while it is stalled.
func (n *Node) handle(in director.Input) {
	switch {
	case n.core == nil:
	case n.stalled:
		n.waiting = append(n.waiting, in)
	default:
		n.cluster.logInput(n, in)
		n.check.before(in)
		n.carryOut(n.core.Handle(n.clock(), in))
	}
}

func (n *Node) expire() {
	n.carryOut(n.core.Expire(n.clock()))
}

// Stall takes all processor time from the director process.
func (n *Node) Stall() {
	n.cluster.logf("%s: lvsd gets no processor time", n.Name)
	n.stalled, n.coreAt = true, never
}

// Unstall gives it back.
func (n *Node) Unstall() {
	n.cluster.logf("%s: lvsd goes on with %d inputs", n.Name, len(n.waiting))
	n.stalled, n.check.beat = false, n.cluster.now
	waiting := n.waiting
	n.waiting = nil
	for _, in := range waiting {
		n.handle(in)
	}
	if n.core != nil {
		n.expire()
	}
}

// carryOut does what the core wants done, as the loop does.
func (n *Node) carryOut(effects []director.Effect) {
	for _, e := range effects {
		n.cluster.logEffect(n, e)
		n.check.effect(e)
		switch e := e.(type) {
		case director.SetTable:
			n.want, n.set, n.seen = ipvsctl.Desired(e), true, director.TableSeen{}
			n.later(n.cluster.ms(50), n.reconcile)
		case director.SetTargets:
			n.targets = unique(e)
		case director.TellKeeper:
			n.desired = vrrp.Desired(e)
			n.later(n.cluster.ms(10), n.keep)
		case director.SaveStandby:
			n.kept = e.Standby
			n.later(n.cluster.ms(6000), func() { n.handle(director.StandbySaved{Number: e.Number}) })
		case director.Conclude:
			e.Asker(e.Outcome)
		case director.Read:
			n.read(e)
		case director.Look:
			n.later(n.cluster.ms(20), func() { n.handle(n.look()) })
		case director.HandOver:
			n.leaving = true
			if n.Router != nil {
				n.Director.Stop(false)
			}
		}
	}
	n.check.deadline()
	n.check.conditions()
	left := time.Duration(float64(n.core.Deadline().Sub(n.clock())) / n.rate)
	n.coreAt = n.cluster.now + max(left, 0) + 2 + n.cluster.upTo(n.cluster.Lateness)
}

// look is what the machine tells: the virtual address is there while it is held.
func (n *Node) look() director.MachineSeen {
	if n.blind {
		return director.MachineSeen{Err: errRefused}
	}
	seen := n.facts
	if n.Holds {
		seen.Addresses = append(slices.Clip(seen.Addresses), netip.PrefixFrom(virtual, 24))
	}
	return director.MachineSeen{Facts: seen}
}

func unique(targets []*checker.Target) []checker.Target {
	var all []checker.Target
	for _, t := range targets {
		if !slices.Contains(all, *t) {
			all = append(all, *t)
		}
	}
	return all
}

// read reads the files as they are when the reading begins, which takes a
// while, or hangs.
func (n *Node) read(r director.Read) {
	in := director.ReadingEnded{Number: r.Number, Loaded: n.cluster.files.load(n.number, r.Running)}
	takes := n.cluster.ms(500)
	if n.cluster.chance(n.cluster.hangs) {
		takes += 25*time.Second + n.cluster.ms(20_000)
	}
	n.later(takes, func() {
		if r.Open && in.Config != nil && len(in.Config.Services) > 0 {
			in.Found = n.kernel.Table()
		}
		n.handle(in)
	})
}

// keep is the keeper, which has heard what shall run.
func (n *Node) keep() {
	waits := slices.ContainsFunc(n.desired.Conditions, func(c vrrp.Condition) bool { return !c.OK && !c.Tracked && c.Penalty == 0 })
	c := n.desired.Routers[0]
	switch {
	case n.leaving || n.memory.stopped && n.Router != nil:
	case n.Router != nil:
		if n.Config.Priority != c.Priority || n.Config.Preempt != c.Preempt {
			n.Update(c)
		}
		n.do(n.Router.Adjust(n.clock(), n.penalty()))
		for _, o := range n.desired.Offers {
			n.cluster.disturb(func() { n.do(n.Router.Offer(n.clock(), o)) })
		}
		switch {
		case waits && n.State() != vrrp.Initialize:
			n.Fault(false)
		case !waits && n.faulted && n.State() == vrrp.Initialize:
			n.Repair()
		}
	case !waits:
		n.Config = c
		n.Start()
	}
}

// penalty is what the priority changes by, as the keeper works it out.
func (n *Node) penalty() (effect int) {
	for _, c := range n.desired.Conditions {
		if !c.OK && !c.Tracked {
			effect -= c.Penalty
		}
	}
	return effect
}

// follow tells the core of the router's role, and of the end of a hand-over.
func (n *Node) follow() {
	if n.core == nil {
		return
	}
	n.check.follow()
	if r := (role{n.State(), n.Holds, n.offered()}); r != n.told {
		n.told = r
		n.later(n.cluster.ms(20), func() { n.handle(n.statuses()) })
	}
	if n.leaving && n.Router == nil && !n.stalled {
		n.handle(director.HandedOver{})
		n.cluster.logf("%s: lvsd has ended", n.Name)
		n.end()
	}
}

// offered is what became of the last order of an operator.
func (n *Node) offered() vrrp.Offered {
	if n.Router == nil {
		return vrrp.Offered{}
	}
	return n.Router.Status().Offered
}

// order is what an operator orders, who is told what became of it.
func (n *Node) order(in director.Input) {
	if n.core == nil {
		return
	}
	n.awaited++
	life := n.life
	told := func(api.Ordered) {
		if n.life == life {
			n.awaited--
		}
	}
	switch o := in.(type) {
	case director.Failover:
		o.Asker = told
		in = o
	case director.StandBy:
		o.Asker = told
		in = o
	case director.Resume:
		o.Asker = told
		in = o
	}
	n.handle(in)
}

func (n *Node) statuses() director.RoutersSeen {
	if n.Router == nil {
		return director.RoutersSeen{{Name: "outside"}}
	}
	s := n.Router.Status()
	if n.Holds {
		s.Held = len(s.Addresses)
	}
	return director.RoutersSeen{new(s)}
}

// audit compares the table with the kernel's every second, as the reconciler
// does.
func (n *Node) audit() {
	n.reconcile()
	n.later(time.Second, n.audit)
}

// reconcile writes what differs.
func (n *Node) reconcile() {
	if !n.set || n.stalled {
		return
	}
	ops := ipvsctl.Diff(n.kernel.Table(), n.want.Table, func(ipvsctl.ServiceKey) bool { return true })
	failures, err := n.kernel.Apply(context.Background(), ops)
	seen := director.TableSeen{Converged: err == nil && len(failures) == 0, Refused: err != nil || len(failures) > 0}
	if seen.Converged != n.seen.Converged || seen.Refused != n.seen.Refused {
		n.seen = seen
		n.handle(seen)
	}
}

// probe asks every target.
func (n *Node) probe() {
	n.later(probeInterval, n.probe)
	if n.stalled || len(n.targets) == 0 {
		return
	}
	var all director.Probed
	for _, t := range n.targets {
		all = append(all, director.Observation{Target: t, Result: n.ask(t)})
	}
	// Results come at once, or in two bursts.
	if i := n.cluster.rng.IntN(len(all) + 1); i > 0 && i < len(all) {
		n.handle(all[:i])
		all = all[i:]
	}
	n.handle(all)
}

func (n *Node) ask(t checker.Target) checker.Result {
	r := checker.Result{At: n.clock(), Outcome: checker.Passed}
	switch {
	case n.blind:
		r.Outcome, r.Detail = checker.NotRun, "no route"
	case n.cut:
		r.Outcome, r.Silent, r.Detail = checker.Failed, true, "timeout after 1s while connecting"
	case n.cluster.dead[numberOf(t.Addr)] || n.cluster.chance(n.cluster.flaky):
		r.Outcome, r.Detail = checker.Failed, "connection refused"
	}
	return r
}

func numberOf(a netip.Addr) int { return int(a.As4()[3]) - 1 }

// running is the configuration that the director should run.
func (n *Node) running() *config.Config { return n.check.running }
