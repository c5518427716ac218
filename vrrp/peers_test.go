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
	want := "[{10.0.0.3 0  1s} {10.0.0.9 150 version 2s} {10.0.0.1 50  3s}]"
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
