package director

import (
	"net/netip"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// traffic tells of a server's counters, and waits until they are looked at.
func (s *story) traffic(service *config.Service, n ipvsctl.Counters) {
	s.handle(Counted{service.Key: {{Value: n}, {Key: service.Servers[0].Key, Value: n}}})
	s.wait(repliesEvery * tick)
}

// missing reports whether the finding is there.
func (s *story) missing() bool {
	return slices.ContainsFunc(s.core.Status(s.now, Edges{}).Findings, func(f api.Finding) bool {
		return f.Code == "replies-missing" && f.Severity == api.Error && f.Remedy != ""
	})
}

// A server whose default route is not the director passes every check, and none
// of its clients gets an answer.
func TestAServerWhoseRepliesTakeAnotherWayIsAFinding(t *testing.T) {
	served := ipvsctl.Counters{Connections: 1000, PacketsIn: 9000, PacketsOut: 8000} // for weeks
	later := func(connections, in, out uint64) ipvsctl.Counters {
		return ipvsctl.Counters{Connections: 1000 + connections, PacketsIn: 9000 + in, PacketsOut: 8000 + out}
	}
	silent := later(5, 10, 0)
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
		{"one packet came back", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, later(5, 10, 1), false},
		{"too few to tell", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, later(4, 10, 0), false},
		{"the replies may still be on their way", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, later(900, 904, 0), false},
		{"it is in the table anew", ipvsctl.TCP, ipvsctl.NAT, web1, vrrp.Master, ipvsctl.Counters{Connections: 500, PacketsIn: 700}, false},
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
		s.traffic(&service, served)
		if s.missing() {
			t.Errorf("%s: found before that", tt.name)
		}
		s.traffic(&service, tt.counted)
		if found := s.missing(); found != tt.found {
			t.Errorf("%s: found %v, want %v", tt.name, found, tt.found)
		}
	}
	service := webService(ipvsctl.NAT, web1)
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	s.traffic(&service, served)
	s.traffic(&service, silent)
	s.log.Reset()
	s.handle(nodest("1"))
	s.wantLines("the machine is looked at", "replies",
		`level=ERROR msg="real servers web/192.168.1.4 get the clients' packets, but no reply has come back through this director in the last minute" `+
			`event=replies-missing remedy="make an address of this director (an extra_address) their default route, and let their firewall accept the clients; `+
			`clients in the servers' own network cannot be served with NAT"`)
}

// What has counted nothing is left out of the counters.
func TestTheFirstClientsOfAServerCount(t *testing.T) {
	service := webService(ipvsctl.NAT, web1)
	s := tellOf(t, clusterOf(service))
	s.handle(RoutersSeen{{Name: s.core.config.Routers[0].Name, State: vrrp.Master}})
	s.handle(Counted{service.Key: {{Value: ipvsctl.Counters{Connections: 1, PacketsIn: 9, PacketsOut: 9}}}}) // of another server
	s.wait(repliesEvery * tick)
	s.traffic(&service, ipvsctl.Counters{Connections: 5, PacketsIn: 10})
	if !s.missing() {
		t.Error("the replies of a server that nobody had used before are not missed")
	}
}

// "It said so for a week after we had mended the route": or never, since the server
// had answered once.
func TestMissingRepliesAreThoseOfTheLastMinute(t *testing.T) {
	service := webService(ipvsctl.NAT, web1)
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	var n ipvsctl.Counters
	minutes := func(count int, clients, packets, replies uint64) {
		for range count * 20 {
			n.Connections, n.PacketsIn, n.PacketsOut = n.Connections+clients, n.PacketsIn+packets, n.PacketsOut+replies
			s.traffic(&service, n)
		}
	}
	for _, tt := range []struct {
		name                      string
		minutes                   int
		clients, packets, replies uint64
		found                     bool
	}{
		{"it answers", 5, 5, 20, 20, false},
		{"its route has gone", 5, 5, 20, 0, true},
		{"the route is back", 1, 5, 20, 20, false},
		{"it has gone again", 1, 5, 20, 0, true},
		{"no client comes any more", 3, 0, 0, 0, false},
	} {
		minutes(tt.minutes, tt.clients, tt.packets, tt.replies)
		if found := s.missing(); found != tt.found {
			t.Errorf("%s: found %v, want %v", tt.name, found, tt.found)
		}
	}
	minutes(1, 5, 20, 0)
	other := &config.Config{Digest: "other", Services: []config.Service{service, webService(ipvsctl.Direct, web1)}}
	other.Services[1].Name, other.Services[1].Key.Port = "other", 81
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: other}})
	if !s.missing() {
		t.Error("a reload of another service has ended it")
	}
}

// A window of a minute begins with what was counted when the last one ended.
func TestSilenceIsCountedOverAMinute(t *testing.T) {
	type look struct {
		second, connections, in int
		missing                 bool
	}
	for _, tt := range []struct {
		name  string
		looks []look
	}{
		{"packets that come before the clients count, too", []look{{0, 10, 20, false}, {3, 10, 30, false}, {6, 15, 35, true}}},
		{"and clients that come before their packets", []look{{0, 10, 20, false}, {3, 12, 20, false}, {6, 15, 35, true}}},
		{"a client in three seconds is enough", []look{
			{40, 10, 20, false}, {43, 11, 23, false}, {46, 12, 26, false}, {49, 13, 29, false}, {52, 14, 32, false}, {55, 15, 35, true},
		}},
		{"it lasts for the minute and the one after it", []look{
			{0, 10, 20, false}, {6, 15, 35, true}, {57, 15, 35, true}, {60, 15, 35, true}, {63, 15, 35, true}, {117, 15, 35, true}, {120, 15, 35, false},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r reply
			for _, l := range tt.looks {
				r = r.next(time.Duration(l.second)*time.Second, ipvsctl.Counters{Connections: uint64(l.connections), PacketsIn: uint64(l.in)})
				if r.missing != l.missing {
					t.Errorf("after %d s: missing %v, want %v", l.second, r.missing, l.missing)
				}
			}
		})
	}
}

// "It forgets that the replies are missing whenever I touch another service": and it
// must not take one server's silence for another's.
func TestAReloadKeepsRepliesOfTheSameServers(t *testing.T) {
	before := []config.Service{webService(ipvsctl.NAT, web1, web2)}
	known := replies{before[0].Key: make([]reply, 2)}
	web3 := web2.Next()
	for _, tt := range []struct {
		name    string
		servers []netip.Addr
		kept    bool
	}{
		{"the same servers", []netip.Addr{web1, web2}, true},
		{"the last one is another", []netip.Addr{web1, web3}, false},
		{"the first one is another", []netip.Addr{web3, web2}, false},
		{"one has gone", []netip.Addr{web1}, false},
		{"one is new", []netip.Addr{web1, web2, web3}, false},
	} {
		after := webService(ipvsctl.NAT, tt.servers...)
		if kept := known.of(before, []config.Service{after})[after.Key] != nil; kept != tt.kept {
			t.Errorf("%s: kept %v, want %v", tt.name, kept, tt.kept)
		}
	}
	if kept := (replies{}).of(before, before); len(kept) != 0 {
		t.Errorf("of a service without clients, %v is kept", kept)
	}
}

// With 10,000 servers, each look takes a while.
func TestRepliesAreLookedAtEveryThreeSeconds(t *testing.T) {
	service := webService(ipvsctl.NAT, web1)
	s := tellOf(t, &config.Config{Services: []config.Service{service}})
	s.handle(Counted{service.Key: {{Value: ipvsctl.Counters{Connections: 1}}}})
	for second, want := range []int{0, 0, 1} {
		s.wait(time.Second)
		if got := len(s.core.replies); got != want {
			t.Errorf("after %d seconds, of %d services is known whether replies come", second+1, got)
		}
	}
}

// What is known of 10,000 servers is small.
func TestRepliesTakeLittleMemory(t *testing.T) {
	if size := unsafe.Sizeof(reply{}); size > 20 {
		t.Errorf("%d bytes a server", size)
	}
}

// Its counters stay as they were when it left the table.
func TestAServerThatIsDownIsSilentForAnotherReason(t *testing.T) {
	service := webService(ipvsctl.NAT, web1)
	service.Servers[0].Checks = []config.Check{{Target: tcpTarget, Rise: 1, Fall: 2}}
	c := clusterOf(service)
	s := tellOf(t, c)
	s.handle(RoutersSeen{{Name: c.Routers[0].Name, State: vrrp.Master}})
	s.handle(Probed{{tcpTarget, checker.Result{At: s.now, Outcome: checker.Passed}}})
	s.traffic(&service, ipvsctl.Counters{Connections: 1})
	s.traffic(&service, ipvsctl.Counters{Connections: 6, PacketsIn: 11})
	for _, tt := range []struct {
		outcome checker.Outcome
		found   bool
	}{{checker.Passed, true}, {checker.Failed, false}, {checker.Failed, false}, {checker.Passed, true}} {
		s.handle(Probed{{tcpTarget, checker.Result{At: s.now, Outcome: tt.outcome}}})
		if found := s.missing(); found != tt.found {
			t.Errorf("after %v: found %v, want %v", tt.outcome, found, tt.found)
		}
	}
}
