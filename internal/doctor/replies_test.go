package doctor

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Only who has the virtual address asks, each server once, and none whose answers may go by
// another way.
func TestWhichRealServersAreAsked(t *testing.T) {
	for _, tt := range []struct {
		name    string
		changes func(*Case)
		want    int
	}{
		{"of the Master's", func(*Case) {}, 1},
		{"not of a Backup's: the gateway is the other director's", func(c *Case) { c.Machine.Interfaces[2].Addresses = nil }, 0},
		{"nor where the address is on lo, for a real server", func(c *Case) {
			c.Machine.Interfaces[2].Addresses = nil
			c.Machine.Interfaces[0].Addresses = []netip.Prefix{netip.PrefixFrom(virtual, 32)}
		}, 0},
		{"direct routing needs no such answer", func(c *Case) { c.forwarded(ipvsctl.Destination{Forward: ipvsctl.Direct}) }, 0},
		{"nor does source_nat", func(c *Case) { c.Config.Services[0].SourceNAT.Masquerade = true }, 0},
		{"this director itself", func(c *Case) { c.Ways[web] = Way{Way: machine.Way{Local: true}} }, 0},
		{"no way to it", func(c *Case) { c.Ways[web] = Way{Failure: "unreachable"} }, 0},
		{"a server of two services, once", func(c *Case) { c.Config.Services = append(c.Config.Services, c.Config.Services[0]) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := healthy()
			tt.changes(c)
			if got := c.Questions(); len(got) != tt.want {
				t.Errorf("%d questions: %+v", len(got), got)
			}
		})
	}
	if q := healthy().Questions()[0]; q.Port != 80 || q.Virtual != virtual || q.Interface != "eth1" {
		t.Errorf("asked by TCP: %+v", q)
	}
	six := netip.MustParseAddr("2001:db8:1::4")
	c := healthy()
	c.Config.Services[0].Servers[0].Key.Addr = six
	c.Ways[six], c.Answers = c.Ways[web], map[netip.Addr]Answers{six: {Own: true}}
	if all := c.Questions(); len(all) != 1 || all[0].Server != six {
		t.Errorf("by IPv6: %+v", all)
	}
	if r := lookReplies(c); len(r.Wrongs) != 1 || !strings.Contains(r.Wrongs[0].Text, "real server 2001:db8:1::4 ") || !strings.Contains(r.Wrongs[0].Text, "(tried as 3fff::1)") {
		t.Errorf("by IPv6: %+v", r.Wrongs)
	}
	c = healthy()
	c.Config.Services[0].Key.Protocol = ipvsctl.UDP
	c.Ways[web] = Way{Way: machine.Way{Interface: "eth0"}}
	if q := c.Questions()[0]; q.Port != 0 || q.Virtual.IsValid() {
		t.Errorf("asked by an echo, on one interface: %+v", q)
	}
}

// However many servers have lost their route, one finding a service names the first of them,
// and no more than 256 are asked.
func TestAThousandServersAreOneFinding(t *testing.T) {
	c := healthy()
	c.Answers = make(map[netip.Addr]Answers)
	for i := range 1000 {
		a := netip.MustParseAddr(fmt.Sprintf("10.9.%d.%d", i/250, i%250+1))
		c.Ways[a], c.Answers[a] = c.Ways[web], Answers{Own: true}
		c.Config.Services[0].Servers = append(c.Config.Services[0].Servers, config.Server{Key: ipvsctl.DestinationKey{Addr: a, Port: 80}})
	}
	if n := len(c.Questions()); n != mostAsked {
		t.Errorf("%d are asked", n)
	}
	const want = "the answers of real servers 10.9.0.1, 10.9.0.10, 10.9.0.100, 10.9.0.101, 10.9.0.102 and 995 others to clients outside of their network do not come back by way of this director (tried as 192.0.2.1), so the connections of such clients hang, although the checks pass"
	if r := lookReplies(c); len(r.Wrongs) != 1 || r.Wrongs[0].Text != want {
		t.Errorf("%+v", r.Wrongs)
	}
}

// A server that answers nobody is the checks' affair.
func TestAServerThatIsDownHasNoWrongRoute(t *testing.T) {
	c := healthy()
	c.Answers[web] = Answers{}
	if r := lookReplies(c); r.Judgement != api.NotKnown || r.Why == "" {
		t.Errorf("%s %q %+v", r.Judgement, r.Why, r.Wrongs)
	}
}
