package director

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A packetKernel has a table and rules, and does what it is asked when a test tells it.
type packetKernel struct {
	core      *Core
	config    *config.Config
	table     ipvsctl.Table
	rules     ipvsctl.Ruleset
	wantTable ipvsctl.Table
	wantRules ipvsctl.Ruleset
	// written and set: the table and the rules are those that are wanted.
	written, set bool
	// before are rules that were there before, and until when: packets may have passed them.
	before []passed
	steps  []string // what came to pass
}

// A passed ruleset was there until a time.
type passed struct {
	rules ipvsctl.Ruleset
	until time.Time
}

func (k *packetKernel) step(what string) { k.steps = append(k.steps, what) }

// reload has the core run another configuration.
func (k *packetKernel) reload(now time.Time, c *config.Config) {
	text := "it reads"
	for i := range c.Services {
		s := &c.Services[i]
		text += fmt.Sprintf(" %s %v", s.Name, s.Key)
		for j := range s.Servers {
			text += " " + s.Servers[j].Name
		}
	}
	k.step(text)
	k.config = c
	k.take(k.core.Handle(now, Reload{}))
	k.take(k.core.Handle(now, ReadingEnded{k.core.reload.number, Loaded{Config: c}}))
}

// take notes what the core wants.
func (k *packetKernel) take(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case SetTable:
			k.wantTable, k.written = e.Table, false
		case SetRules:
			k.wantRules, k.set = ipvsctl.Ruleset(e), false
		}
	}
}

// write does what was asked of IPVS, and mark what was asked of nftables.
func (k *packetKernel) write(now time.Time) { k.table, k.written = k.wantTable, true; k.told(now) }
func (k *packetKernel) mark(now time.Time) {
	k.before = append(k.before, passed{k.rules, now})
	k.rules, k.set = k.wantRules, true
	k.told(now)
}

// told tells the core how far the kernel is.
func (k *packetKernel) told(now time.Time) {
	k.take(k.core.Handle(now, TableSeen{Converged: k.written, Unruled: !k.set}))
}

// served reports whether a packet to port 80 finds a server, also if it has passed nftables
// some time ago.
func (k *packetKernel) served(now time.Time) bool {
	for _, p := range k.before {
		if now.Sub(p.until) < packetPatience && !k.leads(p.rules) {
			return false
		}
	}
	return k.leads(k.rules)
}

// leads reports whether a packet that has passed some rules finds a server, as IPVS looks
// for it.
func (k *packetKernel) leads(rules ipvsctl.Ruleset) bool {
	key := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}
	mark := rules.MarkOf(key)
	vs, known := k.table[ipvsctl.ServiceKey{Mark: mark, Addr: netip.IPv4Unspecified()}]
	if !known || mark == 0 {
		vs = k.table[key]
	}
	for _, d := range vs.Destinations {
		if d.Value.Weight > 0 {
			return true
		}
	}
	return false
}

// A marksWorld makes configurations in which port 80 of the virtual address is served.
type marksWorld struct {
	*rand.Rand
	// checked: servers are asked before they are up, and so "web" has the port always: a
	// service of another name does not take over from it.
	checked bool
}

// config is one of them: the port is served by address or by a mark, alone or with others, and
// beside services that come and go.
func (r marksWorld) config(n int) *config.Config {
	services := [][]config.Service{
		{r.byAddress("web", 80)},
		{r.byMark("web", 0x6c770001, 80)},
		{r.byMark("web", 0x6c770001, 80, 443)},
		{r.byAddress("web", 80), r.byAddress("other", 443)},
		{r.byAddress("web", 80), r.byMark("other", 0x6c770002, 443)},
		{r.several()},
		{r.byMark("other", 0x6c770002, 80, 443)},
		{r.byMark("web", 0x6c770001, 443), r.byAddress("other", 80)},
	}
	if r.checked {
		services = services[:6]
	}
	c := clusterOf(services[r.IntN(len(services))]...)
	c.Digest = fmt.Sprint(n)
	return c
}

func (r marksWorld) byAddress(name string, port uint16) config.Service {
	s := webService(ipvsctl.NAT, [][]netip.Addr{{web1}, {web2}, {web1, web2}}[r.IntN(3)]...)
	s.Name, s.Key.Port = name, port
	s.Fallback, s.DrainTimeout = nil, time.Duration(r.IntN(2))*time.Second
	for i := range s.Servers {
		if s.Servers[i].InitialUp = !r.checked; r.checked {
			s.Servers[i].Checks = []config.Check{{Target: targetOf(s.Servers[i].Key.Addr), Rise: 2, Fall: 3}}
		}
	}
	return s
}

func (r marksWorld) byMark(name string, mark uint32, ports ...uint16) config.Service {
	s := r.byAddress(name, 0)
	var all []ipvsctl.PortRange
	for _, p := range ports {
		all = append(all, ipvsctl.PortRange{First: p, Last: p})
	}
	packets := ipvsctl.Select([]ipvsctl.AddressRange{{First: vip, Last: vip}}, []ipvsctl.Protocol{ipvsctl.TCP}, all)
	s.Packets, s.Mark = &packets, mark
	s.Key = ipvsctl.ServiceKey{Mark: mark, Addr: netip.IPv4Unspecified()}
	return s
}

func (r marksWorld) several() config.Service {
	s := r.byMark("web", 0, 80, 443)
	s.Key = ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}
	return s
}

func targetOf(server netip.Addr) checker.Target {
	t := tcpTarget
	t.Addr = server
	return t
}

// pass tells the core that all servers are up.
func (k *packetKernel) pass(now time.Time) {
	var all Probed
	for _, server := range []netip.Addr{web1, web2} {
		all = append(all, Observation{targetOf(server), checker.Result{At: now, Outcome: checker.Passed}})
	}
	k.take(k.core.Handle(now, all))
}

// Whichever configurations come after each other, and however far the kernel is with the one
// before: a packet always has a service with a server. At the end there are only those
// services that are configured.
func TestAnyReloadsOfMarksLeaveEachPacketAServer(t *testing.T) {
	for seed := range uint64(100) {
		r := marksWorld{rand.New(rand.NewPCG(seed, 1)), seed%2 == 1}
		first := r.config(0)
		core, effects := Begin(start, "/etc/lvsd", Loaded{Config: first, Found: ipvsctl.Table{}}, machine.Facts{})
		k := &packetKernel{core: core, config: first}
		k.take(effects)
		k.mark(start)
		k.before = nil // Nobody was served.
		k.write(start)
		k.pass(start)
		k.write(start)
		now := start
		for n := 1; n < 40; n++ {
			now = now.Add(time.Duration(r.IntN(100)) * time.Millisecond)
			k.take(core.Expire(now))
			switch at := r.IntN(5); {
			case at == 0:
				k.reload(now, r.config(n))
			case at == 1 && r.checked:
				k.step("servers are up")
				k.pass(now)
			case at == 2 && !k.set:
				k.step("packets are marked")
				k.mark(now)
			case !k.written:
				k.step("the table is written")
				k.write(now)
			}
			if !k.served(now) {
				t.Fatalf("seed %d: a packet has no server after\n%s\nrules %v\ntable\n%v", seed, strings.Join(k.steps, "\n"), k.rules, k.table)
			}
		}
		for range 10 {
			k.pass(now)
			k.mark(now)
			k.write(now)
		}
		for range 10 {
			now = now.Add(time.Second)
			k.take(core.Expire(now))
			k.write(now)
		}
		configured := keysOfAll(k.config)
		all := core.converged() && k.rules.Equal(Rules(k.config)) && len(k.table) == len(configured)
		for key := range k.table {
			all = all && configured[key]
		}
		if !all {
			t.Fatalf("seed %d: at the end, after\n%s\nrules %v\ntable\n%v", seed, strings.Join(k.steps, "\n"), k.rules, k.table)
		}
	}
}
