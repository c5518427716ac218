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
