package vrrp

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// What a Master has is looked after: what others remove from the kernel comes back.
func TestWhenWhatIsHeldIsLookedAtAgain(t *testing.T) {
	before := at(-second)
	address := Holdings{Addresses: []InterfaceAddress{{"eth0", netip.MustParsePrefix("10.0.0.100/24")}}}
	leased := address
	leased.Lease = 6 * second
	for _, tt := range []struct {
		name    string
		want    Holdings
		layer   layer
		apply   bool
		failure string
		at      time.Time
	}{
		{"addresses with a lease, thrice in its time", leased, ofAddresses, true, "", at(2 * second)},
		{"permanent addresses, now and then", address, ofAddresses, true, "", at(10 * second)},
		{"none that are wanted: never", Holdings{}, ofAddresses, true, "", time.Time{}},
		{"routes and rules: with the addresses", leased, ofPaths, true, "", time.Time{}},
		{"what the kernel refused: soon", leased, ofPaths, true, "no route to host", at(second)},
		{"where only an announcement was due: as before", leased, ofAddresses, false, "", before},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := progress{auditAt: before, failure: tt.failure}
			p.schedule(&task{of: &job{want: tt.want}, layer: tt.layer, apply: tt.apply}, epoch)
			if !p.auditAt.Equal(tt.at) {
				t.Errorf("at %v, want %v", p.auditAt, tt.at)
			}
		})
	}
}

func TestAllThatIsWantedIsThere(t *testing.T) {
	routes := Holdings{Routes: []Route{{}}}
	for _, tt := range []struct {
		name             string
		want             Holdings
		addresses, paths bool
		complete         bool
	}{
		{"addresses alone", Holdings{}, true, false, true},
		{"addresses that are missing", Holdings{}, false, true, false},
		{"addresses and routes", routes, true, true, true},
		{"routes that are missing", routes, true, false, false},
		{"addresses that are missing beside routes", routes, false, true, false},
	} {
		j := job{want: tt.want}
		j.layers[ofAddresses].complete, j.layers[ofPaths].complete = tt.addresses, tt.paths
		if got := j.complete(); got != tt.complete {
			t.Errorf("%s: complete %t", tt.name, got)
		}
	}
}

// A line of the log names three failures at most.
func TestFailuresAreOneLine(t *testing.T) {
	a, b, c, d := errors.New("a"), errors.New("b"), errors.New("c"), errors.New("d")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{a, "a"},
		{errors.Join(a, b, c), "a; b; c"},
		{errors.Join(a, b, c, d), "a; b; c; and 1 more"},
		{errors.Join(a, b, c, d, a), "a; b; c; and 2 more"},
	} {
		if got := firstOf(tt.err); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
