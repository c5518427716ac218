package director

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestForwardingWarnings(t *testing.T) {
	four, six := webService(ipvsctl.NAT, web1), webService(ipvsctl.NAT, netip6)
	for _, tt := range []struct {
		name     string
		services []config.Service
		machine  machine.Facts
		want     []string
	}{
		{"NAT on a machine that forwards", []config.Service{four, six}, machine.Facts{Forward4: true, Forward6: true}, nil},
		{"NAT where ip_forward is off, once for each family", []config.Service{four, four, six}, machine.Facts{},
			[]string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}},
		{"direct routing forwards nothing back", []config.Service{webService(ipvsctl.Direct, web1)}, machine.Facts{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := forwardingWarnings(&config.Config{Services: tt.services}, tt.machine)
			if len(got) != len(tt.want) {
				t.Fatalf("%d warnings %q, want %d", len(got), got, len(tt.want))
			}
			for i := range got {
				if !strings.Contains(got[i].text, tt.want[i]) {
					t.Errorf("warning %q does not name %s", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestChecksThatCannotBeRunAreWarnedOfAfterAWhile(t *testing.T) {
	s := checked(tcpTarget)
	h := NewHealths()
	h.Configure(start, []config.Service{s}, nil)
	h.Observe(start, tcpTarget, checker.Result{Outcome: checker.NotRun, Detail: "no route to host"})
	if got := h.notRunWarnings(start.Add(notRunPatience - 1)); got != nil {
		t.Errorf("warned too soon: %q", got)
	}
	got := h.notRunWarnings(start.Add(notRunPatience))
	if len(got) != 1 || !strings.Contains(got[0].text, "web/192.168.1.4: no route to host") {
		t.Errorf("warnings %q, want one that names the server and the reason", got)
	}
	h.Observe(start.Add(time.Minute), tcpTarget, checker.Result{Outcome: checker.Passed})
	if got := h.notRunWarnings(start.Add(time.Hour)); got != nil {
		t.Errorf("still warned after a result: %q", got)
	}
}

func TestAWarningWhoseFiguresChangeIsNoNews(t *testing.T) {
	var log strings.Builder
	d := New(&config.Config{Services: []config.Service{checked(tcpTarget)}}, nil, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	d.healths.Configure(start, d.config.Services, nil)
	for i := range 3 {
		d.healths.Observe(start, tcpTarget, checker.Result{Outcome: checker.NotRun, Detail: fmt.Sprint("noticed after ", i)})
		d.judge(machine.Facts{Forward4: true})
	}
	if got := strings.Count(log.String(), "checks cannot be run"); got != 1 {
		t.Errorf("logged %d times, want once:\n%s", got, &log)
	}
}
