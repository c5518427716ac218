package director

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// "The clients knew for two seconds that the server hangs, and the director did not."
func TestAServerThatLeavesClientsUnansweredIsSuspect(t *testing.T) {
	const nat, direct = ipvsctl.NAT, ipvsctl.Direct
	// served is what a server has that has answered for long; each look adds to it.
	served := ipvsctl.Counters{Active: 10, Inactive: 90, Connections: 1000, PacketsIn: 9000, PacketsOut: 8000}
	type look struct {
		connections, in, out uint64
		active               uint32
	}
	for _, tt := range []struct {
		name    string
		forward ipvsctl.Forward
		looks   []look
		want    int // at which look it is suspected, from 1; 0: never
	}{
		{"packets go in and come out", nat, []look{{10, 50, 50, 10}, {10, 50, 50, 10}, {10, 50, 1, 10}, {10, 50, 1, 10}}, 0},
		{"packets go in and none comes out", nat, []look{{10, 50, 50, 10}, {10, 20, 0, 10}, {10, 20, 0, 10}}, 3},
		{"of the clients that it has", nat, []look{{0, 3, 0, 10}, {0, 3, 0, 10}}, 2},
		{"as few as tell", nat, []look{{0, 2, 0, 10}, {0, 3, 0, 10}}, 2},
		{"too few to tell", nat, []look{{0, 2, 0, 10}, {0, 2, 0, 10}}, 0},
		{"until they are enough", nat, []look{{0, 2, 0, 10}, {0, 2, 0, 10}, {0, 2, 0, 10}}, 3},
		{"nobody asks meanwhile", nat, []look{{5, 9, 0, 10}, {0, 0, 0, 10}, {5, 9, 0, 10}}, 3},
		{"one look alone may be between a question and its answer", nat, []look{{10, 20, 0, 10}, {10, 20, 9, 10}, {10, 20, 0, 10}}, 0},
		{"connections come and are active", direct, []look{{10, 40, 0, 15}, {10, 40, 0, 20}}, 0},
		{"short ones come and go", direct, []look{{10, 60, 0, 10}, {10, 60, 0, 9}, {10, 60, 0, 10}}, 0},
		{"none gets beyond its first packets", direct, []look{{10, 60, 0, 10}, {10, 12, 0, 10}, {10, 18, 0, 9}}, 3},
		{"as many packets as the first ones are", direct, []look{{10, 30, 0, 10}, {10, 30, 0, 10}}, 2},
		{"too few connections to tell", direct, []look{{2, 3, 0, 10}, {2, 4, 0, 10}}, 0},
		{"packets of those that are there", direct, []look{{0, 90, 0, 10}, {0, 90, 0, 10}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now, n := start, served
			s, _ := suspect{}.next(now, tt.forward, n)
			got := 0
			for i, l := range tt.looks {
				now = now.Add(time.Second)
				n.Connections, n.PacketsIn, n.PacketsOut, n.Active = n.Connections+l.connections, n.PacketsIn+l.in, n.PacketsOut+l.out, l.active
				var suspected bool
				if s, suspected = s.next(now, tt.forward, n); suspected {
					got = i + 1
					break
				}
			}
			if got != tt.want {
				t.Errorf("it is suspected at look %d, want %d", got, tt.want)
			}
		})
	}
}

// A syslog server answers nobody, and a server that is in the table anew has other counters.
func TestWhoNeverAnswersIsNotSuspect(t *testing.T) {
	s, now := suspect{}, start
	for i := range uint64(20) {
		var suspected bool
		if s, suspected = s.next(now, ipvsctl.NAT, ipvsctl.Counters{Connections: i, PacketsIn: 100 * i}); suspected {
			t.Fatal("it is suspected, and has never answered")
		}
		now = now.Add(time.Second)
	}
	s, _ = suspect{}.next(now, ipvsctl.NAT, ipvsctl.Counters{Connections: 500, PacketsIn: 900, PacketsOut: 900})
	for _, n := range []ipvsctl.Counters{{Connections: 3, PacketsIn: 30, PacketsOut: 9}, {Connections: 6, PacketsIn: 60, PacketsOut: 18}} {
		var suspected bool
		if s, suspected = s.next(now, ipvsctl.NAT, n); suspected {
			t.Error("it is suspected since its counters began anew")
		}
	}
}

// A server that came into the table anew has smaller counters of one kind or the other, and its
// first look tells nothing; nor does the first one of all.
func TestCountersThatBeganAnewTellNothing(t *testing.T) {
	served := ipvsctl.Counters{Active: 10, Connections: 1000, PacketsIn: 9000}
	for name, n := range map[string]ipvsctl.Counters{
		"fewer connections": {Active: 10, Connections: 999, PacketsIn: 9002},
		"fewer packets":     {Active: 10, Connections: 1010, PacketsIn: 8999},
		"the first look":    {Connections: 10, PacketsIn: 20},
	} {
		s := suspect{}
		if name != "the first look" {
			s, _ = s.next(start, ipvsctl.Direct, served)
		}
		if s, _ = s.next(start, ipvsctl.Direct, n); s.looks != 0 || s.came != 0 {
			t.Errorf("%s: %d looks, %d came", name, s.looks, s.came)
		}
	}
}

// A reload keeps what is known of the servers that stay, and nothing of the others.
func TestAReloadKeepsSuspectsThatStay(t *testing.T) {
	c := farm(3, false, &config.Policy{Suspicion: true})
	service := &c.Services[0]
	all := suspects{service.Key: {servers: map[ipvsctl.DestinationKey]suspect{}, count: 7}}
	for _, srv := range service.Servers {
		all[service.Key].servers[srv.Key] = suspect{looks: 1}
	}
	gone := service.Servers[1].Key
	service.Servers = slices.Delete(service.Servers, 1, 2)
	kept := all.of(c.Services)[service.Key]
	if _, there := kept.servers[gone]; there || len(kept.servers) != 2 || kept.count != 7 {
		t.Errorf("%+v are kept", kept)
	}
}

// A suspicion has the server's checks hurried, once in a while, and decides nothing.
func TestASuspicionHurriesChecksAndDecidesNothing(t *testing.T) {
	c := farm(2, false, &config.Policy{Suspicion: true})
	s := tellOf(t, c)
	key, server := c.Services[0].Key, c.Services[0].Servers[0].Key
	n := ipvsctl.Counters{Connections: 10, PacketsIn: 90, PacketsOut: 90}
	look := func(in uint64, letters string) {
		n.Connections, n.PacketsIn = n.Connections+in, n.PacketsIn+2*in
		s.handle(TableSeen{Converged: true})
		s.handle(Counted{key: {{Key: server, Value: n}}})
		s.round(letters)
	}
	suspected := func() (all []string) {
		for _, line := range s.lines {
			if slices.Contains([]string{"suspect 192.168.1.1", "suspect 192.168.1.2"}, line) {
				all = append(all, line)
			}
		}
		s.lines = nil
		return all
	}
	look(0, "pp")
	look(0, "pp")
	if got := suspected(); got != nil {
		t.Errorf("nobody asks, but: %q", got)
	}
	for range 10 {
		look(5, "pp")
	}
	if diff := cmp.Diff([]string{"suspect 192.168.1.1"}, suspected()); diff != "" {
		t.Errorf("ten looks without an answer (-want +got):\n%s", diff)
	}
	if got := s.serving(); got != "1 2" {
		t.Errorf("%q serve: a suspicion has decided", got)
	}
	for range 40 {
		look(5, "pp")
	}
	if got := suspected(); len(got) != 1 {
		t.Errorf("in 40 s more, %q", got)
	}
	if st := s.core.Status(s.now, Edges{}).Services[0]; st.Suspicions != 2 {
		t.Errorf("%d suspicions are counted, want 2", st.Suspicions)
	}
	if n := len(s.events("server-suspected")); n != 2 {
		t.Errorf("%d events tell of it", n)
	}
	for range 60 {
		look(5, "rp")
	}
	if got := suspected(); got != nil {
		t.Errorf("it is down, and suspected: %q", got)
	}
}

// Others cost nothing.
func TestOnlyServicesWithSuspicionAreWatched(t *testing.T) {
	c := sleeper()
	c.Services[1].Policy = &config.Policy{Suspicion: true}
	s := tellOf(t, c)
	s.handle(TableSeen{Converged: true})
	s.wait(time.Second)
	if got, want := fmt.Sprint(s.core.suspects.services()), fmt.Sprint([]ipvsctl.ServiceKey{c.Services[1].Key}); got != want {
		t.Errorf("%s are watched, want %s", got, want)
	}
	next := sleeper()
	s.handle(Reload{})
	s.handle(ReadingEnded{Number: 1, Loaded: Loaded{Config: next}})
	if s.core.suspects != nil {
		t.Error("after the reload some still are")
	}
}
