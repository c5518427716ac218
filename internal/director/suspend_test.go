package director

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// sleeper is a cluster with two services: one of two servers that is checked on the Master,
// and one of other servers that always is.
func sleeper() *config.Config {
	c := farm(4, true, nil)
	s := c.Services[0]
	other := s
	other.Name, other.Key.Port, other.Servers = "mail", 25, s.Servers[2:]
	c.Services[0].Servers, c.Services[0].Policy = s.Servers[:2], &config.Policy{HASuspend: true}
	c.Services = append(c.Services, other)
	return c
}

// role tells which state the router is in.
func (s *story) role(state vrrp.State) {
	s.Helper()
	s.handle(RoutersSeen{{Name: "outside", State: state}})
}

// awake tells of one result of each server that is asked, in the order of the configuration,
// and lets the rest of a second pass.
func (s *story) awake(letters string) {
	s.Helper()
	n := 0
	for i := range s.core.config.Services {
		for j := range s.core.config.Services[i].Servers {
			r := probes[rune(letters[n])]
			if n++; s.core.sleeps(i) {
				continue
			}
			r.At = s.now
			s.handle(Probed{{s.core.config.Services[i].Servers[j].Checks[0].Target, r}})
		}
	}
	s.wait(time.Second)
}

// asked returns how many targets were set last; empty: none since.
func (s *story) asked() (last string) {
	for _, line := range s.lines {
		if n, set := strings.CutPrefix(line, "targets: "); set {
			last = n
		}
	}
	s.lines = nil
	return last
}

// "Two directors check each server, which is twice what it can bear."
func TestChecksOfASuspendedServiceRunOnTheMaster(t *testing.T) {
	s := tellOf(t, sleeper())
	s.handle(TableSeen{Converged: true})
	want := func(when, targets, serving string) {
		t.Helper()
		if got := s.asked(); got != targets {
			t.Errorf("%s, %q targets are set, want %q", when, got, targets)
		}
		if got := s.serving(); got != serving {
			t.Errorf("%s, %q serve, want %q", when, got, serving)
		}
	}
	want("at the start", "4", "F")
	s.role(vrrp.Backup)
	s.awake("prpn")
	want("a Backup waits for the first results", "2", "1")
	if st := s.core.Status(s.now, Edges{}); !st.Services[0].Suspended || st.Services[1].Suspended {
		t.Error("the status does not tell which service is suspended")
	}
	for range 30 {
		s.awake("rrpp")
	}
	want("what was found is kept", "", "1")
	if text := s.overdueFinding(); text != "" {
		t.Errorf("it is overdue: %s", text)
	}
	s.role(vrrp.Master)
	want("a Master asks at once, and what was found holds until there are results", "4", "1")
	for range 10 {
		s.awake("rppp")
	}
	want("they decide", "", "2")
	s.role(vrrp.Backup)
	want("a Backup again", "2", "2")
}

// A server that a reload adds is asked on a Backup, too, until it is known.
func TestAServerThatIsNewToASuspendedServiceIsAsked(t *testing.T) {
	s := tellOf(t, sleeper())
	s.handle(TableSeen{Converged: true})
	s.role(vrrp.Backup)
	s.awake("pppp")
	s.asked()
	next := sleeper()
	more := farm(9, true, nil).Services[0].Servers[8]
	next.Services[0].Servers = append(slices.Clone(next.Services[0].Servers), more)
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: next}})
	if got := s.asked(); got != "5" {
		t.Errorf("%q targets are set", got)
	}
	s.awake("ppppp")
	if got := s.asked(); got != "2" || s.serving() != "1 2 3" {
		t.Errorf("then %q targets are set, and %q serve", got, s.serving())
	}
}

// Targets that are not asked tell nothing of the network: neither that it is well nor that
// it is not.
func TestSuspendedTargetsDoNotCountForIsolation(t *testing.T) {
	isolated := func(s *story) bool {
		return slices.ContainsFunc(s.core.Status(s.now, Edges{}).Findings, func(f api.Finding) bool { return f.Code == "isolated" })
	}
	s := tellOf(t, sleeper())
	s.handle(TableSeen{Converged: true})
	s.role(vrrp.Backup)
	s.awake("pppp")
	for range 5 {
		s.awake("ppss")
	}
	if !isolated(s) {
		t.Error("every target that is asked is silent, but this is no isolation")
	}
	for range 5 {
		s.awake("ppps")
	}
	if isolated(s) {
		t.Error("one answers, but this is isolation")
	}
	for range 5 {
		s.awake("ppss")
	}
	s.role(vrrp.Master) // The others are asked again, and answered last.
	if isolated(s) {
		t.Error("two targets answered last, but this is isolation")
	}
	for range 5 {
		s.awake("ssss")
	}
	if !isolated(s) {
		t.Error("all four are silent, but this is no isolation")
	}
	s.role(vrrp.Backup)
	s.awake("--pp")
	if isolated(s) {
		t.Error("what was silent when it was suspended counts")
	}
}

// A director with no virtual router for the address always checks.
func TestAServiceThatNoRouterMovesIsNeverSuspended(t *testing.T) {
	for _, change := range []func(*config.Config){
		func(c *config.Config) { c.Routers = nil },
		func(c *config.Config) { c.Services[0].Key.Addr = web2 },
	} {
		c := sleeper()
		change(c)
		s := tellOf(t, c)
		s.handle(TableSeen{Converged: true})
		s.awake("pppp")
		s.awake("pppp")
		if got := s.asked(); got != "4" || s.core.sleeps(0) {
			t.Errorf("%q targets are set", got)
		}
	}
}

func TestAReloadSuspendsAndWakesAService(t *testing.T) {
	with, without := sleeper(), sleeper()
	without.Services[0].Policy = nil
	s := tellOf(t, without)
	s.handle(TableSeen{Converged: true})
	s.role(vrrp.Backup)
	s.awake("pppp")
	for i, next := range []*config.Config{with, without} {
		s.asked()
		s.handle(Reload{})
		s.handle(ReadingEnded{Number: i + 1, Loaded: Loaded{Config: next}})
		s.wait(time.Second)
		if got, want := s.asked(), []string{"2", "4"}[i]; got != want {
			t.Errorf("after reload %d, %q targets are set, want %q", i, got, want)
		}
		s.awake("pppp")
	}
	for range 5 {
		s.awake("ssss")
	}
	if !s.core.isolated {
		t.Error("all targets count again, but their silence is no isolation")
	}
}

// A host with several checks is no network, also where some services sleep.
func TestOneAddressThatIsSilentIsNoIsolation(t *testing.T) {
	h := &Healths{}
	s, targets := either()
	h.Configure(start, []config.Service{s}, nil)
	h.Suspend(func(int) bool { return false })
	heard(h, targets, "sss")
	if h.Silent() {
		t.Error("one address that is silent counts as all of the network")
	}
}
