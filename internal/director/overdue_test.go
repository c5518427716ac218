package director

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// restarts counts the orders to give probes up, since the last time.
func (s *story) restarts() (n int) {
	for _, line := range s.lines {
		if strings.HasPrefix(line, "restart ") {
			n++
		}
	}
	s.lines = nil
	return n
}

// overdueFinding is the finding that checks are overdue; empty: there is none.
func (s *story) overdueFinding() string {
	for _, f := range s.core.Status(s.now, Edges{}).Findings {
		if f.Code == "checks-overdue" && f.Severity == api.Error {
			return f.Text
		}
	}
	return ""
}

// "Nothing told me that a server had not been checked for a week."
func TestACheckWithoutResultsIsBegunAgain(t *testing.T) {
	c := farm(3, false, nil)
	slow := &c.Services[0].Servers[2].Checks[0].Target
	slow.Pace = checker.Pace{Down: 60_000, Rise: 2, Fall: 3}
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	round := func(n int, letters string) {
		for range n {
			for i, letter := range letters {
				if r := probes[letter]; letter != '-' {
					r.At = s.now
					s.handle(Probed{{c.Services[0].Servers[i].Checks[0].Target, r}})
				}
			}
			s.wait(time.Second)
		}
	}
	round(120, "ppp")
	if n := s.restarts(); n != 0 || s.overdueFinding() != "" {
		t.Fatalf("%d restarts while results come", n)
	}
	round(5, "p-p") // A timeout and four intervals are 5 s.
	if n := s.restarts(); n != 0 || s.overdueFinding() != "" {
		t.Fatalf("%d restarts while the next result is still due", n)
	}
	round(15, "p-p")
	text := s.overdueFinding()
	if n := s.restarts(); n == 0 || !strings.Contains(text, "web/192.168.1.2") || strings.Contains(text, "192.168.1.1") || !strings.Contains(text, "1 check ") {
		t.Errorf("%d restarts, %q", n, text)
	}
	if got := s.serving(); got != "1 2 3" {
		t.Errorf("%s serve: what hangs is not the server's fault", got)
	}
	round(60, "p--") // The third one may be asked once a minute while it is down.
	if text := s.overdueFinding(); strings.Contains(text, "192.168.1.3") {
		t.Errorf("at its longest interval, it is not overdue: %q", text)
	}
	s.restarts()
	round(2*overdueEvery, "ppp")
	if text := s.overdueFinding(); strings.Contains(text, "192.168.1.2") {
		t.Errorf("it has a result: %q", text)
	}
	if n := len(s.core.overdue); n > 0 {
		t.Errorf("%d targets are remembered", n)
	}
}

// After SIGSTOP and SIGCONT, or a suspend, every result is old.
func TestADirectorThatWasStoppedGivesNoProbeUp(t *testing.T) {
	c := farm(3, false, nil)
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	for range 10 {
		s.round("ppp")
	}
	s.lines = nil
	for range 5 {
		s.now = s.now.Add(time.Minute) // It is not woken.
		s.write(s.core.Expire(s.now))
		for range 10 {
			s.round("ppp")
		}
	}
	if n := s.restarts(); n != 0 || s.overdueFinding() != "" {
		t.Errorf("%d restarts, %q", n, s.overdueFinding())
	}
}

func TestATargetThatWasNeverHeardIsBegunAgain(t *testing.T) {
	c := farm(1, false, nil)
	for i, name := range []string{"gateway", "uplink"} {
		t := checker.Target{Spec: "ping", Addr: web2, Interval: time.Second, Timeout: time.Duration(i+1) * time.Second}
		c.Conditions = append(c.Conditions, config.Condition{Name: name, Checks: []config.Check{{Target: t, Rise: 1, Fall: 1}}, Minimum: 1})
	}
	s := tellOf(t, c)
	s.wait(time.Minute)
	if n := s.restarts(); n != 0 && !s.core.probing {
		t.Fatalf("%d restarts before anything is asked", n)
	}
	s.wait(time.Minute)
	text := s.overdueFinding()
	for _, name := range []string{"gateway", "uplink", "web/192.168.1.1"} {
		if !strings.Contains(text, name) {
			t.Errorf("%q does not tell of %s", text, name)
		}
	}
	s.handle(MachineSeen{Facts: s.core.facts})
	if !slices.ContainsFunc(strings.Split(s.log.String(), "\n"), func(line string) bool { return strings.Contains(line, "checks-overdue") }) {
		t.Errorf("the log does not tell of it:\n%s", s.log.String())
	}
}
