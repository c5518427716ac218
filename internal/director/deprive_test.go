package director

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/vrrp"
)

func TestAReloadWithAMistypedInterfaceIsRefused(t *testing.T) {
	vip := netip.MustParsePrefix("10.13.0.200/24")
	outside := func(name, port string) vrrp.Config {
		return vrrp.Config{Name: name, Interface: port, Addresses: []netip.Prefix{vip}}
	}
	extra := outside("outside", "eth0")
	extra.Extra, extra.Track = []vrrp.InterfaceAddress{{Interface: "ens1"}}, []vrrp.Track{{Condition: "interface ens1"}}
	untracked := outside("outside", "eth0")
	untracked.Extra = extra.Extra // with track = false
	tracks := outside("outside", "eth0")
	tracks.Track = []vrrp.Track{{Condition: "interface ethl"}}
	tracking := func(track vrrp.Track) []vrrp.Config {
		c := outside("outside", "eth0")
		c.Track = []vrrp.Track{track}
		return []vrrp.Config{c}
	}
	elsewhere := func(name, port string) vrrp.Config {
		return vrrp.Config{Name: name, Interface: port, Addresses: []netip.Prefix{netip.MustParsePrefix("10.14.0.200/24")}}
	}
	for _, tt := range []struct {
		name          string
		running, next []vrrp.Config
		missing       string
	}{
		{"ethO for eth0", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{outside("outside", "ethO")}, "ethO"},
		{"and another name for the router", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{outside("front", "ethO")}, "ethO"},
		{"and another address", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{elsewhere("outside", "ethO")}, "ethO"},
		{"of the second router, where the first waits for its interface", []vrrp.Config{elsewhere("inside", "eth7"), outside("outside", "eth0")},
			[]vrrp.Config{elsewhere("inside", "eth7"), outside("outside", "ethO")}, "ethO"},
		{"of an extra address", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{extra}, "ens1"},
		{"of an extra address without which it stays Master", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{untracked}, ""},
		{"of a tracked interface", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{tracks}, "ethl"},
		{"of a tracked interface that only lowers the priority", []vrrp.Config{outside("outside", "eth0")}, tracking(vrrp.Track{Condition: "interface ethl", Weight: -10}), ""},
		{"of a tracked interface that must be down", []vrrp.Config{outside("outside", "eth0")}, tracking(vrrp.Track{Condition: "interface ethl", Reverse: true}), ""},
		{"it tracks what is no interface", []vrrp.Config{outside("outside", "eth0")}, tracking(vrrp.Track{Condition: "ping outside"}), ""},
		{"the router moves to another interface", []vrrp.Config{outside("outside", "eth0")}, []vrrp.Config{outside("outside", "eth1")}, ""},
		{"what it tracks was missing before", []vrrp.Config{tracks}, []vrrp.Config{tracks}, ""},
		{"its interface was missing before", []vrrp.Config{outside("outside", "eth7")}, []vrrp.Config{outside("outside", "eth8")}, ""},
		{"a new router waits for its interface", nil, []vrrp.Config{outside("outside", "eth7")}, ""},
		{"a router is removed", []vrrp.Config{outside("outside", "eth0")}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Deprived(tt.running, tt.next, []string{"lo", "eth0", "eth1"})
			if (err != nil) != (tt.missing != "") || err != nil && !strings.Contains(err.Error(), `the interface "`+tt.missing+`", which this machine does not have (it has lo, eth0, eth1)`) {
				t.Errorf("error %v, want one about %q", err, tt.missing)
			}
		})
	}
}
