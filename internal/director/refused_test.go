package director

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// "With accept = false every second request hangs": the director is a server, too.
func TestADirectorThatRefusesWhatItServesIsAFinding(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refuse  bool
		service config.Service
		found   int
	}{
		{"by direct routing", true, webService(ipvsctl.Direct, lvs1), 1},
		{"by a tunnel", true, webService(ipvsctl.Tunnel, lvs1), 1},
		{"by NAT, the address is its own", true, webService(ipvsctl.NAT, lvs1), 0},
		{"others serve", true, webService(ipvsctl.Direct, web1), 0},
		{"it accepts", false, webService(ipvsctl.Direct, lvs1), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &config.Config{Services: []config.Service{tt.service}, Routers: []vrrp.Config{{
				Name: "outside", Interface: "eth0", Refuse: tt.refuse, Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.200/24")}}}}
			var all findings
			all.refused(c, map[netip.Addr]bool{lvs1: true})
			if len(all) != tt.found {
				t.Errorf("found %v, want %d", all, tt.found)
			}
			if tt.found > 0 {
				want := `this director is a real server of 10.13.0.200 by direct routing or tunnelling, but virtual router "outside" has accept = false, so it drops the requests that it hands to itself`
				if diff := cmp.Diff(want, all[0].Text); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
