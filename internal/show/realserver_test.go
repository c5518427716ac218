package show

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

func TestRealServer(t *testing.T) {
	services := []api.Serving{
		{Service: "web", Virtual: "tcp 10.13.0.200:80", Address: "192.168.1.4", Forward: "direct"},
		{Service: "old", Virtual: "tcp 10.13.0.201:80", Address: "192.168.1.4", Forward: "nat", Note: "its answers must go by way of the director"},
	}
	add := api.HostChange{Action: api.Add, Text: "add address 10.13.0.200/32 on lo", Services: []string{"web", "dns"}}
	back := api.HostChange{Action: api.Remove, Text: "remove address 10.13.0.202/32 on tun\x1b[2Jl0"}
	const head = "web (tcp 10.13.0.200:80): 192.168.1.4 is a real server, forward = \"direct\"\n" +
		"old (tcp 10.13.0.201:80): 192.168.1.4 is a real server, forward = \"nat\"\n    ! its answers must go by way of the director\n"
	for _, tt := range []struct {
		name   string
		answer api.RealServer
		check  bool
		want   string
	}{
		{"what was changed", api.RealServer{Node: "lvs1", OK: true, Services: services, Done: []api.HostChange{add}}, false, head + "+ add address 10.13.0.200/32 on lo (for web, dns)\n"},
		{"what is wrong", api.RealServer{Node: "lvs1", Services: services, Left: []api.HostChange{add}}, true, head + "+ add address 10.13.0.200/32 on lo (for web, dns)\n"},
		{"what could not be changed", api.RealServer{Node: "lvs1", Services: services, Left: []api.HostChange{add}}, false, head + "+ not done: add address 10.13.0.200/32 on lo (for web, dns)\n"},
		{"nothing", api.RealServer{Node: "lvs1", OK: true, Services: services}, false, head + "nothing to change\n"},
		{"no real server", api.RealServer{Node: "lvs1", Path: "/etc/lvsd", OK: true}, true, "no virtual service in /etc/lvsd has an address of this machine among its real servers\nnothing to change\n"},
		{"what is given back, without what a terminal would obey", api.RealServer{OK: true, Done: []api.HostChange{back}}, false, "- remove address 10.13.0.202/32 on tun\\x1b[2Jl0\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			if err := (Terminal{}).WriteRealServer(&out, &tt.answer, tt.check); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		})
	}
}
