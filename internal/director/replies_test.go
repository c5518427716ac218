package director

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A server whose default route is not the director passes every check, and none
// of its clients gets an answer.
func TestAServerWhoseRepliesTakeAnotherWayIsAFinding(t *testing.T) {
	silent := ipvsctl.Counters{Connections: 5, PacketsIn: 10}
	for _, tt := range []struct {
		name     string
		protocol ipvsctl.Protocol
		forward  ipvsctl.Forward
		addr     netip.Addr
		state    vrrp.State
		counted  ipvsctl.Counters
		found    bool
	}{
		{"clients repeat themselves, and nothing comes back", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, silent, true},
		{"one packet came back", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, ipvsctl.Counters{Connections: 5, PacketsIn: 10, PacketsOut: 1}, false},
		{"too few to tell", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, ipvsctl.Counters{Connections: 4, PacketsIn: 10}, false},
		{"the replies may still be on their way", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, ipvsctl.Counters{Connections: 900, PacketsIn: 904}, false},
		{"with direct routing they go their own way", ipvsctl.TCP, ipvsctl.Direct, web1, vrrp.Master, silent, false},
		{"over UDP there may be no replies", ipvsctl.UDP, ipvsctl.NAT, web1, vrrp.Master, silent, false},
		{"the server is this director itself", ipvsctl.TCP, ipvsctl.NAT, lvs1, vrrp.Master, silent, false},
		{"the other director has the clients now", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Backup, silent, false},
	} {
		service := webService(tt.forward, tt.addr)
		service.Key.Protocol = tt.protocol
		c := clusterOf(service)
		s := tellOf(t, c)
		s.handle(RoutersSeen{{Name: c.Routers[0].Name, State: tt.state}})
		s.handle(Counted{service.Key: {{Key: service.Servers[0].Key, Value: tt.counted}}})
		found := false
		for _, f := range s.core.Status(s.now, Edges{}).Findings {
			found = found || f.Code == "replies-missing" && f.Severity == api.Error && f.Remedy != ""
		}
		if found != tt.found {
			t.Errorf("%s: found %v, want %v", tt.name, found, tt.found)
		}
	}
	service := webService(ipvsctl.NAT, web1)
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	s.handle(Counted{service.Key: {{Key: service.Servers[0].Key, Value: silent}}})
	s.log.Reset()
	s.handle(nodest("1"))
	s.wantLines("the machine is looked at", "replies",
		`level=ERROR msg="real servers web/192.168.1.4 get the clients' packets, but none of their replies has come back through this director" `+
			`event=replies-missing remedy="make an address of this director (an extra_address) their default route, and let their firewall accept the clients; `+
			`clients in the servers' own network cannot be served with NAT"`)
}

// Its counters stay as they were when it left the table.
func TestAServerThatIsDownIsSilentForAnotherReason(t *testing.T) {
	service := webService(ipvsctl.NAT, web1)
	service.Servers[0].Checks = []config.Check{{Target: tcpTarget, Rise: 1, Fall: 1}}
	c := clusterOf(service)
	s := tellOf(t, c)
	s.handle(RoutersSeen{{Name: c.Routers[0].Name, State: vrrp.Master}})
	s.handle(Counted{service.Key: {{Key: service.Servers[0].Key, Value: ipvsctl.Counters{Connections: 5, PacketsIn: 10}}}})
	told := func() bool {
		return slices.ContainsFunc(s.core.Status(s.now, Edges{}).Findings, func(f api.Finding) bool { return f.Code == "replies-missing" })
	}
	for _, tt := range []struct {
		outcome checker.Outcome
		found   bool
	}{{checker.Passed, true}, {checker.Failed, false}} {
		s.handle(Probed{{tcpTarget, checker.Result{Outcome: tt.outcome}}})
		if told() != tt.found {
			t.Errorf("after %v: found %v, want %v", tt.outcome, told(), tt.found)
		}
	}
}
