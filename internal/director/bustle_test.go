package director

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// crowd is a cluster of so many services with a hundred servers each.
func crowd(services int) *config.Config {
	c := &config.Config{Director: config.Director{StartDelay: 10 * time.Second}, Routers: []vrrp.Config{{Name: "outside"}}}
	for i := range services {
		var servers []netip.Addr
		for j := range 100 {
			servers = append(servers, netip.AddrFrom4([4]byte{172, 16, byte(i), byte(j + 1)}))
		}
		s := webService(ipvsctl.NAT, servers...)
		s.Name, s.Key.Port, s.Fallback = fmt.Sprintf("web%03d", i), uint16(1000+i), nil
		for j := range s.Servers {
			s.Servers[j].Destination.Weight = 1
			s.Servers[j].Checks = []config.Check{{Target: checker.Target{Spec: "tcp", Addr: servers[j], Port: 80, Interval: time.Second, Timeout: time.Second}, Rise: 2, Fall: 3}}
		}
		c.Services = append(c.Services, s)
	}
	return c
}

// all tells of one result of every server, as the loop does: in bursts.
func (s *story) all(r checker.Result) {
	s.Helper()
	var burst Probed
	tell := func() {
		s.write(s.core.Handle(s.now, burst))
		burst = nil
	}
	for i := range s.core.config.Services {
		for j := range s.core.config.Services[i].Servers {
			if burst = append(burst, Observation{s.core.config.Services[i].Servers[j].Checks[0].Target, r}); len(burst) == resultQueue {
				tell()
			}
		}
	}
	tell()
	s.wait(time.Second)
}

// rows counts those of the table that is wanted.
func (s *story) rows() (n int) {
	for _, v := range s.core.planned.Table {
		n += len(v.Destinations)
	}
	return n
}

// "A switch died, and the log had ten thousand lines, but not the one that said so."
func TestTenThousandServersThatFailAtOnce(t *testing.T) {
	s := tellOf(t, crowd(100))
	s.all(probes['p'])
	if got := s.rows(); got != 10_000 {
		t.Fatalf("%d rows at the start", got)
	}
	for _, turn := range []struct {
		name   string
		result checker.Result
		times  int
		rows   int
		line   string
	}{
		{"fail", probes['r'], 3, 0, `level=WARN msg="more real servers have changed in this second than are told one by one" event=servers-changed services=90 down=8980 up=0 last_reason="connection refused"`},
		{"come back", probes['p'], 2, 10_000, `level=INFO msg="more real servers have changed in this second than are told one by one" event=servers-changed services=90 down=0 up=8980`},
	} {
		for range turn.times - 1 {
			s.all(turn.result)
		}
		s.log.Reset()
		began := time.Now()
		s.all(turn.result)
		took := time.Since(began)
		if got := s.rows(); got != turn.rows {
			t.Errorf("they %s, and there are %d rows", turn.name, got)
		}
		// On an idle machine it is 0.2 s.
		if took > 20*time.Second {
			t.Errorf("they %s, and the table takes %v", turn.name, took)
		}
		lines := strings.Split(s.log.String(), "\n")
		one, summaries := 0, 0
		for _, line := range lines {
			switch {
			case strings.Contains(line, "event=servers-changed"):
				summaries++
			case strings.Contains(line, "event=server-"):
				one++
			}
		}
		if one != maxOneByOne || summaries != maxSummaries+1 {
			t.Errorf("they %s, and the log has %d lines of single servers and %d summaries", turn.name, one, summaries)
		}
		if !strings.Contains(s.log.String(), turn.line) {
			t.Errorf("they %s, and no line is %s", turn.name, turn.line)
		}
		t.Logf("they %s: the table is right after %v", turn.name, took)
	}
}

// What few servers do is told one by one, second by second.
func TestFewServersAreToldOneByOne(t *testing.T) {
	s := tellOf(t, crowd(1))
	s.all(probes['p'])
	s.log.Reset()
	for i := range 40 {
		target := s.core.config.Services[0].Servers[i].Checks[0].Target
		for range 3 {
			s.handle(Probed{{target, probes['r']}})
		}
		s.wait(100 * time.Millisecond)
	}
	if got := strings.Count(s.log.String(), "event=server-down"); got != 40 || strings.Contains(s.log.String(), "servers-changed") {
		t.Errorf("%d lines:\n%s", got, s.log.String())
	}
}

// The services where most servers have changed are told of one by one, whatever happened
// to them.
func TestWhichServicesAreToldOfInABustle(t *testing.T) {
	s := tellOf(t, crowd(1))
	s.core.bustle.services = map[string]*changed{
		"reasons": {name: "reasons", reason: 6, last: "slow"},
		"ups":     {name: "ups", up: 5},
		"mixed":   {name: "mixed", down: 1, up: 2, reason: 1, last: "refused"},
		"fewer":   {name: "fewer", reason: 2, last: "late"},
	}
	for i := range 8 {
		name := fmt.Sprint("web", i)
		s.core.bustle.services[name] = &changed{name: name, down: 3, last: "refused"}
	}
	s.log.Reset()
	s.wait(time.Second)
	const told = `msg="more real servers have changed in this second than are told one by one" event=servers-changed `
	want := []string{
		"level=WARN " + told + `service=reasons down=0 up=0 last_reason=slow down_for_another_reason=6`,
		"level=INFO " + told + `service=ups down=0 up=5`,
		"level=WARN " + told + `service=mixed down=1 up=2 last_reason=refused down_for_another_reason=1`,
	}
	for i := range 7 {
		want = append(want, "level=WARN "+told+fmt.Sprintf("service=web%d down=3 up=0 last_reason=refused", i))
	}
	want = append(want, "level=WARN "+told+"services=2 down=3 up=0 last_reason=late down_for_another_reason=2")
	s.wantLines("the next second", "servers-changed", want...)
}

// A server that is down for another reason is neither one more that is down nor up.
func TestABustleCountsOtherReasons(t *testing.T) {
	b := bustle{told: maxOneByOne}
	for _, c := range []Change{
		{Service: "web", State: checker.Down, Detail: "refused"},
		{Service: "web", State: checker.Down, Detail: "slow", Before: "refused"},
		{Service: "web", State: checker.Down, Detail: "late", Before: "slow"},
		{Service: "web", State: checker.Up},
	} {
		if b.takes(&c) {
			t.Errorf("%+v is told by itself", c)
		}
	}
	if got, want := *b.services["web"], (changed{name: "web", down: 1, up: 1, reason: 2, last: "late"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
