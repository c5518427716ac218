package link_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// What is static is adopted where it is there already, put back when somebody removes
// it, and gone when lvsd has stopped.
func TestStaticHoldingsInTheKernel(t *testing.T) {
	l := paths(t)
	ip(t, "addr add 10.14.0.15/24 dev va")
	s := vrrp.NewSession(l, l, func(e vrrp.Event) { t.Log(e.Code, e.Text) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	s.Set(vrrp.Desired{Static: vrrp.Holdings{
		Addresses: append(on("va", "10.14.0.15/24"), on("va", "fd14::15/64")...),
		Routes:    []vrrp.Route{route("10.77.0.0/16", via("10.14.0.1", "va"))},
		Rules:     []vrrp.Rule{{Family: 4, Priority: 100, Table: 7}},
	}})
	held := func(n int) func() bool {
		return func() bool { k := s.Static(); return k != nil && k.Held == n }
	}
	wait(t, "all are held", held(4))
	there := func() bool {
		addrs := ip(t, "addr show dev va")
		return strings.Contains(addrs, "10.14.0.15/24") && strings.Contains(addrs, "fd14::15/64") && len(ours(t)) == 2
	}
	if !there() {
		t.Errorf("%s%v", ip(t, "addr show dev va"), ours(t))
	}
	ip(t, "addr del 10.14.0.15/24 dev va") // The route goes with it.
	ip(t, "addr del fd14::15/64 dev va")
	wait(t, "they are back", there)
	if k := s.Static(); k.Restored == 0 {
		t.Errorf("static %+v", k)
	}
	s.Set(vrrp.Desired{Ending: vrrp.Stopped})
	<-ended
	if addrs := ip(t, "addr show dev va"); strings.Contains(addrs, "10.14.0.15") || strings.Contains(addrs, "fd14::15") {
		t.Errorf("they are left: %s", addrs)
	}
}

// "lvsd was killed, I took an address out of static, and it is still there." The kernel notes
// that it is lvsd's, also when the lease of it has begun anew; those of others stay.
func TestAddressesOfAnEarlierProcessAreKnown(t *testing.T) {
	l := paths(t)
	ip(t, "addr add 10.14.0.14/24 dev va")
	ip(t, "-6 addr add fd14::14/64 dev va nodad")
	all := vrrp.Holdings{Addresses: append(on("va", "10.14.0.15/24"), append(on("va", "10.14.0.16/24"), append(on("va", "fd14::15/64"), on("va", "fd14::16/64")...)...)...), Lease: time.Minute}
	if _, _, err := l.Hold(all); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Renew(all); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Hold(all); err != nil { // as one that is adopted
		t.Fatal(err)
	}
	if err := l.Sweep(vrrp.Holdings{Addresses: append(on("va", "10.14.0.16/24"), on("va", "fd14::16/64")...)}); err != nil {
		t.Error(err)
	}
	addrs := ip(t, "addr show dev va")
	for address, stays := range map[string]bool{"10.14.0.14/": true, "10.14.0.15/": false, "10.14.0.16/": true, "fd14::14/": true, "fd14::15/": false, "fd14::16/": true} {
		if strings.Contains(addrs, address) != stays {
			t.Errorf("%s is there: %t, want %t:\n%s", address, !stays, stays, addrs)
		}
	}
	if err := l.Sweep(vrrp.Holdings{}); err != nil {
		t.Error(err)
	}
}
