package host_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/doctor"
	"github.com/lvsd/lvsd/internal/doctor/host"
	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A real server's routes are seen by its answers, by TCP and by echoes, of IPv4 and IPv6: none,
// one to the network of the virtual address, and the default route that was told.
func TestRealServersThatAnswerByAnotherWay(t *testing.T) {
	c, server := byNAT(t)
	netnstest.Run(t, "ip link add out0 type veth peer name out1")
	t.Cleanup(func() { netnstest.Run(t, "ip link del out0") })
	netnstest.Run(t, "ip link set out1 up")
	netnstest.Run(t, "ip link set out0 up")
	netnstest.Run(t, "ip address add 10.13.0.200/24 dev out0")
	netnstest.Run(t, "ip address add 2001:db8:13::200/64 dev out0 nodad")
	netnstest.Run(t, "ip address add 2001:db8:1::15/64 dev br0 nodad")
	server.Run("ip address add 2001:db8:1::4/64 dev eth0 nodad")
	c.Routers[0].Interface = "out0"
	examine := func() doctor.Result {
		t.Helper()
		f, err := host.Look(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		examined := &doctor.Case{Facts: f, Config: c, Director: true}
		if f.Answers, err = host.Ask(examined.Questions(), 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		return examination(t, "replies").Look(examined)
	}
	for _, family := range []struct{ virtual, server, network, gateway string }{
		{"10.13.0.200", "192.168.1.4", "10.13.0.0/24", "192.168.1.15"},
		{"2001:db8:13::200", "2001:db8:1::4", "2001:db8:13::/64", "2001:db8:1::15"},
	} {
		s := &c.Services[0]
		s.Key.Addr, s.Servers[0].Key.Addr = netip.MustParseAddr(family.virtual), netip.MustParseAddr(family.server)
		c.Routers[0].Addresses = []netip.Prefix{netip.PrefixFrom(s.Key.Addr, s.Key.Addr.BitLen())}
		for _, s.Key.Protocol = range []ipvsctl.Protocol{ipvsctl.TCP, ipvsctl.UDP} {
			judged(t, examine, api.Wrong, api.Error)
			server.Run("ip route add " + family.network + " via " + family.gateway)
			judged(t, examine, api.Wrong, api.Warning)
			server.Run("ip route del " + family.network + " via " + family.gateway)
			server.Run("ip route add default via " + family.gateway)
			judged(t, examine, api.Fine, "")
			server.Run("ip route del default via " + family.gateway)
		}
	}
	server.Run("ip link set eth0 down")
	judged(t, examine, api.NotKnown, "")
}

// Nothing is asked of nobody.
func TestNobodyIsAsked(t *testing.T) {
	if answers, err := host.Ask(nil, time.Millisecond); err != nil || len(answers) > 0 {
		t.Errorf("%v, %v", answers, err)
	}
	if answers, err := host.Ask([]doctor.Question{{Server: netip.MustParseAddr("127.0.0.9"), Interface: "missing", Port: 80}}, time.Millisecond); err != nil || len(answers) != 1 {
		t.Errorf("%v, %v", answers, err)
	}
}
