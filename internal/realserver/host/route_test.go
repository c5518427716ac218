package host_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/internal/realserver"
	"github.com/lvsd/lvsd/internal/realserver/host"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// behindNAT is a configuration in which this machine is a real server by NAT, in a
// network of each family, with a default route that leads elsewhere.
func behindNAT(t *testing.T) *realserver.Cluster {
	t.Helper()
	for _, line := range []string{
		"ip link set lo up", "ip link add eth0 type veth peer name wire0", "ip link set wire0 up", "ip link set eth0 up",
		"ip address add 192.168.1.4/24 dev eth0", "ip address add 2001:db8:1::4/64 dev eth0 nodad",
		"ip route add default via 192.168.1.1 dev eth0 src 192.168.1.4 mtu 1400", "ip route add default via 192.168.1.2 dev eth0 metric 100",
		"ip -6 route add default via 2001:db8:1::1 dev eth0",
	} {
		netnstest.Run(t, line)
	}
	t.Cleanup(func() { netnstest.Run(t, "ip link del eth0") })
	c := &realserver.Cluster{Config: &config.Config{Routers: []vrrp.Config{{Extra: []vrrp.InterfaceAddress{
		{Prefix: netip.MustParsePrefix("192.168.1.254/24")}, {Prefix: netip.MustParsePrefix("2001:db8:1::254/64")},
	}}}}}
	for virtual, server := range map[string]string{"10.13.0.200": "192.168.1.4", "2001:db8:13::200": "2001:db8:1::4"} {
		c.Services = append(c.Services, config.Service{
			Name: virtual, Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr(virtual), Port: 80},
			Servers: []config.Server{{Key: ipvsctl.DestinationKey{Addr: netip.MustParseAddr(server), Port: 80}, Destination: ipvsctl.Destination{Forward: ipvsctl.NAT}}},
		})
	}
	return c
}

// routes are those of the kernel, and the ways to clients of both families.
func routes(t *testing.T) (all, ways string) {
	t.Helper()
	lines := strings.SplitAfter(netnstest.Run(t, "ip route")+netnstest.Run(t, "ip -6 route show table main"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, ""), netnstest.Run(t, "ip route get 10.13.0.100") + netnstest.Run(t, "ip route get 203.0.113.1") + netnstest.Run(t, "ip -6 route get 2001:db8:13::100")
}

// TestTheWayToTheDirector is taken, and given back, whatever default routes the machine has,
// which stay as they are.
func TestTheWayToTheDirector(t *testing.T) {
	c, m := behindNAT(t), &memory{}
	before, _ := routes(t)
	pass := func(what string, c *realserver.Cluster, changes int) {
		t.Helper()
		if _, r := realserver.Pass(host.Host{}, m, c); r.Err != nil || len(r.Done) != changes {
			t.Fatalf("%s: done are %+v: %v", what, r.Done, r.Err)
		}
	}
	led := func() {
		t.Helper()
		all, ways := routes(t)
		if strings.Count(ways, " via 192.168.1.254 ") != 2 || strings.Count(ways, " via 2001:db8:1::254 ") != 1 {
			t.Errorf("the ways are\n%s", ways)
		}
		for line := range strings.Lines(before) {
			if !strings.Contains(all, line) {
				t.Errorf("missing is %q of\n%s", line, all)
			}
		}
	}
	pass("at first", c, 2)
	led()
	pass("a second time", c, 0)
	netnstest.Run(t, "ip route del 128.0.0.0/1")
	pass("somebody has removed a half", c, 1)
	led()
	netnstest.Run(t, "ip link set eth0 down")
	netnstest.Run(t, "ip link set eth0 up")
	for _, line := range []string{"ip address replace 2001:db8:1::4/64 dev eth0 nodad", "ip route add default via 192.168.1.1 dev eth0 src 192.168.1.4 mtu 1400",
		"ip route add default via 192.168.1.2 dev eth0 metric 100", "ip -6 route add default via 2001:db8:1::1 dev eth0"} {
		netnstest.Run(t, line)
	}
	pass("the link was down", c, 2)
	led()
	c.Routers[0].Extra[0].Prefix = netip.MustParsePrefix("192.168.1.253/24")
	pass("the gateway is another one", c, 1)
	if _, ways := routes(t); strings.Count(ways, " via 192.168.1.253 ") != 2 {
		t.Errorf("the ways are\n%s", ways)
	}
	pass("it is given back", nil, 2)
	if after, _ := routes(t); after != before || len(m.Memory) > 0 {
		t.Errorf("remembered is %v; the routes are\n%s\nand were\n%s", m.Memory, after, before)
	}
}

func TestARouteOfSomebodyElsesStays(t *testing.T) {
	c, m := behindNAT(t), &memory{}
	netnstest.Run(t, "ip route add 128.0.0.0/1 via 192.168.1.9") // as a VPN has
	before, _ := routes(t)
	_, r := realserver.Pass(host.Host{}, m, c)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "somebody else, such as a VPN, has a route to 128.0.0.0/1") || len(r.Left) != 1 {
		t.Errorf("left are %+v: %v", r.Left, r.Err)
	}
	if _, r := realserver.Pass(host.Host{}, m, nil); r.Err != nil {
		t.Error(r.Err)
	}
	if after, _ := routes(t); after != before {
		t.Errorf("the routes are\n%s\nand were\n%s", after, before)
	}
}

func TestAGatewayThatIsOutOfReachIsSaid(t *testing.T) {
	netnstest.Run(t, "ip link set lo up")
	err := host.Host{}.Set(realserver.DefaultRoute(false), "192.168.77.254")
	if err == nil || !strings.Contains(err.Error(), "192.168.77.254 is in no network that this machine reaches") {
		t.Errorf("it says %v", err)
	}
}
