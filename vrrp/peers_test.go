package vrrp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Trial: status should show when the peer was last heard, with address and priority.
func TestWhenPeersWereHeardLast(t *testing.T) {
	r := NewRouter(testConfig())
	r.Startup(epoch, ours)
	if got := r.peers.seen(epoch); len(got) != 0 {
		t.Errorf("nobody was heard: %v", got)
	}
	receive(r, at(time.Second), higher, advertOf(150))
	receive(r, at(2*time.Second), lower, advertOf(50))
	r.Receive(at(3*time.Second), strange(func(p *Packet) { p.Src = netip.MustParseAddr("10.0.0.9") }))
	receive(r, at(4*time.Second), higher, advertOf(0))
	r.Receive(at(5*time.Second), strange(func(p *Packet) { p.Payload[7]++ })) // It can be anybody's.
	want := "[{10.0.0.3 0  0 1s} {10.0.0.9 150 version 0 2s} {10.0.0.1 50  0 3s}]"
	if got := fmt.Sprint(r.peers.seen(at(5 * time.Second))); got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
	for i := range 100 {
		receive(r, at(6*time.Second), netip.AddrFrom4([4]byte{10, 0, 1, byte(i)}), advertOf(20))
	}
	if got := r.peers.seen(at(6 * time.Second)); len(got) != maxPeers || !strings.HasSuffix(got[0].Address.String(), ".99") {
		t.Errorf("a hundred strangers: %v", got)
	}
}

// "Both have priority 100, and it took us a day to see why it was the wrong one."
func TestTheSamePriorityOnBothDirectorsIsSeen(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*Config)
		priority uint8
		seen     bool
	}{
		{"the same", func(*Config) {}, 100, true},
		{"a higher one", func(*Config) {}, 101, false},
		{"the same, where nobody preempts", func(c *Config) { c.Preempt = false }, 100, false},
		{"two owners, which is another matter", func(c *Config) { c.Priority = 255 }, 255, false},
	} {
		for _, state := range []State{Backup, Master} {
			c := testConfig()
			tt.change(&c)
			r := NewRouter(c)
			if state == Master {
				r.Resume(epoch, ours)
			} else {
				r.Startup(epoch, ours)
			}
			receive(r, at(time.Second), lower, advertOf(tt.priority))
			st := r.Status()
			if seen := st.Counters.Mismatched[ReasonPriority] == 1 && st.Senders[ReasonPriority] == lower; seen != tt.seen {
				t.Errorf("%s, as %s: seen %v, want %v", tt.name, state, seen, tt.seen)
			}
		}
	}
}

// A director that lists the other one as its peer, and is not listed there.
func TestWhoseAdvertsAreRefusedIsKnown(t *testing.T) {
	c := testConfig()
	c.Peers = []netip.Addr{higher}
	r := NewRouter(c)
	r.Startup(epoch, ours)
	for i, src := range []netip.Addr{lower, higher, netip.MustParseAddr("10.0.0.9")} {
		p := strange(func(p *Packet) { p.Src, p.Dst = src, ours })
		r.Receive(at(time.Duration(i)*time.Second), p)
	}
	if got := r.Status().Senders; got[ReasonNotPeer] != netip.MustParseAddr("10.0.0.9") || len(got) != 2 {
		t.Errorf("the last packets were from %v", got)
	}
}
