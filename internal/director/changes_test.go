package director

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestAReloadTellsWhatItChanges(t *testing.T) {
	base := func() *config.Config {
		c := clusterOf(webService(ipvsctl.NAT, web1, web2), webService(ipvsctl.NAT, web1))
		c.Services[1].Name = "mail"
		return c
	}
	many := base()
	for i := range maxChanges + 2 {
		s := webService(ipvsctl.NAT, web1)
		s.Name = fmt.Sprintf("s%02d", i)
		many.Services = append(many.Services, s)
	}
	for _, tt := range []struct {
		name    string
		change  func(c *config.Config)
		removes bool
		want    []string
	}{
		{"nothing", func(*config.Config) {}, false, nil},
		{"a block has moved in its file", func(c *config.Config) { c.Services[0].Source = "web.hcl:99" }, false, nil},
		{"a weight", func(c *config.Config) { c.Services[0].Servers[1].Destination.Weight = 0 }, false,
			[]string{"virtual service web real server 192.168.1.5 weight 2 -> 0"}},
		{"a server has gone and one has come", func(c *config.Config) {
			c.Services[0].Servers = append(c.Services[0].Servers[:0:0], webService(ipvsctl.NAT, web1, netip.MustParseAddr("192.168.1.9")).Servers...)
		}, false, []string{"virtual service web real server 192.168.1.9 added, real server 192.168.1.5 removed"}},
		{"the scheduler", func(c *config.Config) { c.Services[0].Service.Scheduler = "dh" }, false, []string{"virtual service web changed"}},
		{"a check of a server", func(c *config.Config) { c.Services[0].Servers[0].InitialUp = true }, false,
			[]string{"virtual service web real server 192.168.1.4 changed"}},
		{"a whole service has gone", func(c *config.Config) { c.Services = c.Services[:1] }, true, []string{"virtual service mail removed"}},
		{"the director block", func(c *config.Config) { c.Director.LogLevel = "debug" }, false, []string{"director changed"}},
		{"a router", func(c *config.Config) { c.Routers[0].Priority++ }, false, []string{"virtual router outside changed"}},
		{"a router has gone", func(c *config.Config) { c.Routers = nil }, true, []string{"virtual router outside removed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := base()
			tt.change(after)
			got, removes := changes(base(), after)
			if diff := cmp.Diff(tt.want, got); diff != "" || removes != tt.removes {
				t.Errorf("removes %v, want %v; (-want +got):\n%s", removes, tt.removes, diff)
			}
		})
	}
	twenty := base()
	twenty.Services = append(twenty.Services, many.Services[2:2+maxChanges]...)
	got, _ := changes(base(), twenty)
	if len(got) != maxChanges || got[maxChanges-1] != "virtual service s19 added" {
		t.Errorf("of as many changes as are told: %q", got)
	}
	many.Services = many.Services[1:]
	got, _ = changes(base(), many)
	if got[0] != "virtual service web removed" {
		t.Errorf("a removed service is not told first: %q", got)
	}
	if len(got) != maxChanges+1 || got[maxChanges] != "and 3 more" {
		t.Errorf("of many changes: %q", got)
	}
}
