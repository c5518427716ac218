package director

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// onPorts is a service whose servers have these ports.
func onPorts(ports ...uint16) *config.Config {
	s := checked(tcpTarget)
	one := s.Servers[0]
	s.Servers, s.Fallback = nil, nil
	for _, port := range ports {
		server := one
		server.Key.Port = port
		server.Checks = []config.Check{one.Checks[0]}
		server.Checks[0].Target.Port = port
		s.Servers = append(s.Servers, server)
	}
	return &config.Config{Services: []config.Service{s}, Director: config.Director{StartDelay: 10 * time.Second}}
}

// "The new file was wrong, and an hour later half of the servers were out."
func TestWhatAConfigurationOnTrialLoses(t *testing.T) {
	drained := func(c *config.Config, server int) *config.Config {
		c.Services[0].Servers[server].Destination.Weight = 0
		return c
	}
	renamed := func(c *config.Config) *config.Config {
		c.Services[0].Name = "other"
		return c
	}
	for _, tt := range []struct {
		name   string
		lose   api.Lose
		before []uint16 // that serve
		dead   uint16   // another one of the first configuration, which does not
		to     *config.Config
		down   []uint16 // by the checks of the second one
		lost   string
	}{
		{"nothing is down", "", []uint16{80, 81}, 0, onPorts(80, 81), nil, ""},
		{"one of two is down", "", []uint16{80, 81}, 0, onPorts(80, 81), []uint16{81}, "1 real servers that served are down, and 0 may be: web 192.168.1.4:81"},
		{"so many may be", "1", []uint16{80, 81}, 0, onPorts(80, 81), []uint16{81}, ""},
		{"half of them may be", "50%", []uint16{80, 81}, 0, onPorts(80, 81), []uint16{81}, ""},
		{"a third of two is none", "33%", []uint16{80, 81}, 0, onPorts(80, 81), []uint16{81}, "and 0 may be"},
		{"many are down", "1", []uint16{80, 81, 82, 83, 84, 85}, 0, onPorts(80, 81, 82, 83, 84, 85), []uint16{81, 82, 83, 84, 85}, "5 real servers that served are down, and 1 may be: web 192.168.1.4:81, web 192.168.1.4:82, web 192.168.1.4:83, 2 more"},
		{"all of a service are down", "5", []uint16{80, 81}, 0, onPorts(80, 81), []uint16{80, 81}, `virtual service "web" is no longer served (real servers: 2 down)`},
		{"it has removed one", "", []uint16{80, 81}, 0, onPorts(80), nil, ""},
		{"it has removed one, and another was down before", "", []uint16{80, 81}, 82, onPorts(80, 82), []uint16{82}, ""},
		{"it has replaced one by what is down", "", []uint16{80, 81}, 0, onPorts(80, 8081), []uint16{8081}, "192.168.1.4:8081"},
		{"it has replaced one, and what is new has no result yet", "", []uint16{80, 81}, 0, onPorts(80, 8081), nil, ""},
		{"it has added what is down", "", []uint16{80}, 0, onPorts(80, 81), []uint16{81}, ""},
		{"it has given one weight 0", "", []uint16{80, 81}, 0, drained(onPorts(80, 81), 1), []uint16{81}, ""},
		{"it has another service", "", []uint16{80}, 0, renamed(onPorts(80)), []uint16{80}, ""},
		{"it has none", "", []uint16{80}, 0, &config.Config{}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ports := tt.before
			if tt.dead != 0 {
				ports = append(ports[:len(ports):len(ports)], tt.dead)
			}
			s := tellOf(t, onPorts(ports...))
			s.handle(TableSeen{Converged: true})
			for _, port := range tt.before {
				s.hears(port, checker.Passed)
			}
			if tt.dead != 0 {
				s.hears(tt.dead, checker.Failed)
			}
			stake := s.core.stake(tt.lose)
			s.apply(tt.to)
			for range 3 {
				for _, port := range tt.down {
					s.hears(port, checker.Failed)
				}
			}
			if got := s.core.lost(stake); tt.lost == "" && got != "" || !strings.Contains(got, tt.lost) {
				t.Errorf("lost %q, want %q", got, tt.lost)
			}
		})
	}
}

// What may all be lost is not looked at.
func TestALossThatDoesNotMatter(t *testing.T) {
	if stake := served(t).core.stake("any"); stake != nil {
		t.Errorf("%+v", stake)
	}
}

// It ends within a heartbeat of the verdict, and once.
func TestATrialThatLosesAServerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trial := &fakeTrial{}
		f := newOutsides()
		other := clusterOf(checked(tcpTarget))
		other.Digest = "other"
		f.loads = []Loaded{{Config: other}}
		d, stop, ended := beginWith(t, f, clusterOf(checked(tcpTarget)), func(o *Options) {
			o.Trial = trial
			o.OpenTable = func(context.Context) (Table, ipvsctl.Table, error) { return fakeTable{f}, f.found, nil }
		})
		f.hear(tcpTarget, checker.Passed)
		if got, err := d.Apply(t.Context(), api.User{}, api.ApplyOrder{Confirm: time.Hour}); err != nil || !got.OK {
			t.Fatalf("%+v, %v", got, err)
		}
		time.Sleep(10 * time.Second)
		for range 3 {
			f.hear(tcpTarget, checker.Failed)
		}
		before := len(trial.told())
		time.Sleep(tick)
		synctest.Wait()
		at := len(trial.told())
		time.Sleep(10 * tick)
		synctest.Wait()
		lost := trial.told()
		if at != 1 || before != 0 || len(lost) != 1 || !strings.HasPrefix(lost[0], `virtual service "web" is no longer served`) {
			t.Errorf("ended for %q, and %d times before the server was down", lost, before)
		}
		stop()
		<-ended
	})
}

func TestLose(t *testing.T) {
	for _, tt := range []struct {
		lose api.Lose
		of   int
		n    int
		ok   bool
	}{
		{"", 10, 0, true}, {"0", 10, 0, true}, {"3", 10, 3, true}, {"10%", 39, 3, true}, {"0%", 10, 0, true}, {"100%", 7, 7, true}, {"any", 7, 0, true},
		{"101%", 0, 0, false}, {"-1", 0, 0, false}, {"ten", 0, 0, false}, {"%", 0, 0, false}, {"1.5", 0, 0, false}, {"99999999999999999999", 0, 0, false},
	} {
		if err := tt.lose.Check(); (err == nil) != tt.ok || tt.ok && tt.lose.Of(tt.of) != tt.n {
			t.Errorf("%q: %v, %d of %d", tt.lose, err, tt.lose.Of(tt.of), tt.of)
		}
	}
}
