package vrrp_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// "The Backup was switched off, its end of the cable went, and the Master stood back."
func TestACableToThePeerThatEndsWithIt(t *testing.T) {
	ignoring := func(c *vrrp.Config) { c.IgnoreCarrier = true }
	carrier := func(s *kernel, enabled, up bool) {
		s.change("eth0", func(i *vrrp.Interface) { i.Enabled, i.Up = enabled, up })
	}
	t.Run("the Master stays", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one(ignoring))
			carrier(s, true, false)
			time.Sleep(time.Minute)
			if st := s.status(); st.State != vrrp.Master || st.Unheard != "interface eth0 has no carrier" || st.Unsent != "" || st.Unasked != "" || st.Counters.SendErrors != 0 {
				t.Errorf("%s, unheard %q, unsent %q, unasked %q, %d errors", st.State, st.Unheard, st.Unsent, st.Unasked, st.Counters.SendErrors)
			}
			s.script()
			carrier(s, true, true)
			time.Sleep(time.Second)
			s.want("it advertises again", "1m4.414s advert 150 from 10.9.0.1 to 224.0.0.18")
			if st := s.status(); st.Unheard != "" {
				t.Errorf("unheard %q", st.Unheard)
			}
		})
	})
	t.Run("who else has its addresses is asked where somebody hears it", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one(ignoring, func(c *vrrp.Config) {
				c.Extra = []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}}
			}))
			carrier(s, true, false)
			time.Sleep(time.Minute)
			script := strings.Join(s.script(), "\n")
			if strings.Contains(script, "arping -D -I eth0") || !strings.Contains(script, "arping -D -I eth1 192.168.1.254") {
				t.Errorf("it asks on eth1 alone, want that; got\n%s", script)
			}
		})
	})
	t.Run("the Backup takes over", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(one(ignoring))
			for range 5 {
				s.arrive(200, true)
				time.Sleep(time.Second)
			}
			carrier(s, true, false)
			time.Sleep(4 * time.Second)
			if st := s.status(); st.State != vrrp.Master {
				t.Errorf("it is %s: %s", st.State, st.Fault)
			}
		})
	})
	t.Run("an interface that was switched off is down", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.settle(one(ignoring))
			carrier(s, false, false)
			s.want("it stands back", "3.6s    failure, Initialize: interface eth0 is down", "3.6s    ip addr del 10.9.0.200/24 dev eth0")
		})
	})
}

// "The cable was back, the port blocked, and both were Master."
func TestALinkThatCameUp(t *testing.T) {
	patient := func(c *vrrp.Config) { c.LinkUpDelay = 20 * time.Second }
	// is when it becomes Master, after what it waits for began.
	is := func(t *testing.T, s *kernel, want time.Duration) {
		t.Helper()
		time.Sleep(want - time.Second/2)
		if st := s.status(); st.State != vrrp.Backup {
			t.Errorf("half a second before it is %s", st.State)
		}
		time.Sleep(time.Second)
		if st := s.status(); st.State != vrrp.Master {
			t.Errorf("half a second later it is %s: %s", st.State, st.Fault)
		}
	}
	t.Run("one that was up before the start has been for long", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.session.Set(one(patient))
			is(t, s, 3414*time.Millisecond)
		})
	})
	t.Run("but not if the machine was started a moment ago", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.boot(19 * time.Second)
			s.session.Set(one(patient))
			is(t, s, 20*time.Second)
		})
	})
	t.Run("a moment ago is less than the delay", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.boot(20 * time.Second)
			s.session.Set(one(patient))
			is(t, s, 3414*time.Millisecond)
		})
	})
	t.Run("nor where it came up later", func(t *testing.T) {
		play(t, func(s *kernel) {
			s.boot(time.Hour)
			s.set("eth0", false)
			s.session.Set(one(patient))
			time.Sleep(time.Minute)
			s.set("eth0", true)
			is(t, s, 20*time.Second)
			time.Sleep(time.Minute)
			s.set("eth0", false)
			time.Sleep(time.Second)
			s.set("eth0", true)
			is(t, s, 20*time.Second)
		})
	})
}

// boot lets the machine have been started that long ago.
func (s *kernel) boot(ago time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.booted = time.Now().Add(-ago)
	s.publish()
}
