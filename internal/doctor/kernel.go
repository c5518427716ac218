package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

func lookIPVS(c *Case) (r Result) {
	if len(c.Config.Services) == 0 {
		return needless("there is no virtual service")
	}
	if !c.Machine.HasIPVS() {
		r.wrong("", "load the module ip_vs (modprobe ip_vs, and at each boot by /etc/modules-load.d)", []Fix{{Module: "ip_vs"}},
			"the kernel has no IPVS, so no virtual service can be served")
	}
	return r.judged()
}

func lookSchedulers(c *Case) (r Result) {
	users := make(map[string]string)
	for i := range c.Config.Services {
		s := &c.Config.Services[i]
		if users[s.Service.Scheduler] == "" {
			users[s.Service.Scheduler] = s.Name
		}
	}
	switch {
	case len(users) == 0:
		return needless("there is no virtual service")
	case c.Modules == nil:
		return unknown("modprobe knows no modules of this kernel here")
	}
	for _, name := range slices.Sorted(maps.Keys(users)) {
		if !c.Modules[moduleOf(name)] {
			r.wrong("scheduler "+name, "install the package with the kernel's further modules, or choose another scheduler",
				nil, "virtual service %q has scheduler = %q, and this kernel has no module %s", users[name], name, moduleOf(name))
		}
	}
	return r.judged()
}

func lookForwarding(c *Case) (r Result) {
	needed := false
	for _, family := range []struct {
		six      bool
		forwards bool
		setting  machine.Setting
	}{{false, c.Machine.Forward4, forward4}, {true, c.Machine.Forward6, forward6}} {
		all := c.servings()
		i := slices.IndexFunc(all, func(s serving) bool { return s.Forward == ipvsctl.NAT && s.server.Is6() == family.six })
		if i < 0 {
			continue
		}
		needed = true
		if !family.forwards {
			r.wrong(string(family.setting), persist(family.setting, "1"), []Fix{{Setting: family.setting, Value: "1"}},
				"virtual service %q uses NAT, but this director does not forward packets, so the replies do not reach the clients", all[i].service.Name)
		}
	}
	if !needed {
		return needless("no virtual service uses NAT")
	}
	return r.judged()
}

// lookRedirects is for clients in the servers' network, or behind the same router: a server
// that is told of a shorter way to them answers them itself, and not from the virtual address.
func lookRedirects(c *Case) (r Result) {
	needed := false
	done := make(map[string]bool)
	for _, s := range c.servings() {
		v := c.routerOf(s.service)
		if s.Forward != ipvsctl.NAT || s.server.Is6() || v == nil || c.Ways[s.server].Interface != v.Interface {
			continue
		}
		needed = true
		if done[v.Interface] {
			continue
		}
		done[v.Interface] = true
		var fixes []Fix
		var remedies []string
		for _, name := range []string{all, v.Interface} {
			set := machine.SendRedirects(name)
			if value, known := c.Settings[set]; known && value != "0" {
				fixes = append(fixes, Fix{Setting: set, Value: "0"})
				remedies = append(remedies, string(set)+"=0")
			}
		}
		if len(fixes) > 0 {
			r.wrong("interface "+v.Interface, "set "+strings.Join(remedies, " and ")+" (sysctl -w, and in /etc/sysctl.d)", fixes,
				"clients and real servers of virtual service %q are both on %s, and the director tells the servers to answer clients directly", s.service.Name, v.Interface)
		}
	}
	if !needed {
		return needless("no virtual service by NAT has its clients and its servers on one interface")
	}
	return r.judged()
}

// tooLong is how many connections share a bucket of IPVS's table before looking one up takes
// noticeably longer.
const tooLong = 8

func lookTableSize(c *Case) (r Result) {
	if c.Buckets == 0 {
		return unknown("the kernel does not tell the size of its table of connections")
	}
	if c.Connections > tooLong*c.Buckets {
		r.risk("", "load the module with a larger table: options ip_vs conn_tab_bits=20 in /etc/modprobe.d (1,048,576 buckets, 16 MB), from the next boot on", nil,
			"%s are in a table of %s: each packet is compared with %d of them", text.Count(c.Connections, "connection"), text.Count(c.Buckets, "bucket"), c.Connections/c.Buckets/2)
	}
	return r.judged()
}

func lookTracking(c *Case) (r Result) {
	if c.TrackedMax == 0 {
		return needless("the kernel tracks no connections (nf_conntrack is not loaded)")
	}
	if c.Tracked >= c.TrackedMax/10*8 {
		r.risk("net.netfilter.nf_conntrack_max", "raise net.netfilter.nf_conntrack_max (sysctl -w, and in /etc/sysctl.d), or keep the virtual services out of tracking (notrack)", nil,
			"%d of at most %d connections are tracked: when the table is full, the kernel drops packets of new clients", c.Tracked, c.TrackedMax)
	}
	return r.judged()
}

func lookOffloads(c *Case) (r Result) {
	for _, name := range slices.Sorted(maps.Keys(c.interfaces())) {
		card := c.LargeReceive[name]
		if card == "" {
			continue
		}
		of := ""
		if card != name {
			of = ", whose packets are those of " + name + ","
		}
		r.wrong("interface "+name, "switch it off: ethtool -K "+card+" lro off, and the same where the interface is configured", nil,
			"%s%s puts packets together as they arrive (large-receive-offload): they are too long to be forwarded, and are lost", card, of)
	}
	return r.judged()
}
