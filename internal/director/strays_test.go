package director

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// D2: "the virtual address was on eth1 of the Backup, and status was green".
func TestAVirtualAddressOnAnotherInterfaceIsAFinding(t *testing.T) {
	on := func(name string, quiet bool, addresses ...string) machine.Interface {
		i := machine.Interface{Name: name, Quiet: quiet}
		for _, a := range addresses {
			i.Addresses = append(i.Addresses, netip.MustParsePrefix(a))
		}
		return i
	}
	ignoring := func(value uint32) machine.Interface {
		return machine.Interface{Name: "eth0", ARPIgnore: value, Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}}
	}
	direct, tunnel, nat, others := webService(ipvsctl.Direct, lvs1), webService(ipvsctl.Tunnel, lvs1), webService(ipvsctl.NAT, lvs1), webService(ipvsctl.Direct, web1)
	marked := webService(ipvsctl.Direct, lvs1)
	marked.Key = ipvsctl.ServiceKey{Mark: 7}
	const (
		exposed = `ERROR address-elsewhere: virtual router "outside" is on eth0, but eth1 has 10.13.0.200/32 too, which lvsd leaves alone: this director answers for it even while another one is Master; ` +
			`remove it (ip addr del 10.13.0.200/32 dev eth1), and let nothing add it again (systemd-networkd, ifupdown, cloud-init)`
		onLo     = `ERROR address-elsewhere: virtual router "outside" is on eth0, but lo has 10.13.0.200/32 too`
		needless = `WARNING address-elsewhere: virtual router "outside" is on eth0, but lo has 10.13.0.200/32 too, which lvsd leaves alone, and this director is no real server of it`
		answered = `ERROR address-answered: virtual router "outside": lo has 10.13.0.200/32, as a real server by direct routing or tunnelling must, but arp_ignore is 0 on eth0`
	)
	vip := "10.13.0.200/32"
	for _, tt := range []struct {
		name       string
		service    config.Service
		interfaces []machine.Interface
		want       []string
	}{
		{"on its own interface, it is the keeper's", others, []machine.Interface{on("eth0", false, vip)}, nil},
		{"on another one", others, []machine.Interface{ignoring(0), on("eth1", false, vip)}, []string{exposed}},
		{"on another one, where its neighbours are answered whatever arp_ignore is", direct, []machine.Interface{ignoring(1), on("eth1", false, vip)}, []string{exposed}},
		{"on lo of a real server that keeps silent", direct, []machine.Interface{ignoring(1), on("lo", true, vip)}, nil},
		{"on a tunnel's end of one", tunnel, []machine.Interface{ignoring(2), on("tunl0", true, vip)}, nil},
		{"by a firewall mark, it may be one of any address", marked, []machine.Interface{ignoring(8), on("lo", true, vip)}, nil},
		{"on lo of a real server that answers", direct, []machine.Interface{ignoring(0), on("lo", true, vip)}, []string{answered}},
		{"arp_ignore 3 looks at the scope alone", direct, []machine.Interface{ignoring(3), on("lo", true, vip)}, []string{strings.Replace(answered, "is 0", "is 3", 1)}},
		{"NAT needs it nowhere", nat, []machine.Interface{ignoring(1), on("lo", true, vip)}, []string{needless}},
		{"of another machine's real server", others, []machine.Interface{ignoring(1), on("lo", true, vip)}, []string{needless}},
		{"nor is it hidden", others, []machine.Interface{ignoring(0), on("lo", true, vip)}, []string{onLo}},
		{"nobody is asked for an IPv6 address of another interface", direct, []machine.Interface{ignoring(0), on("lo", true, "fd00::200/128")},
			[]string{`WARNING address-elsewhere: virtual router "outside" is on eth0, but lo has fd00::200/128 too`}},
		{"an extra address has an interface of its own", others, []machine.Interface{ignoring(0), on("eth1", false, "192.168.1.254/24")}, nil},
		{"and may stray to that of the others", others, []machine.Interface{on("eth0", false, "192.168.1.254/24")},
			[]string{`ERROR address-elsewhere: virtual router "outside" is on eth1, but eth0 has 192.168.1.254/24 too`}},
		{"each interface is named", others, []machine.Interface{on("eth2", false, vip), on("eth1", false, vip)},
			[]string{exposed, strings.ReplaceAll(exposed, "eth1", "eth2")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := clusterOf(tt.service)
			c.Routers[0].Interface = "eth0"
			c.Routers[0].Addresses = []netip.Prefix{netip.MustParsePrefix("10.13.0.200/24"), netip.MustParsePrefix("fd00::200/64")}
			c.Routers[0].Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
			var found findings
			found.strays(c, machine.Facts{Interfaces: tt.interfaces}, map[netip.Addr]bool{lvs1: true})
			var got []string
			for i, f := range found {
				line := strings.ToUpper(string(f.Severity)) + " " + f.Code + ": " + f.Text + "; " + f.Remedy
				if i < len(tt.want) && strings.HasPrefix(line, tt.want[i]) {
					line = tt.want[i]
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAddressThatStraysIsToldOnceAndThatItIsGone(t *testing.T) {
	c := clusterOf(webService(ipvsctl.NAT, web1))
	c.Routers[0].Interface = "eth0"
	s := tellOf(t, c)
	prefix := netip.PrefixFrom(c.Routers[0].Addresses[0].Addr(), 32)
	seen := nodest("1")
	at := func(addresses ...netip.Prefix) MachineSeen {
		seen.Facts.Interfaces = []machine.Interface{{Name: "eth0"}, {Name: "eth1", Addresses: addresses}}
		return seen
	}
	s.log.Reset()
	s.handle(at(prefix))
	s.wantLines("it is told with the command", "eth1", `level=ERROR msg="virtual router \"outside\" is on eth0, but eth1 has 10.13.0.200/32 too, `+
		`which lvsd leaves alone: this director answers for it even while another one is Master" event=address-elsewhere `+
		`remedy="remove it (ip addr del 10.13.0.200/32 dev eth1), and let nothing add it again (systemd-networkd, ifupdown, cloud-init)"`)
	s.log.Reset()
	s.handle(at(prefix))
	s.wantLines("once", "eth1")
	s.handle(at())
	s.wantLines("and that it is over", "eth1", `level=INFO msg="no longer true: virtual router \"outside\" is on eth0, but eth1 has 10.13.0.200/32 too, `+
		`which lvsd leaves alone: this director answers for it even while another one is Master" event=finding-over finding=address-elsewhere`)
}
