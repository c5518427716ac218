package vrrp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// The director's process opens the sockets while the keeper's is started.
func TestListeningBeforeTheSessionCounts(t *testing.T) {
	port := vrrp.Port{Interface: "eth0", Family: 4}
	second := func(c *vrrp.Config) { c.Name, c.VRID = "second", 52 }
	for _, c := range []struct {
		name   string
		before time.Duration // since when the socket listens
		play   func(s *kernel)
		want   string
	}{
		{"nobody was heard", 2 * time.Second, func(s *kernel) { s.session.Set(one()) }, "1.414s  Master: heard no Master"},
		{"the skew remains, which keeps the order", time.Minute, func(s *kernel) { s.session.Set(one()) }, "414ms   Master: heard no Master"},
		{"a Master is heard", 2 * time.Second, func(s *kernel) {
			waiting := one()
			waiting.Ready = false
			s.session.Set(waiting)
			s.script() // The socket is read once the router is there.
			s.arrive(200, true)
			s.session.Set(one())
		}, "3.414s  Master: heard no Master"},
		{"the interface was down", 2 * time.Second, func(s *kernel) {
			s.set("eth0", false)
			s.session.Set(one())
			time.Sleep(time.Second)
			s.set("eth0", true)
		}, "4.414s  Master: heard no Master"},
		// Adverts for it were dropped before it was there.
		{"a router that is configured later", time.Minute, func(s *kernel) {
			s.session.Set(one())
			time.Sleep(2 * time.Second)
			s.script()
			s.session.Set(vrrp.Desired{Routers: slices.Concat(one().Routers, one(second).Routers), Ready: true})
		}, "5.414s  Master: heard no Master"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(s *kernel) {
				s.since = map[vrrp.Port]time.Time{port: s.begin.Add(-c.before)}
				c.play(s)
				time.Sleep(4 * time.Second)
				if lines := s.script(); !slices.Contains(lines, c.want) {
					t.Errorf("no %q in\n%s", c.want, strings.Join(lines, "\n"))
				}
			})
		})
	}
}
