package director

import (
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
// come back to it.
func TestAServerOnThisMachineDoesNotStay(t *testing.T) {
	s := served(t)
	direct := moved(80, 80)
	direct.Services[0].Servers[0].Key.Addr = lvs1
	direct.Services[0].Servers[0].Destination.Forward = ipvsctl.Direct
	direct.Services[0].Servers[0].InitialUp = true
	s.apply(direct)
	s.holds("this machine serves", "10.13.0.15:80=3")
	s.apply(moved(80, 8000))
	s.holds("another machine is to serve", onFallback)
}
