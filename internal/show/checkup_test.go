package show

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

func TestCheckup(t *testing.T) {
	c := &api.Checkup{Path: "/etc/lvsd", Node: "lvs1", Roles: []string{"director", "real server"}, Examinations: []api.Examination{
		{Family: "kernel", Title: "packets are forwarded", State: api.Wrong, Done: []string{"sysctl -w net.ipv4.ip_forward=1"},
			Findings: []api.Finding{{Text: "this director does not forward", Remedy: "set net.ipv4.ip_forward=1"}}},
		{Family: "kernel", Title: "the real server has its addresses", State: api.Wrong,
			Findings: []api.Finding{{Text: "one is not there", Remedy: "lvsd realserver up"}, {Text: "another is not there", Remedy: "lvsd realserver up"}, {Text: "a third answers", Remedy: "find it"}}},
		{Family: "kernel", Title: "not for this machine", State: api.NotHere, Why: "this machine is no director"},
		{Family: "kernel", Title: "the kernel has IPVS", State: api.Fine},
		{Family: "network", Title: "bridges pass adverts", State: api.NotKnown, Why: "there is none"},
		{Family: "network", Title: "packets fit into tunnels", State: api.NotNeeded, Why: "there are no tunnels"},
	}}
	var out strings.Builder
	if err := (Terminal{}).WriteCheckup(&out, c); err != nil {
		t.Fatal(err)
	}
	want := `this machine as a director and a real server, by /etc/lvsd for node "lvs1"
kernel
  wrong      packets are forwarded
      this director does not forward
      set net.ipv4.ip_forward=1
      done: sysctl -w net.ipv4.ip_forward=1
  wrong      the real server has its addresses
      one is not there
      another is not there
      lvsd realserver up
      a third answers
      find it
  ok         the kernel has IPVS
network
  not known  bridges pass adverts: there is none
  -          packets fit into tunnels: there are no tunnels
2 of 5 examinations found something wrong
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
