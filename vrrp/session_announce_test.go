package vrrp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// announced are the packets of announcements since the last look, with their times.
func (s *kernel) announced() (all []string) {
	for _, line := range s.script() {
		if at, what, is := strings.Cut(line, "arping -U -I "); is {
			all = append(all, strings.TrimSpace(at)+" "+what)
		}
	}
	return all
}

// "The switch drops what comes at once": packets are so far apart, however many
// addresses there are, and a lost role ends them.
func TestAnnouncementsTakeTheirTime(t *testing.T) {
	play(t, func(s *kernel) {
		s.session.Set(one(func(c *vrrp.Config) {
			c.Addresses = append(c.Addresses, netip.MustParsePrefix("10.9.0.201/24"))
			c.Announce = vrrp.Announcing{Repeat: 2, Interval: 30 * time.Millisecond, Interfaces: []string{"eth1"}}
		}))
		time.Sleep(3500 * time.Millisecond) // It is Master for 86 ms.
		want := []string{"3.414s eth0 10.9.0.200", "3.444s eth1 10.9.0.200", "3.474s eth0 10.9.0.201"}
		if got := s.announced(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("announced %q, want %q", got, want)
		}
		// The second one, after 100 ms, begins anew. It has eight packets.
		time.Sleep(300 * time.Millisecond)
		got := s.announced()
		want = []string{"3.504s eth1 10.9.0.201", "3.514s eth0 10.9.0.200", "3.544s eth1 10.9.0.200", "3.574s eth0 10.9.0.201", "3.604s eth1 10.9.0.201",
			"3.634s eth0 10.9.0.200", "3.664s eth1 10.9.0.200", "3.694s eth0 10.9.0.201", "3.724s eth1 10.9.0.201"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("announced %q, want %q", got, want)
		}
	})
	play(t, func(s *kernel) {
		s.session.Set(one(func(c *vrrp.Config) { c.Announce = vrrp.Announcing{Repeat: 100, Interval: 10 * time.Millisecond} }))
		time.Sleep(3500 * time.Millisecond)
		s.arrive(200, true) // A better Master.
		time.Sleep(vrrp.Overlap + time.Millisecond)
		s.announced()
		time.Sleep(time.Second)
		if got := s.announced(); len(got) > 0 {
			t.Errorf("announced although the address is given away: %q", got)
		}
	})
}

// keepalived's garp_master_refresh.
func TestAnnouncementsAreRefreshed(t *testing.T) {
	play(t, func(s *kernel) {
		s.settle(one(func(c *vrrp.Config) { c.Announce.Refresh = 20 * time.Second }))
		time.Sleep(50 * time.Second)
		want := "[8.414s eth0 10.9.0.200 28.414s eth0 10.9.0.200 48.414s eth0 10.9.0.200]"
		if got := s.announced(); fmt.Sprint(got) != want {
			t.Errorf("announced %q, want %s", got, want)
		}
		s.session.Set(one())
		time.Sleep(time.Minute)
		if got := s.announced(); len(got) != 3 { // The reload's.
			t.Errorf("announced %q without the option", got)
		}
	})
}

// A machine that was given the address by mistake draws the neighbours away, and the
// Master draws them back, but not with each packet: two Masters would do so for ever.
func TestAForeignClaimIsAnswered(t *testing.T) {
	play(t, func(s *kernel) {
		s.settle(one())
		time.Sleep(20 * time.Second)
		s.announced()
		for range 30 {
			s.mu.Lock()
			s.claims = append(s.claims, vrrp.Claim{Interface: "eth0", Address: netip.MustParseAddr("10.9.0.200"), MAC: "52:54:00:00:00:09"})
			s.mu.Unlock()
			s.wake <- struct{}{}
			time.Sleep(time.Second)
		}
		if got := len(s.announced()); got != 3 {
			t.Errorf("announced %d times in 30 s of claims, want one each 10 s", got)
		}
	})
}
