package director

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// manual is a farm whose servers are named "1" on and stay out until they are let in.
func manual(n int, p config.Policy) *config.Config {
	p.ManualResume = true
	c := farm(n, false, &p)
	for i := range c.Services[0].Servers {
		c.Services[0].Servers[i].Name = string(rune('1' + i))
	}
	return c
}

// resume gives the order, and returns what became of it.
func (s *story) resume(names ...string) string {
	s.Helper()
	var got api.Ordered
	s.handle(Resume{ResumeOrder: api.ResumeOrder{Servers: names}, By: alice, Asker: func(o api.Ordered) { got = o }})
	return strings.Join(append(slices.Clone(got.Ended), got.Error), "; ")
}

// "A database that has failed must not come back before somebody has looked at it."
func TestAServerThatHasFailedStaysOutUntilItIsLetIn(t *testing.T) {
	s := tellOf(t, manual(3, config.Policy{}))
	s.play([]rounds{{"ppr", 2, "1 2"}, {"ppp", 2, "1 2 3"}}) // It has not failed, but never been up.
	s.play([]rounds{{"rpp", 3, "2 3"}, {"ppp", 20, "2 3"}})
	st := s.core.Status(s.now, Edges{})
	if got := st.Services[0].Servers[0]; got.Health != api.Up || got.DecidedBy != api.ByManualResume || !got.KeptOut {
		t.Errorf("the status says %s by %q, kept out %v", got.Health, got.DecidedBy, got.KeptOut)
	}
	i := slices.IndexFunc(st.Findings, func(f api.Finding) bool { return f.Code == "servers-kept-out" })
	if i < 0 || st.Findings[i].Text != "1 real server failed and is kept out until lvsd resume (manual_resume): web/1" || !strings.HasSuffix(st.Findings[i].Remedy, "lvsd resume web/1") {
		t.Errorf("the findings are %+v", st.Findings)
	}
	if got := s.resume("web/1"); got != "manual_resume of web/1, which failed 21s ago, and serves now; " {
		t.Error(got)
	}
	if got := s.serving(); got != "1 2 3" {
		t.Errorf("%s serve after the order", got)
	}
	s.play([]rounds{{"ppp", 5, "1 2 3"}, {"rpp", 3, "2 3"}, {"ppp", 3, "2 3"}})
	if got := s.resume("web"); got != "manual_resume of web/1, which failed 4s ago, and serves now; " {
		t.Error(got)
	}
	if got := s.events("server-"); !slices.Contains(got, "server-kept-out") || !slices.Contains(got, "server-resumed") {
		t.Errorf("the events are %q", got)
	}
	if !strings.Contains(s.log.String(), "event=server-resumed service=web server=1 user=alice uid=1000") {
		t.Error("the log does not say who has let it in")
	}
}

func TestAServerThatIsLetInWhileItIsDownServesWhenItsChecksPass(t *testing.T) {
	s := tellOf(t, manual(2, config.Policy{}))
	s.play([]rounds{{"pp", 2, "1 2"}, {"rp", 4, "2"}})
	if got := s.resume("web/192.168.1.1:80"); got != "manual_resume of web/1, which failed 2s ago, and serves as soon as its checks pass; " {
		t.Error(got)
	}
	s.play([]rounds{{"rp", 5, "2"}, {"pp", 2, "1 2"}, {"rp", 3, "2"}, {"pp", 5, "2"}})
}

func TestNamesOfServersThatAreLetIn(t *testing.T) {
	c := manual(2, config.Policy{})
	other := farm(1, false, nil).Services[0]
	other.Name, other.Key.Port = "web2", 81
	c.Services = append(c.Services, other)
	s := tellOf(t, c)
	for _, tt := range []struct{ name, want string }{
		{"web/1", ""},
		{"web", ""},
		{"web/", `virtual service "web" has no real server "": they are 1, 2`},
		{"web/3", `virtual service "web" has no real server "3": they are 1, 2`},
		{"web2/1", `virtual service "web2" has no manual_resume, so its real servers come back by themselves`},
		{"mail", `there is no virtual service or real server "mail": write SERVICE/SERVER, or SERVICE; the virtual services are web, web2`},
	} {
		if got := s.resume(tt.name); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What panic or isolation has held in never left the table, so nobody need let it in.
func TestWhatIsHeldInIsNotKeptOut(t *testing.T) {
	for _, tt := range []struct {
		name      string
		isolation bool
		policy    config.Policy
		script    []rounds
	}{
		{"isolation", true, config.Policy{}, []rounds{{"ppp", 2, "1 2 3"}, {"sss", 20, "1 2 3"}, {"ppp", 9, "1 2 3"}}},
		{"one that fell a moment before it began", true, config.Policy{}, []rounds{{"ppp", 2, "1 2 3"}, {"spp", 3, "2 3"}, {"sss", 5, "1 2 3"}, {"ppp", 9, "1 2 3"}}},
		{"one that failed before stays out", true, config.Policy{}, []rounds{{"ppp", 2, "1 2 3"}, {"rpp", 3, "2 3"}, {"ppp", 9, "2 3"}, {"sss", 5, "2 3"}, {"ppp", 9, "2 3"}}},
		{"panic", false, config.Policy{PanicPercent: 50, PanicFor: 10 * time.Second}, []rounds{{"ppp", 2, "1 2 3"}, {"ssp", 5, "1 2 3"}, {"ppp", 9, "1 2 3"}}},
		{"once it is over, they have failed", false, config.Policy{PanicPercent: 50, PanicFor: 10 * time.Second}, []rounds{{"ppp", 2, "1 2 3"}, {"ssp", 15, "3"}, {"ppp", 9, "3"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := manual(3, tt.policy)
			c.Director.Isolation = tt.isolation
			tellOf(t, c).play(tt.script)
		})
	}
}

// A restart of lvsd lets nobody in, and a reload only whom it concerns no more.
func TestWhoIsKeptOutStaysSoOverARestartAndAReload(t *testing.T) {
	c := manual(2, config.Policy{})
	kept := []KeptOut{{"web", c.Services[0].Servers[0].Key, start.Add(-time.Hour)}, {"gone", c.Services[0].Servers[0].Key, start}}
	core, effects := Begin(start, "/etc/lvsd", Loaded{Config: c, Found: ipvsctl.Table{}, keptOut: kept}, machine.Facts{Forward4: true})
	s := &story{T: t, now: start, core: core}
	s.write(effects)
	if diff := cmp.Diff([]SaveKeptOut{{kept[0]}}, s.saved, cmp.Comparer(func(a, b ipvsctl.DestinationKey) bool { return a == b })); diff != "" {
		t.Errorf("what is gone is kept (-want +got):\n%s", diff)
	}
	s.play([]rounds{{"pp", 5, "2"}, {"ss", 5, "F"}, {"pp", 5, "F"}}) // The second has failed, too.
	s.core.configure(s.now, Loaded{Config: manual(2, config.Policy{UpAfter: time.Second})})
	s.play([]rounds{{"pp", 1, "F"}})
	s.core.configure(s.now, Loaded{Config: farm(2, false, nil)})
	s.play([]rounds{{"pp", 1, "1 2"}})
	s.core.configure(s.now, Loaded{Config: manual(2, config.Policy{})})
	s.play([]rounds{{"pp", 1, "1 2"}})
}

// One writing at a time, of the newest, and a disk that fails is told of.
func TestWhoIsKeptOutIsWrittenDown(t *testing.T) {
	s := tellOf(t, manual(3, config.Policy{}))
	s.slow = true
	s.play([]rounds{{"ppp", 2, "1 2 3"}, {"rpp", 3, "2 3"}, {"rrp", 3, "3"}, {"rrr", 3, "F"}})
	if len(s.saved) != 1 || len(s.saved[0]) != 1 {
		t.Fatalf("written %v before the first has ended", s.saved)
	}
	s.handle(KeptOutSaved{errors.New("no space left")})
	if len(s.saved) != 2 || len(s.saved[1]) != 3 || len(s.events("kept-out-unsaved")) != 1 {
		t.Fatalf("written %v, events %v", s.saved, s.events("kept"))
	}
	s.handle(KeptOutSaved{})
	if len(s.saved) != 2 || len(s.events("kept-out-unsaved")) != 1 {
		t.Errorf("written %d times, events %v", len(s.saved), s.events("kept"))
	}
}

// The weight of one that is let in rises as that of one that has recovered.
func TestOneThatIsLetInStartsSlowly(t *testing.T) {
	c := manual(2, config.Policy{UpAfter: 5 * time.Second, SlowStart: 10 * time.Second})
	c.Services[0].Servers[0].Destination.Weight = 2
	s := tellOf(t, c)
	s.play([]rounds{{"pp", 2, "1*2 2"}, {"rp", 3, "2"}, {"pp", 60, "2"}})
	s.resume("web/1")
	s.play([]rounds{{"pp", 1, "1 2"}, {"pp", 4, "1 2"}, {"pp", 6, "1*2 2"}})
}
