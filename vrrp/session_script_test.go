package vrrp_test

import (
	"net/netip"
	"slices"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lvsd/lvsd/vrrp"
)

// script is what happened since the last call.
func (s *kernel) script() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortStableFunc(s.log, func(a, b entry) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(a.from - b.from)
	})
	var lines []string
	for _, e := range s.log {
		lines = append(lines, e.text)
	}
	s.log = nil
	return lines
}

func (s *kernel) want(what string, lines ...string) {
	s.t.Helper()
	if diff := cmp.Diff(lines, s.script()); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (s *kernel) status() vrrp.Status {
	s.t.Helper()
	all := s.session.Statuses()
	if len(all) != 1 {
		s.t.Fatalf("%d routers", len(all))
	}
	return all[0]
}

func one(change ...func(*vrrp.Config)) vrrp.Desired {
	c := vrrp.Config{
		Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Priority: 150, Interval: time.Second,
		Preempt: true, Lease: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.200/24")},
	}
	for _, f := range change {
		f(&c)
	}
	return vrrp.Desired{Routers: []vrrp.Config{c}}
}

// master lets a router become Master, and forgets how.
func (s *kernel) master(d vrrp.Desired) {
	s.t.Helper()
	s.session.Set(d)
	time.Sleep(3500 * time.Millisecond) // Master_Down is 3.414 s.
	if st := s.status(); st.State != vrrp.Master {
		s.t.Fatalf("it is %s: %s", st.State, st.Fault)
	}
	s.script()
}

// settle lets a router become Master, and its second announcement go out.
func (s *kernel) settle(d vrrp.Desired) {
	s.t.Helper()
	s.master(d)
	time.Sleep(100 * time.Millisecond)
	s.script()
}
