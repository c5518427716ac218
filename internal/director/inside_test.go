package director

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/vrrp"
)

// D7: "eth1 of the Master was down, and all was green."
func TestAnInsideLinkThatIsDownAndNotTrackedIsAFinding(t *testing.T) {
	extra := func(name, prefix string) vrrp.InterfaceAddress {
		return vrrp.InterfaceAddress{Interface: name, Prefix: netip.MustParsePrefix(prefix)}
	}
	four, six := extra("eth1", "192.168.1.254/24"), extra("eth1", "fd00::254/64")
	const text = `virtual router "outside": interface eth1 is down, so its extra_address 192.168.1.254/24 reaches nobody from here, and this director does not hand over for that, because of track = false`
	for _, tt := range []struct {
		name       string
		router     vrrp.Config
		interfaces []machine.Interface
		want       []string
	}{
		{"it is up", vrrp.Config{Extra: []vrrp.InterfaceAddress{four}}, []machine.Interface{{Name: "eth1"}}, nil},
		{"it is down", vrrp.Config{Extra: []vrrp.InterfaceAddress{four, six}}, []machine.Interface{{Name: "eth0"}, {Name: "eth1", Down: true}}, []string{text}},
		{"the router stands back for it", vrrp.Config{Extra: []vrrp.InterfaceAddress{four}, Track: []vrrp.Track{{Condition: "interface eth1"}}}, []machine.Interface{{Name: "eth1", Down: true}}, nil},
		{"it is the router's own interface", vrrp.Config{Extra: []vrrp.InterfaceAddress{extra("eth0", "10.13.1.1/24")}}, []machine.Interface{{Name: "eth0", Down: true}}, nil},
		{"it does not exist", vrrp.Config{Extra: []vrrp.InterfaceAddress{extra("eth2", "192.168.1.254/24"), four}}, []machine.Interface{{Name: "eth1", Down: true}}, []string{
			`virtual router "outside": interface eth2 does not exist, so its extra_address 192.168.1.254/24 reaches nobody from here, and this director does not hand over for that, because of track = false`, text}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.router.Name, tt.router.Interface = "outside", "eth0"
			var found findings
			found.inside([]vrrp.Config{tt.router}, machine.Facts{Interfaces: tt.interfaces})
			var got []string
			for _, f := range found {
				got = append(got, f.Text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
