package director

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// What "systemctl status" shows, without a look at anything else.
func TestTheServiceManagerShowsHowTheDaemonIs(t *testing.T) {
	mail := webService(ipvsctl.NAT, web2)
	mail.Name, mail.Key.Port = "mail", 25
	s := tellOf(t, clusterOf(checked(tcpTarget), mail))
	shows := func(when, want string) {
		t.Helper()
		s.wait(2 * time.Second)
		if s.described != want {
			t.Errorf("%s: %q, want %q", when, s.described, want)
		}
	}
	shows("at the start", "starting; 1 of 2 virtual services served")
	s.handle(TableSeen{Converged: true})
	s.hear(checker.Passed)
	s.handle(TableSeen{Converged: true})
	s.handle(RoutersSeen{{Name: "outside", State: vrrp.Master}, {Name: "inside", State: vrrp.Backup}, {Name: "dmz", State: vrrp.Master}})
	shows("ready", "Master of outside, dmz; Backup of inside; 2 of 2 virtual services served")
	for range 3 {
		s.hear(checker.Failed)
	}
	shows("a service has lost its server", "Master of outside, dmz; Backup of inside; 1 of 2 virtual services served")
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Err: errors.New("web.hcl:1: no")}})
	var many RoutersSeen
	for i := range maxNames {
		many = append(many, &vrrp.Status{Name: fmt.Sprint("r", i), State: vrrp.Backup})
	}
	s.handle(many)
	shows("with some routers", `Backup of r0, r1, r2, r3; 1 of 2 virtual services served; RELOAD REFUSED (see "lvsd status")`)
	many = append(many, &vrrp.Status{Name: "r4", State: vrrp.Backup})
	s.handle(many)
	shows("with many routers, and a reload that was refused",
		`Backup of 5 virtual routers; 1 of 2 virtual services served; RELOAD REFUSED (see "lvsd status")`)
	s.handle(Stop{})
	shows("stopping", `stopping; Backup of 5 virtual routers; 1 of 2 virtual services served; RELOAD REFUSED (see "lvsd status")`)
}

// A Backup withholds a service of which this machine is a real server itself.
func TestTheServiceManagerShowsNoServiceThatIsWithheld(t *testing.T) {
	withheld := webService(ipvsctl.Direct, lvs1)
	withheld.Name, withheld.Key.Port = "local", 8080
	for _, tt := range []struct {
		name     string
		services []config.Service
		want     string
	}{
		{"one of three", []config.Service{webService(ipvsctl.NAT, web1), withheld, checked(tcpTarget)}, "starting; Backup of outside; 1 of 2 virtual services served"},
		{"the only one", []config.Service{withheld}, "starting; Backup of outside"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, clusterOf(tt.services...))
			s.handle(RoutersSeen{{Name: "outside", State: vrrp.Backup}})
			s.wait(2 * time.Second)
			if s.described != tt.want {
				t.Errorf("%q, want %q", s.described, tt.want)
			}
		})
	}
}
