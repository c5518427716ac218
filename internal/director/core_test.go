package director

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/vrrp"
)

// A story tells a core what happens and writes down what it wants done.
type story struct {
	telling *connections.Telling
	// listened is how often it has begun to listen to what others tell.
	listened int
	tune     Tune // the last one
	*testing.T
	core *Core
	now  time.Time
	// lines are the effects since the last call of told, but for heartbeats.
	lines []string
	log   strings.Builder
	beats int
	// described is what the service manager shows people.
	described string
	desired   vrrp.Desired // that the keeper was told last
	told      []string     // what the hooks of services were told
	saved     []SaveKeptOut
	slow      bool     // the disk
	idle      []string // the addresses of targets that nobody needs
}

// tellOf begins a story with a configuration, on a machine that forwards packets.
func tellOf(t *testing.T, c *config.Config) *story {
	t.Helper()
	first := Loaded{Config: c}
	if len(c.Services) > 0 {
		first.Found = ipvsctl.Table{}
	}
	s := &story{T: t, now: start}
	core, effects := Begin(start, "/etc/lvsd", first, machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}, Forward4: true})
	s.core = core
	s.write(effects)
	return s
}

// handle tells the core of one thing.
func (s *story) handle(in Input) {
	s.Helper()
	s.write(s.core.Handle(s.now, in))
	s.checkDeadline()
}

// hear tells of a result of the first server's check.
func (s *story) hear(o checker.Outcome) {
	s.Helper()
	s.handle(Probed{{tcpTarget, checker.Result{Outcome: o, Detail: "connection refused"}}})
}

// adjusted tells that parameters of the kernel were set, or why they were all refused.
func (s *story) adjusted(refused error) {
	s.Helper()
	in := Tuned{Tune: s.tune, Refused: map[machine.Setting]error{}}
	if refused != nil {
		for p := range in.Values {
			in.Refused[p] = refused
		}
	}
	s.handle(in)
}

// wait lets time pass, and wakes the core when it asked for that and not sooner.
func (s *story) wait(d time.Duration) {
	s.Helper()
	end := s.now.Add(d)
	for !s.core.Deadline().After(end) {
		s.now = s.core.Deadline()
		s.write(s.core.Expire(s.now))
		s.checkDeadline()
	}
	s.now = end
}

// checkDeadline: a deadline that is over would keep the loop busy.
func (s *story) checkDeadline() {
	s.Helper()
	if d := s.core.Deadline(); !d.After(s.now) {
		s.Fatalf("the deadline is %v ago", s.now.Sub(d))
	}
}

// write notes effects in the words of a transcript.
func (s *story) write(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case SetTable:
			s.lines = append(s.lines, "table: "+rowsOf(e.Table))
		case LearnConnections:
			s.listened++
		case TellConnections:
			s.telling = e.Telling
		case Tune:
			s.tune = e
			for _, p := range slices.Sorted(maps.Keys(e.Values)) {
				s.lines = append(s.lines, fmt.Sprintf("set %s=%s", p, e.Values[p]))
			}
			if len(e.Values) == 0 {
				s.lines = append(s.lines, fmt.Sprintf("keep what %d parameters were", len(e.Before)))
			}
		case SetTargets:
			s.lines = append(s.lines, fmt.Sprintf("targets: %d", len(e)))
		case SaveKeptOut:
			if s.saved = append(s.saved, e); !s.slow {
				s.write(s.core.Handle(s.now, KeptOutSaved{}))
			}
		case TellHooks:
			for _, st := range e {
				s.told = append(s.told, strings.TrimSpace(fmt.Sprintf("%s %s %d/%d %s", st.Server, st.State, st.Serving, st.Servers, st.Reason)))
			}
		case Retry:
			s.lines = append(s.lines, "ask again who could not be asked")
		case Suspect:
			for _, t := range e {
				s.lines = append(s.lines, "suspect "+t.Addr.String())
			}
		case SetIdle:
			s.idle = nil
			for _, t := range e {
				s.idle = append(s.idle, t.Addr.String())
			}
		case Restart:
			s.lines = append(s.lines, fmt.Sprintf("restart %d", len(e)))
		case Conclude:
			e.Asker(e.Outcome)
		case SaveStandby:
			s.lines = append(s.lines, fmt.Sprintf("save %d, standby %v", e.Number, e.Standby != nil))
		case TellKeeper:
			s.desired = vrrp.Desired(e)
			s.lines = append(s.lines, fmt.Sprintf("keeper: %d routers, table loaded %v", len(e.Routers), e.Conditions[0].OK))
		case Heartbeat:
			s.beats++
		case Notify:
			s.lines = append(s.lines, "systemd: "+string(e))
		case Describe:
			s.described = string(e)
		case Read:
			s.lines = append(s.lines, fmt.Sprintf("read %d, open %v", e.Number, e.Open))
		case Look:
			s.lines = append(s.lines, "look")
		case HandOver:
			s.lines = append(s.lines, fmt.Sprintf("hand over within %v", e.Limit))
		case Answer:
			e.Asker(e.Outcome)
		case Tell:
			event.Log(plain(&s.log))(e.Event)
			s.lines = append(s.lines, strings.ToLower(e.Severity.String())+" "+e.Code+" "+e.Subject)
		}
	}
}

// wantLines holds those lines of the log that have a text.
func (s *story) wantLines(when, text string, want ...string) {
	s.Helper()
	if diff := cmp.Diff(want, linesWith(&s.log, text), cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// rowsOf are the real servers and their weights, in order.
func rowsOf(t ipvsctl.Table) string {
	var all []string
	for _, v := range t {
		for _, row := range v.Destinations {
			all = append(all, fmt.Sprintf("%v=%d", row.Key, row.Value.Weight))
		}
	}
	return strings.Join(all, " ")
}

// want holds the effects since the last call.
func (s *story) want(when string, lines ...string) {
	s.Helper()
	for i := range s.lines {
		s.lines[i] = strings.TrimSpace(s.lines[i])
	}
	if diff := cmp.Diff(lines, s.lines); diff != "" {
		s.Errorf("%s (-want +got):\n%s", when, diff)
	}
	s.lines = nil
}

// wantLog holds the log since the last call.
func (s *story) wantLog(when string, lines ...string) {
	s.Helper()
	if diff := cmp.Diff(lines, logged(&s.log)); diff != "" {
		s.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

func TestCoreFromStartToStop(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.want("the start: the table first, and no router", "keeper: 1 routers, table loaded false", "table: 10.13.0.15:8080=1")
	s.handle(TableSeen{Converged: true})
	s.want("it is in the kernel: the probes", "targets: 1")
	s.hear(checker.Passed)
	s.want("the first result", "info server-up web/192.168.1.4", "table: 192.168.1.4:80=3")
	s.handle(TableSeen{Converged: true})
	s.want("that is in the kernel too", "keeper: 1 routers, table loaded true", "info ready", "systemd: READY")
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}})
	s.want("Master, by which the table is another one only if this director is a server", "table: 192.168.1.4:80=3")
	s.handle(TableSeen{Converged: true})
	s.hear(checker.Failed)
	s.hear(checker.Failed)
	s.want("failures that are not yet enough")
	s.hear(checker.Failed)
	s.want("the last server fails", "warn server-down web/192.168.1.4", "warn service-unserved web", "table: 10.13.0.15:8080=1")
	s.handle(TableSeen{Refused: true})
	s.want("a refusal changes nothing")
	s.handle(Reload{})
	s.want("a reload", "systemd: RELOADING", "read 1, open false")
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: second(checked(tcpTarget))}})
	s.want("another configuration", "info configuration-applied", "targets: 1", "keeper: 1 routers, table loaded true", "table: 10.13.0.15:8080=1")
	s.handle(TableSeen{Converged: true})
	s.want("it runs", "systemd: READY")
	s.wait(10 * time.Second)
	s.want("ten seconds", "look")
	s.handle(Stop{})
	s.want("the stop", "systemd: STOPPING", "info stopping", "hand over within 14s")
	s.handle(Stop{})
	s.handle(Reload{})
	s.want("who stops does not stop again, nor read")
	s.hear(checker.Passed)
	s.hear(checker.Passed)
	s.want("the health of the servers is followed meanwhile", "info server-up web/192.168.1.4", "info service-served web", "table: 192.168.1.4:80=3")
	s.handle(HandedOver{Err: errors.New("the keeper does not answer")})
	s.want("the end", "error hand-over-failed")
}

// SIGTERM during the start: the service manager hears nothing after STOPPING.
// "The warnings were in the log after a reload, and not after a start."
func TestWarningsAboutTheConfigurationAreLoggedAtTheStart(t *testing.T) {
	for _, tt := range []struct{ warnings, lines, left int }{{0, 0, 0}, {1, 1, 0}, {20, 20, 0}, {500, 21, 480}} {
		s := &story{T: t, now: start}
		l := Loaded{Config: clusterOf()}
		for i := range tt.warnings {
			l.Warnings = append(l.Warnings, fmt.Sprintf("web.hcl:%d: Address held by nobody", i))
		}
		_, effects := Begin(start, "/etc/lvsd", l, machine.Facts{Forward4: true})
		s.write(effects)
		got := s.log.String()
		if n := strings.Count(got, "event=configuration-warning"); n != tt.lines {
			t.Errorf("%d warnings are %d lines, want %d", tt.warnings, n, tt.lines)
		}
		if more := fmt.Sprintf("warnings=%d\n", tt.left); tt.left > 0 && !strings.Contains(got, more) {
			t.Errorf("how many were left out is not told:\n%s", got)
		}
	}
}

func TestAStopDuringTheStartIsNotFollowedByReady(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.handle(Stop{})
	s.lines = nil
	s.wait(12 * time.Second)
	s.want("the start delay is over", "look", "targets: 1", "table: 10.13.0.15:8080=1")
}

// A table that was opened for a reading that was given up is there all the same.
func TestATableIsOpenedOnce(t *testing.T) {
	s := tellOf(t, clusterOf())
	s.handle(Reload{})
	s.wait(loadPatience)
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: second(checked(tcpTarget)), Found: ipvsctl.Table{}}})
	s.lines = nil
	s.handle(Reload{})
	s.want("the next reading", "systemd: RELOADING", "read 2, open false")
}

func TestLosingTheLastServerIsOneLine(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.wantLog("before the first result")
	s.hear(checker.Passed)
	s.log.Reset()
	for range 6 {
		s.hear(checker.Failed)
	}
	s.wantLog("the last one fails",
		`level=WARN msg="real server is down" event=server-down service=web server=192.168.1.4 address=192.168.1.4:80 reason="connection refused"`,
		`level=WARN msg="virtual service has no real server left" event=service-unserved service=web address="tcp 10.13.0.200:80" fallback=true why="real servers: 1 down"`)
	for range 3 {
		s.hear(checker.Passed)
	}
	s.wantLog("it is back",
		`level=INFO msg="real server is up" event=server-up service=web server=192.168.1.4 address=192.168.1.4:80`,
		`level=INFO msg="virtual service has a real server again" event=service-served service=web address="tcp 10.13.0.200:80" fallback=true`)
}

func TestDrainingTheLastServerIsToldOnce(t *testing.T) {
	drained := webService(ipvsctl.NAT, web1)
	drained.Servers[0].Destination.Weight, drained.Fallback = 0, nil
	s := tellOf(t, clusterOf(drained))
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	s.wantLog("planned twice", `level=WARN msg="virtual service has no real server left" event=service-unserved service=web address="tcp 10.13.0.200:80" fallback=false why="real servers: 1 with weight 0"`)
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: second()}})
	s.wantLog("a service that was removed", `level=INFO msg="configuration applied" event=configuration-applied path=/etc/lvsd services=0 routers=1`,
		`level=WARN msg="reload: removed virtual service web" event=configuration-changed`)
	if len(s.core.outages) > 0 {
		t.Errorf("it is remembered: %v", s.core.outages)
	}
}

func TestOnlyAMasterHandsOver(t *testing.T) {
	for _, tt := range []struct {
		state vrrp.State
		want  string
	}{
		{vrrp.Master, `level=INFO msg="stopping: handing over" event=stopping`},
		{vrrp.Backup, `level=INFO msg=stopping event=stopping`},
	} {
		t.Run(string(tt.state), func(t *testing.T) {
			s := tellOf(t, clusterOf())
			s.handle(RoutersSeen{{Name: "outside", State: tt.state}})
			s.log.Reset()
			s.handle(Stop{})
			s.wantLog("the stop", tt.want)
		})
	}
}

func TestAStopWithoutRoutersHasALimitToo(t *testing.T) {
	c := clusterOf()
	c.Routers = nil
	s := tellOf(t, c)
	s.lines = nil
	s.handle(Stop{})
	s.want("the stop", "systemd: STOPPING", "info stopping", "hand over within 10s")
}

func TestTheTableIsPlannedAnewForARoleAndNotForAFigure(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
	s.lines = nil
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup, Counters: vrrp.Counters{AdvertsReceived: 7}}})
	s.want("an advert was received")
	s.handle(RoutersSeen{{Name: "inside", State: vrrp.Backup}})
	s.want("another router has the role", "table: 10.13.0.15:8080=1")
}

func TestAFindingWhoseFiguresChangeIsNoNews(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.handle(Probed{{tcpTarget, checker.Result{Outcome: checker.NotRun}}})
	s.wait(notRunPatience)
	s.log.Reset()
	for i := range 3 {
		s.handle(Probed{{tcpTarget, checker.Result{Outcome: checker.NotRun, Detail: fmt.Sprint("noticed after ", i)}}})
		s.handle(MachineSeen{Facts: machine.Facts{Forward4: true}})
	}
	if got := strings.Count(s.log.String(), "cannot be run because"); got != 1 {
		t.Errorf("logged %d times, want once:\n%s", got, &s.log)
	}
}

func TestWhatCouldNotBeAskedIsAskedWhenAnAddressComes(t *testing.T) {
	s := tellOf(t, &config.Config{Services: []config.Service{checked(tcpTarget)}})
	s.lines = nil
	s.handle(MachineChanged{})
	s.want("the machine changes", "ask again who could not be asked")
}

// An administrator who changes an address or a sysctl expects lvsd to notice, and
// looking costs system calls: once a second at most, while addresses come and go.
func TestAMachineThatHasChangedIsLookedAtWithinASecond(t *testing.T) {
	s := tellOf(t, clusterOf())
	s.wait(1500 * time.Millisecond)
	for range 10 {
		s.handle(MachineChanged{})
	}
	s.lines = nil
	s.wait(400 * time.Millisecond)
	s.want("before the next second")
	s.wait(100 * time.Millisecond)
	s.want("once", "look")
	s.handle(MachineChanged{})
	s.lines = nil
	s.wait(time.Second)
	s.want("while a look takes its time")
	s.handle(nodest("1"))
	s.wait(time.Second)
	s.want("what changed meanwhile is looked at", "look")
	s.handle(nodest("1"))
	s.lines = nil
	s.wait(5 * time.Second)
	s.want("and nothing more")
}

func TestTheMachineIsLookedAtEveryTenSeconds(t *testing.T) {
	s := tellOf(t, clusterOf())
	s.lines = nil
	for second := 1; second <= 60; second++ {
		s.wait(time.Second)
		if second%10 != 0 {
			s.want(fmt.Sprintf("after %d seconds", second))
			continue
		}
		s.want(fmt.Sprintf("after %d seconds", second), "look")
		s.handle(MachineSeen{Facts: machine.Facts{Forward4: true}})
		s.lines = nil
	}
}

func TestAFindingIsToldWithItsRemedy(t *testing.T) {
	const off = `level=ERROR msg="virtual service \"%s\" uses NAT, but this director does not forward packets, ` +
		`so the replies do not reach the clients" event=forwarding-off remedy="set %s=1 (sysctl -w, and in /etc/sysctl.d)"`
	six := webService(ipvsctl.NAT, netip6)
	six.Name, six.Key.Addr = "web6", netip6
	s := tellOf(t, clusterOf(checked(tcpTarget), six))
	s.wantLog("this machine forwards IPv4 alone", fmt.Sprintf(off, "web6", "net.ipv6.conf.all.forwarding"))
	s.handle(MachineSeen{})
	s.wantLog("IPv4 is turned off too", fmt.Sprintf(off, "web", "net.ipv4.ip_forward"))
	s.handle(MachineSeen{})
	s.wantLog("both are known")
	s.handle(MachineSeen{Facts: machine.Facts{Forward4: true}})
	s.wantLog("IPv4 is turned on again", `level=INFO msg="no longer true: virtual service \"web\" uses NAT, but this director does not forward packets, `+
		`so the replies do not reach the clients" event=finding-over finding=forwarding-off`)
}

func TestTwoMastersThatAreOverAreInTheLog(t *testing.T) {
	s := tellOf(t, clusterOf())
	heard := func(others uint64) {
		s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master, Counters: vrrp.Counters{OtherMasters: others}}})
		s.wait(looks * tick)
		s.handle(MachineSeen{Facts: machine.Facts{Forward4: true}})
	}
	heard(0)
	s.log.Reset()
	heard(7)
	s.wantLog("the keeper has told of them")
	for range 7 {
		heard(7)
	}
	if got := s.log.String(); strings.Count(got, "event=finding-over finding=other-master") != 1 {
		t.Errorf("a minute after the last advert of another Master:\n%s", got)
	}
}

// With direct routing to this director, a row would let a packet bounce while
// the address is its own and another director is Master.
func TestTheTableIsPlannedAnewWhenAnAddressComesOrGoes(t *testing.T) {
	s := tellOf(t, clusterOf(webService(ipvsctl.Direct, lvs1)))
	here := MachineSeen{Facts: machine.Facts{Addresses: []netip.Prefix{netip.PrefixFrom(lvs1, 24)}}}
	s.lines = nil
	s.handle(here)
	s.want("nothing has changed")
	s.handle(MachineSeen{})
	s.want("the address is not this director's any more", "table: 10.13.0.15:80=3")
	s.handle(here)
	s.want("it is again", "table:")
}

// The keeper hands over where it hears nothing for ten seconds.
func TestTheHeartbeatComesEverySecond(t *testing.T) {
	s := tellOf(t, clusterOf(checked(tcpTarget)))
	s.wait(time.Minute)
	if s.beats != 60 {
		t.Errorf("%d heartbeats in a minute, want 60", s.beats)
	}
}
