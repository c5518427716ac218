package vrrp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// arriveStrange puts an advert of version 2 into the socket.
func (s *kernel) arriveStrange() {
	ad := vrrp.Advert{Version: 2, VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.9.0.200")}}
	s.put(vrrp.Group4, ad)
	s.wake <- struct{}{}
	synctest.Wait()
}

// standsAside has a router hear a stranger three seconds after its start, and returns
// what it does until it is Master because no more adverts came: it asks, and each
// question comes to nothing, for this reason.
func (s *kernel) standsAside(why string) (wanted []string) {
	s.session.Set(one())
	time.Sleep(3 * time.Second)
	s.arriveStrange()
	return []string{
		"0s      Backup: started",
		"3s      failure: packet from 10.9.0.2 discarded: it has VRRP version 2, but this router uses 3: configure the same version on both",
		"3.414s  arping -D -I eth0 10.9.0.200",
		"3.414s  failure: does not become Master, since 10.9.0.2 advertises 10.9.0.200, and " + why + "; " +
			"its adverts are refused: it has VRRP version 2, but this router uses 3: configure the same version on both. To take over all the same, set insist = true",
		"4.414s  arping -D -I eth0 10.9.0.200",
		"5.414s  arping -D -I eth0 10.9.0.200",
		"6.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
		"6.414s  Master: no more adverts from 10.9.0.2, which were refused",
		"6.414s  ip addr replace 10.9.0.200/24 dev eth0 valid_lft 6.828s",
		"6.414s  arping -U -I eth0 10.9.0.200",
		"6.514s  arping -U -I eth0 10.9.0.200",
		"7.414s  advert 150 from 10.9.0.1 to 224.0.0.18",
	}
}

// D5: the question is asked where somebody listens to the answer.
func TestADirectorStandsAsideForAMasterThatItDoesNotUnderstand(t *testing.T) {
	play(t, func(s *kernel) {
		s.rival = "52:54:00:00:00:02"
		wanted := s.standsAside(s.rival + " answers for it")
		time.Sleep(5 * time.Second)
		s.want("it asks, and is answered, until no more adverts come", wanted...)
	})
}

// It had asked nobody, and believed that nobody has the address.
func TestADirectorThatCannotAskDoesNotTakeOver(t *testing.T) {
	play(t, func(s *kernel) {
		s.mute = errors.New("asking on eth0 who has 10.9.0.200: no buffer space available")
		wanted := s.standsAside("the neighbours cannot be asked who has it (" + s.mute.Error() + ")")
		time.Sleep(time.Second)
		if st := s.status(); st.Phase != vrrp.StandingAside || st.Unasked != s.mute.Error() {
			t.Errorf("it is %s, unasked %q", st.Phase, st.Unasked)
		}
		time.Sleep(4 * time.Second)
		s.want("it waits as if it had been answered, until no more adverts come", wanted...)
	})
}

// fails sets one of the kernel's errors, and returns the status after some time.
func (s *kernel) fails(what *error, err error, d time.Duration) vrrp.Status {
	s.mu.Lock()
	*what = err
	s.mu.Unlock()
	time.Sleep(d)
	return s.status()
}

func TestAMasterThatCannotAskSaysSo(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		ask := func(err error) string { return s.fails(&s.mute, err, 40*time.Second).Unasked }
		if got := ask(errors.New("no buffer space available")); got != "no buffer space available" {
			t.Errorf("unasked: %q", got)
		}
		if got := ask(nil); got != "" {
			t.Errorf("they can be asked again: %q", got)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var told []string
		for _, line := range s.log {
			if strings.Contains(line.text, "who else") {
				told = append(told, line.text)
			}
		}
		if len(told) != 2 {
			t.Errorf("told %q, want the failure and its end", told)
		}
	})
}

// Trial: dropped at lvs1's own output, the true reason was only in the log.
func TestStatusSaysWhyAMasterCannotSend(t *testing.T) {
	play(t, func(s *kernel) {
		s.master(one())
		refuse := func(err error) string { return s.fails(&s.refusal, err, 2*time.Second).Unsent }
		if got := refuse(errors.New("operation not permitted")); got != "operation not permitted" {
			t.Errorf("unsent: %q", got)
		}
		if got := refuse(nil); got != "" {
			t.Errorf("they can be sent again: %q", got)
		}
		refuse(errors.New("operation not permitted"))
		s.arrive(200, true)
		if st := s.status(); st.State != vrrp.Backup || st.Unsent != "" {
			t.Errorf("a %s has nothing to send: %q", st.State, st.Unsent)
		}
	})
}
