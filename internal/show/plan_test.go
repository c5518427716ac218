package show

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
)

// examplePlan has a line of each kind.
func examplePlan() *api.Plan {
	return &api.Plan{OK: true, Path: "/etc/lvsd", Node: "lvs1", Differences: true,
		Changes: []api.Difference{
			{Action: api.Change, Kind: "director", What: []string{"start_delay 10s -> 20s"}},
			{Action: api.Change, Kind: "virtual_router", Name: "outside", What: []string{"priority 100 -> 150", "addresses"}},
			{Action: api.Add, Kind: "address", Name: "10.13.0.201/24 on eth0", In: "virtual_router outside", Now: true},
			{Action: api.Remove, Kind: "route", Name: "route 10.9.0.0/16 via 10.13.0.1", In: "virtual_router outside", Now: true},
			{Action: api.Add, Kind: "hook", Name: `on "master" /etc/lvsd/hooks/notify`, In: "virtual_router outside"},
			{Action: api.Remove, Kind: "virtual_service", Name: "old\x1b[2J", What: []string{"tcp 10.13.0.200:25"}},
			{Action: api.Add, Kind: "real_server", Name: "c3", In: "virtual_service web", What: []string{"192.168.1.6:80", "nat", "weight 3", "check tcp 192.168.1.6:80"}},
			{Action: api.Change, Kind: "setting", Name: "net.ipv4.vs.expire_nodest_conn", What: []string{"1"}, Now: true},
		},
		Table: []api.RowChange{
			{Action: api.Change, Service: "web", Address: "tcp 10.13.0.200:80", ServiceAddress: "tcp 10.13.0.200:80", Command: "-E -t 10.13.0.200:80 -s sh"},
			{Action: api.Change, Service: "web", Server: "c1", Address: "192.168.1.4:80", Was: 3, Weight: 1, Configured: 3, Reason: "slow_start", Command: "-e"},
			{Action: api.Change, Service: "web", Server: "c4", Address: "192.168.1.7:80", Was: 3, Weight: 3, Configured: 3, Command: "-e -t 10.13.0.200:80 -r 192.168.1.7:80 -i -w 3"},
			{Action: api.Remove, Service: "web", Server: "c2", Address: "192.168.1.5:80", Was: 2, Established: 9, Connections: 12, Command: "-d"},
			{Action: api.Remove, ServiceAddress: "tcp 10.13.0.200:25", Address: "tcp 10.13.0.200:25", Command: "-D -t 10.13.0.200:25"},
			{Action: api.Remove, ServiceAddress: "tcp 10.13.0.200:25", Server: "192.168.1.8:25", Address: "192.168.1.8:25", Was: 1, Established: 0, Connections: 1},
		},
		Later:       []api.RowChange{{Action: api.Add, Service: "web", Server: "c3", Address: "192.168.1.6:80", Weight: 3, Configured: 3, Command: "-a"}},
		Connections: 13, Established: 9, Warnings: []string{"a\x1bdoubt"},
	}
}

func TestPlan(t *testing.T) {
	for name, on := range map[string]Terminal{"plan": {}, "plan-colour": {Color: true}} {
		var out, errs strings.Builder
		if err := on.WritePlan(&out, &errs, examplePlan()); err != nil {
			t.Error(err)
		}
		golden.Check(t, "testdata/"+name+".txt", out.String())
		if errs.String() != "warning: a\\x1bdoubt\n" {
			t.Errorf("the warnings are %q", &errs)
		}
	}
}

func TestPlanOfNothing(t *testing.T) {
	for _, tt := range []struct {
		name             string
		p                api.Plan
		out, errs, fails string
	}{
		{"nothing would change", api.Plan{OK: true}, "nothing would change\n", "", ""},
		{"it cannot be read", api.Plan{Error: "no \x1bsuch file"}, "", "", `it would be refused: no \x1bsuch file`},
		{"it has mistakes", api.Plan{Error: "web.hcl:5: no", Diagnosis: "web.hcl:5: no"}, "", "web.hcl:5: no\n", "it would be refused: the configuration has mistakes"},
	} {
		var out, errs strings.Builder
		err := Terminal{}.WritePlan(&out, &errs, &tt.p)
		if out.String() != tt.out || errs.String() != tt.errs || (err == nil) != (tt.fails == "") || err != nil && err.Error() != tt.fails {
			t.Errorf("%s: %q, %q, %v", tt.name, &out, &errs, err)
		}
	}
}
