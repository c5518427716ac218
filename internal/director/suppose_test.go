package director

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// "May I switch off that rack?"
func TestWhatIf(t *testing.T) {
	for _, tt := range []struct {
		name string
		down string
		set  func(*config.Service)
		lost bool
		want string // the error, or the service, and each server: its weight and share, its connections
	}{
		{"one of three", "c1", nil, false, "served: c1 0 0% 0 down, c2 2 67% 60, c3 1 33% 30"},
		{"a pattern", "c[12]", nil, false, "served: c1 0 0% 0 down, c2 0 0% 0 down, c3 1 100% 90"},
		{"a network", "192.168.1.4/31", nil, false, "served: c1 0 0% 0 down, c2 0 0% 0 down, c3 1 100% 90"},
		{"in one service, by the address with its port", "192.168.1.4:80", nil, false, "served: c1 0 0% 0 down, c2 2 67% 60, c3 1 33% 30"},
		{"all: the fallback is left, and no server", "web/*", nil, true, "unserved: c1 0 0% 0 down, c2 0 0% 0 down, c3 0 0% 0 down, fallback 1 100% 90"},
		{"nobody", "rack7-*", nil, false, `no real server is called "rack7-*"`},
		{"no pattern", "c[", nil, false, `no real server is called "c["`},
		{"a threshold that would be reached", "c1", func(s *config.Service) { s.Servers[1].Destination.Upper = 60 }, true, "served: c1 0 0% 0 down, c2 2 67% 60 full, c3 1 33% 30"},
		{"a scheduler without weights", "c1", func(s *config.Service) { s.Service.Scheduler = "lc" }, false, "served: c1 0 0% 0 down, c2 2 50% 45, c3 1 50% 45"},
		{"all to the highest weight", "c1", func(s *config.Service) { s.Service.Scheduler = "fo" }, false, "served: c1 0 0% 0 down, c2 2 100% 90, c3 1 0% 0"},
		{"one that keeps its row, with weight 0", "c1", func(s *config.Service) { s.Servers[0].DrainOnFailure = true }, false, "served: c1 0 0% 0 down, c2 2 67% 60, c3 1 33% 30"},
		{"too few by min_healthy", "c1", func(s *config.Service) { s.Policy = &config.Policy{MinHealthy: config.Quantity{N: 3}} }, true, "unserved: c1 0 0% 0 down, c2 0 0% 0, c3 0 0% 0, fallback 1 100% 90"},
		{"servers of a later tier", "c1", func(s *config.Service) { s.Servers[1].Tier, s.Servers[2].Tier = 2, 2 }, false, "served: c1 0 0% 0 down, c2 2 67% 60, c3 1 33% 30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := webService(ipvsctl.NAT, web1, web2, netip.MustParseAddr("192.168.1.6"))
				for i := range s.Servers {
					s.Servers[i].Name = fmt.Sprint("c", i+1)
				}
				if tt.set != nil {
					tt.set(&s)
				}
				other := webService(ipvsctl.NAT, netip.MustParseAddr("192.168.9.9"))
				other.Name, other.Key.Port = "other", 81
				r, stop := rehearserOf(t, clusterOf(s, other), nil)
				defer stop()
				before := r.kernel.String()
				for i := range s.Servers {
					r.kernel.Count(s.Key, s.Servers[i].Key, ipvsctl.Counters{Active: 20, Inactive: 10})
				}
				r.kernel.Count(s.Key, ipvsctl.DestinationKey{}, ipvsctl.Counters{Connections: 1000})
				go func() {
					time.Sleep(time.Second)
					r.kernel.Count(s.Key, ipvsctl.DestinationKey{}, ipvsctl.Counters{Connections: 1030})
				}()
				all, err := r.director.WhatIf(t.Context(), api.WhatIfOrder{Down: []string{tt.down}, Rate: 3 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				if got := inShort(&all); !strings.HasPrefix(got, tt.want) || all.Lost != tt.lost {
					t.Errorf("lost %t: %s\nwant %t: %s", all.Lost, got, tt.lost, tt.want)
				}
				for _, s := range all.Services {
					sum := 0.0
					for _, srv := range s.Servers {
						sum += *srv.Rate
					}
					if *s.Rate != 10 || sum < 9.99 || sum > 10.01 {
						t.Errorf("%v connections a second, and %v of all servers; want 10", *s.Rate, sum)
					}
				}
				time.Sleep(time.Second) // Who is not answered has not waited.
				if r.kernel.String() != before {
					t.Errorf("the table has become %s", r.kernel)
				}
			})
		})
	}
}

// inShort is an answer as text.
func inShort(all *api.WhatIf) string {
	if all.Error != "" {
		return all.Error
	}
	var lines []string
	for _, s := range all.Services {
		var servers []string
		for _, srv := range s.Servers {
			line := fmt.Sprintf("%s %d %.0f%% %d", srv.Name, srv.Weight, srv.Share*100, srv.Connections)
			if srv.Down {
				line += " down"
			}
			if srv.Over {
				line += " full"
			}
			servers = append(servers, line)
		}
		lines = append(lines, string(s.Supply)+": "+strings.Join(servers, ", "))
	}
	return strings.Join(lines, "; ")
}

// What is supposed leaves no trace: the same core plans as before.
func TestASuppositionLeavesNoTrace(t *testing.T) {
	s := tellOf(t, clusterOf(webService(ipvsctl.NAT, web1, web2)))
	before := s.core.planned
	for range 3 {
		if _, err := s.core.suppose(s.now, []string{"192.168.1.4"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before.Table.String(), s.core.planned.Table.String()); diff != "" {
		t.Errorf("the plan (-before +after):\n%s", diff)
	}
	s.core.plan(s.now)
	if diff := cmp.Diff(before.Table.String(), s.core.planned.Table.String()); diff != "" || !slices.Equal(before.Verdicts, s.core.planned.Verdicts) {
		t.Errorf("the next plan (-before +after):\n%s", diff)
	}
}

func TestWhatIfAsksForSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := rehearserOf(t, clusterOf(), nil)
		defer stop()
		for _, o := range []api.WhatIfOrder{{}, {Down: []string{"c1"}, Rate: -1}, {Down: []string{"c1"}, Rate: time.Hour}} {
			if all, err := r.director.WhatIf(t.Context(), o); err != nil || !strings.Contains(all.Error, "name real servers") {
				t.Errorf("%+v: %+v, %v", o, all, err)
			}
		}
	})
}
