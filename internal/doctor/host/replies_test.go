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

// A real server's routes are seen by its answers, by TCP and by echoes: none, one to the
// network of the virtual address, and the default route that was told.
func TestRealServersThatAnswerByAnotherWay(t *testing.T) {
	c, server := byNAT(t)
	netnstest.Run(t, "ip link add out0 type veth peer name out1")
	t.Cleanup(func() { netnstest.Run(t, "ip link del out0") })
	netnstest.Run(t, "ip link set out1 up")
	netnstest.Run(t, "ip link set out0 up")
	netnstest.Run(t, "ip address add 10.13.0.200/24 dev out0")
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
	for _, protocol := range []ipvsctl.Protocol{ipvsctl.TCP, ipvsctl.UDP} {
		c.Services[0].Key.Protocol = protocol
		judged(t, examine, api.Wrong, api.Error)
		server.Run("ip route add 10.13.0.0/24 via 192.168.1.15")
		judged(t, examine, api.Wrong, api.Warning)
		server.Run("ip route del 10.13.0.0/24 via 192.168.1.15")
		server.Run("ip route add default via 192.168.1.15")
		judged(t, examine, api.Fine, "")
		server.Run("ip route del default via 192.168.1.15")
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
