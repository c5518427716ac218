package director

import (
	"net/netip"
	"testing"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Two servers with one database behind both: it is asked once, and all that need it are
// down with it.
func TestWhatSeveralServersDependOnIsAskedOnce(t *testing.T) {
	database := checker.Target{Spec: checker.SpecOf(checker.TCP{}), Addr: netip.MustParseAddr("192.168.9.9"), Port: 3306, Interval: tcpTarget.Interval, Timeout: tcpTarget.Timeout}
	s := webService(ipvsctl.NAT, web1, web2)
	for i := range s.Servers {
		own := tcpTarget
		own.Addr = s.Servers[i].Key.Addr
		s.Servers[i].Checks = []config.Check{{Target: own, Rise: 2, Fall: 3}, {Target: database, Rise: 2, Fall: 3}}
	}
	h := &Healths{}
	h.Configure(start, []config.Service{s}, nil)
	if h.Unheard() != 3 {
		t.Errorf("there are %d targets, want 3", h.Unheard())
	}
	for i := range s.Servers {
		h.Observe(start, s.Servers[i].Checks[0].Target, checker.Result{Outcome: checker.Passed})
	}
	if changes := h.Observe(start, database, checker.Result{Outcome: checker.Passed}); len(changes) != 2 {
		t.Errorf("the database answers, and %d servers are up, want 2", len(changes))
	}
	for range 2 {
		h.Observe(start, database, checker.Result{Outcome: checker.Failed})
	}
	if changes := h.Observe(start, database, checker.Result{Outcome: checker.Failed}); len(changes) != 2 || changes[0].State != checker.Down {
		t.Errorf("the database fails: %+v, want both servers down", changes)
	}
}
