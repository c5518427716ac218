package director

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// moved returns the service of checked, on another port of the service, the
// server and its check.
func moved(service, server uint16) *config.Config {
	to := tcpTarget
	to.Port = server
	s := checked(to)
	s.Key.Port, s.Servers[0].Key.Port = service, server
	return &config.Config{Services: []config.Service{s}, Director: config.Director{StartDelay: 10 * time.Second}}
}

// apply reloads a configuration.
func (s *story) apply(c *config.Config) {
	s.Helper()
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: s.core.reload.number, Loaded: Loaded{Config: c}})
}

// holds compares the table that was planned last.
func (s *story) holds(when, want string) {
	s.Helper()
	if got := rowsOf(s.core.planned.Table); got != want {
		s.Errorf("%s: the table has %q, want %q", when, got, want)
	}
}

// hears tells of a result of the server on a port.
func (s *story) hears(port uint16, o checker.Outcome) {
	s.Helper()
	to := tcpTarget
	to.Port = port
	s.handle(Probed{{to, checker.Result{Outcome: o, Detail: "connection refused"}}})
}

// served begins a story in which the server serves on port 80.
func served(t *testing.T) *story {
	s := tellOf(t, moved(80, 80))
	s.handle(TableSeen{Converged: true})
	s.hears(80, checker.Passed)
	s.holds("the first result", "192.168.1.4:80=3")
	return s
}

const onFallback = "10.13.0.15:8080=1"

func TestAReloadThatChangesEveryServersPortIsNoMomentWithoutAServer(t *testing.T) {
	s := served(t)
	s.apply(moved(80, 8000))
	s.holds("before the new one's first result", "192.168.1.4:80=3")
	s.hears(80, checker.Failed)
	s.holds("the old one is not asked any more", "192.168.1.4:80=3")
	s.hears(8000, checker.NotRun)
	s.holds("the new one could not be asked", "192.168.1.4:80=3")
	s.hears(8000, checker.Passed)
	s.holds("the new one is up", "192.168.1.4:8000=3")
	for range 3 {
		s.hears(8000, checker.Failed)
	}
	s.holds("it is down later", onFallback)
}

func TestAnOldServerStaysNoLongerThanItsSuccessorIsUnknown(t *testing.T) {
	s := served(t)
	s.apply(moved(80, 8000))
	s.hears(8000, checker.Failed)
	s.holds("the new one is down", onFallback)

	s = served(t)
	s.apply(moved(80, 8000))
	s.wait(time.Hour)
	s.holds("the new one never has a result", onFallback)
}

func TestAServiceWhosePortChangesServesOnTheOldOneUntilTheNewOneHasAServer(t *testing.T) {
	s := served(t)
	s.apply(moved(8080, 8000))
	old := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}
	if rows := s.core.planned.Table[old].Destinations; len(rows) != 1 {
		t.Errorf("before the first result, the old service has %v, want its server", rows)
	}
	s.hears(8000, checker.Passed)
	s.holds("the new one is up", "192.168.1.4:8000=3")
}

func TestTwoReloadsAreNoMomentWithoutAServerEither(t *testing.T) {
	s := served(t)
	s.apply(moved(80, 8000))
	s.apply(moved(80, 9000))
	s.holds("after two reloads", "192.168.1.4:80=3")
	s.hears(9000, checker.Passed)
	s.holds("the newest is up", "192.168.1.4:9000=3")

	s = served(t)
	s.apply(moved(8080, 8000))
	s.apply(moved(8081, 9000))
	if _, stays := s.core.planned.Table[ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: 80}]; !stays {
		t.Error("after two other ports the first service is gone, and none has a server")
	}
	s.hears(9000, checker.Passed)
	s.holds("the newest is up", "192.168.1.4:9000=3")
}

func TestAReloadThatIsTakenBackIsNoMomentWithoutAServer(t *testing.T) {
	for _, tt := range []struct {
		name            string
		service, server uint16
	}{
		{"another port of the server", 80, 8000},
		{"another port of the service", 8080, 80},
		{"another port of both", 8080, 8000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := served(t)
			s.apply(moved(tt.service, tt.server))
			s.apply(moved(80, 80))
			s.holds("back before any result", "192.168.1.4:80=3")
		})
	}
}

func TestAServerThatWasDownDoesNotComeBackByAReload(t *testing.T) {
	s := served(t)
	for range 3 {
		s.hears(80, checker.Failed)
	}
	s.apply(moved(80, 8000))
	s.holds("before the first result", onFallback)
}

func TestAServerThatIsRemovedWhileAnotherServesGoesAtOnce(t *testing.T) {
	s := served(t)
	both := moved(80, 80)
	other := moved(80, 8000).Services[0].Servers[0]
	both.Services[0].Servers = append(both.Services[0].Servers, other)
	s.apply(both)
	s.hears(8000, checker.Passed)
	s.holds("both are up", "192.168.1.4:80=3 192.168.1.4:8000=3")
	s.apply(moved(80, 8000))
	s.holds("one was removed", "192.168.1.4:8000=3")
}

// The packets that the other director, now Master, sends to this machine would
// come back to it, unless NAT gives them another address.
func TestAServerOnThisMachineDoesNotStay(t *testing.T) {
	for _, tt := range []struct {
		name    string
		addr    netip.Addr
		forward ipvsctl.Forward
		served  string
		after   string
	}{
		{"this machine, by direct routing", lvs1, ipvsctl.Direct, "10.13.0.15:80=3", onFallback},
		{"this machine, by NAT", lvs1, ipvsctl.NAT, "10.13.0.15:80=3", "10.13.0.15:80=3"},
		{"another machine, by direct routing", web2, ipvsctl.Direct, "192.168.1.5:80=3", "192.168.1.5:80=3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := served(t)
			c := moved(80, 80)
			c.Services[0].Servers[0].Key.Addr = tt.addr
			c.Services[0].Servers[0].Destination.Forward = tt.forward
			c.Services[0].Servers[0].InitialUp = true
			s.apply(c)
			s.holds("it serves", tt.served)
			s.apply(moved(80, 8000))
			s.holds("a third one is to serve", tt.after)
		})
	}
}

// onPort compares what the service on a port has in the table.
func (s *story) onPort(port uint16, when, scheduler, rows string) {
	s.Helper()
	key := ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: vip, Port: port}
	v := s.core.planned.Table[key]
	if got := rowsOf(ipvsctl.Table{key: v}); got != rows || v.Scheduler != scheduler {
		s.Errorf("%s: port %d has %q by %q, want %q by %q", when, port, got, v.Scheduler, rows, scheduler)
	}
}

func TestAnOldServerStaysInAServiceThatIsConfiguredAsItWas(t *testing.T) {
	s := served(t)
	c := moved(80, 8000)
	c.Services[0].Service.Scheduler = "dh"
	s.apply(c)
	s.onPort(80, "the service has another scheduler", "dh", "192.168.1.4:80=3")

	s = served(t)
	c.Services[0].Key.Port = 8080
	s.apply(c)
	s.onPort(80, "the old service", "wrr", "192.168.1.4:80=3")
	s.onPort(8080, "the new one", "dh", onFallback)
}

func TestAServerWithoutWeightDoesNotStay(t *testing.T) {
	s := served(t)
	c := moved(80, 80)
	drained := moved(80, 81).Services[0].Servers[0]
	drained.Destination.Weight, drained.InitialUp = 0, true
	c.Services[0].Servers = append(c.Services[0].Servers, drained)
	s.apply(c)
	s.holds("one has weight 0", "192.168.1.4:80=3 192.168.1.4:81=0")
	s.apply(moved(80, 8000))
	s.holds("both were replaced", "192.168.1.4:80=3")
}

func TestAServerThatIsConfiguredAgainStaysUntilItsFirstResult(t *testing.T) {
	two := moved(80, 80)
	two.Services[0].Servers = append(two.Services[0].Servers, moved(80, 81).Services[0].Servers...)
	s := served(t)
	s.apply(two)
	s.hears(81, checker.Passed)
	s.apply(moved(80, 8000))
	s.apply(two)
	s.holds("before any result", "192.168.1.4:80=3 192.168.1.4:81=3")
	s.hears(80, checker.Failed)
	s.holds("one is down", "192.168.1.4:81=3")

	s = served(t)
	other := moved(8080, 80)
	other.Services[0].Servers[0].Checks[0].Target.Port = 9000
	other.Services[0].Servers = append(other.Services[0].Servers, moved(80, 81).Services[0].Servers...)
	s.apply(other)
	s.onPort(80, "the service has another port, and the server another check", "wrr", "192.168.1.4:80=3")
	s.hears(9000, checker.Failed)
	s.onPort(80, "it is down", "", "")
}

func TestAServiceThatTakesThePortOfAnotherIsNotMixedWithIt(t *testing.T) {
	s := served(t)
	c := moved(8080, 8000)
	mail := webService(ipvsctl.NAT, web2)
	mail.Name = "mail"
	c.Services = append([]config.Service{mail}, c.Services...)
	s.apply(c)
	s.onPort(80, "it is mail's now", "wrr", "192.168.1.5:80=3")
}

func TestAFallbackThatServesIsChangedAtOnce(t *testing.T) {
	s := served(t)
	for range 3 {
		s.hears(80, checker.Failed)
	}
	c := moved(80, 8000)
	c.Services[0].Fallback.Destination.Weight = 2
	s.apply(c)
	s.holds("its weight", "10.13.0.15:8080=2")
	s.apply(moved(8080, 8000))
	s.onPort(80, "another port of the service", "wrr", "10.13.0.15:8080=2")
	s.onPort(8080, "another port of the service", "wrr", onFallback)
}
