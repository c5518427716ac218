package director

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
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
		name   string
		change func(c *config.Config)
		want   []string // "!" before what removes something
	}{
		{"nothing", func(*config.Config) {}, nil},
		{"a block has moved in its file", func(c *config.Config) { c.Services[0].Source = "web.hcl:99" }, nil},
		{"a weight", func(c *config.Config) { c.Services[0].Servers[1].Destination.Weight = 0 },
			[]string{"changed virtual service web: real server 192.168.1.5: weight 2 -> 0"}},
		{"a server has gone and one has come", func(c *config.Config) {
			c.Services[0].Servers = append(c.Services[0].Servers[:0:0], webService(ipvsctl.NAT, web1, netip.MustParseAddr("192.168.1.9")).Servers...)
		}, []string{"changed virtual service web: removed real server 192.168.1.5, added real server 192.168.1.9"}},
		{"the scheduler", func(c *config.Config) { c.Services[0].Service.Scheduler = "dh" }, []string{"changed virtual service web: scheduler wrr -> dh"}},
		{"each packet by itself", func(c *config.Config) { c.Services[0].Service.Flags |= ipvsctl.OnePacket },
			[]string{"changed virtual service web: one_packet false -> true"}},
		{"the source of a router's adverts", func(c *config.Config) { c.Routers[0].Source = lvs1 },
			[]string{"changed virtual router outside: source unset -> 10.13.0.15"}},
		{"the port of a service, and its fallback", func(c *config.Config) { c.Services[0].Key.Port, c.Services[0].Fallback = 88, nil },
			[]string{"changed virtual service web: address tcp 10.13.0.200:80 -> tcp 10.13.0.200:88, fallback"}},
		{"a server and its check", func(c *config.Config) {
			c.Services[0].Servers[0].InitialUp, c.Services[0].Servers[0].Checks = true, []config.Check{{Target: tcpTarget}}
		}, []string{"changed virtual service web: real server 192.168.1.4: initial check -> up, checks"}},
		{"what is static", func(c *config.Config) { c.Static.Rules = []vrrp.Rule{{Family: 4, Priority: 7, Table: 7}} },
			[]string{"changed static: rule"}},
		{"a whole service has gone", func(c *config.Config) { c.Services = c.Services[:1] }, []string{"! removed virtual service mail"}},
		{"the director block", func(c *config.Config) { c.Director.LogLevel, c.Director.ProbesInFlight = "debug", 7 },
			[]string{"changed director: probes_in_flight 0 -> 7, log_level unset -> debug"}},
		{"a router", func(c *config.Config) {
			c.Routers[0].Priority, c.Routers[0].Interval, c.Routers[0].Peers = 150, 250*time.Millisecond, []netip.Addr{lvs1}
		}, []string{"changed virtual router outside: priority 0 -> 150, advert_interval 1s -> 250ms, peers"}},
		{"a Master refuses what is sent to its address", func(c *config.Config) { c.Routers[0].Refuse = true },
			[]string{"changed virtual router outside: accept true -> false"}},
		{"a router has gone", func(c *config.Config) { c.Routers = nil }, []string{"! removed virtual router outside"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := base()
			tt.change(after)
			if diff := cmp.Diff(tt.want, told(base(), after)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("many", func(t *testing.T) {
		weighed := base() // each by a weight of its own
		for i := range many.Services {
			s := many.Services[i]
			s.Servers = slices.Clone(s.Servers)
			s.Servers[0].Destination.Weight = uint32(100 + i)
			weighed.Services = append(weighed.Services[:i:i], s)
		}
		twenty, more := *many, *weighed
		twenty.Services, more.Services = twenty.Services[:maxChanges], more.Services[:maxChanges]
		if got := told(&twenty, &more); len(got) != maxChanges || got[maxChanges-1] != "changed virtual service s17: real server 192.168.1.4: weight 3 -> 119" {
			t.Errorf("of as many changes as are told: %q", got)
		}
		weighed.Services = weighed.Services[1:]
		got := told(many, weighed)
		if got[0] != "! removed virtual service web" {
			t.Errorf("a removed service is not told first: %q", got)
		}
		if len(got) != maxChanges+1 || got[maxChanges] != "and 4 more" {
			t.Errorf("of many changes: %q", got)
		}
		got = told(many, base())
		if got[maxChanges-1] != "! removed virtual service s19" || got[maxChanges] != "! and 2 more" {
			t.Errorf("of many that are removed: %q", got)
		}
		heavier, lighter := base(), base()
		heavier.Routers[0].Priority = 150
		for i := range maxChanges {
			s := webService(ipvsctl.NAT, web1)
			s.Name = fmt.Sprintf("s%02d", i)
			lighter.Services = append(lighter.Services, s)
		}
		got = told(lighter, heavier)
		if got[maxChanges-1] != "! removed virtual service s19" || got[maxChanges] != "and 1 more" {
			t.Errorf("of as many that are removed as are told, and one that is changed: %q", got)
		}
		if diff := cmp.Diff([]string{"added virtual services s00, s01, s02 and 19 more"}, told(base(), many)); diff != "" {
			t.Errorf("of many that are added (-want +got):\n%s", diff)
		}
	})
}

// told are the changes as text.
func told(before, after *config.Config) []string {
	var all []string
	for _, c := range changes(before, after) {
		if c.removes {
			c.line = "! " + c.line
		}
		all = append(all, c.line)
	}
	return all
}

func TestAReloadTellsAsManyServersAsItCan(t *testing.T) {
	for servers, want := range map[int]string{
		maxChanges:     "real server s19: weight 0 -> 20",
		maxChanges + 1: "and 1 more",
	} {
		before, after := webService(ipvsctl.NAT), webService(ipvsctl.NAT)
		for i := range servers {
			before.Servers = append(before.Servers, config.Server{Name: fmt.Sprintf("s%02d", i)})
			after.Servers = append(after.Servers, before.Servers[i])
			after.Servers[i].Destination.Weight = uint32(i + 1)
		}
		if got := serviceChanges(&before, &after); got[len(got)-1] != want {
			t.Errorf("of %d servers the last line is %q, want %q", servers, got[len(got)-1], want)
		}
	}
}
