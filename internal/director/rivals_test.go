package director

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// Trial: with VRRP dropped at both inputs both directors were Master, and both
// status were green; a real server that answered ARP for the address was not told.
func TestRivalsAreFindings(t *testing.T) {
	vip, vip6 := netip.MustParseAddr("10.13.0.200"), netip.MustParseAddr("2001:db8::200")
	service := func(forward string) []api.Service {
		return []api.Service{{Key: api.ServiceKey{Address: vip}, Servers: []api.Server{{Forward: forward}}}}
	}
	arp := api.Rival{Address: vip, MAC: "52:54:00:00:00:02", Age: 3100 * time.Millisecond}
	const other = "if it is the other director, both are Master, and this one gets none of the other's adverts, or refuses them: let VRRP (IP protocol 112) in through this director's firewall " +
		"and out through the other's, and check peers and the switch; " +
		"if not, take the address away from it"
	for _, tt := range []struct {
		name     string
		rivals   []api.Rival
		services []api.Service
		want     []string
	}{
		{"a Master that has heard nobody is no finding", nil, service("nat"), nil},
		{"adverts that are refused", []api.Rival{{Address: vip, Master: netip.MustParseAddr("10.13.0.16"), Refused: "version"}}, nil, []string{
			`both directors are Master of virtual router "outside": 10.13.0.16 advertises 10.13.0.200 too, and its adverts are refused (version): configure the same version on both directors`}},
		{"ARP, with NAT", []api.Rival{arp}, service("nat"), []string{
			`virtual router "outside" is Master, but somebody else answers ARP for 10.13.0.200: MAC 52:54:00:00:00:02, seen 3s ago: ` + other}},
		{"ARP, with direct routing", []api.Rival{arp, {Address: vip.Next()}}, service("direct"), []string{
			`virtual router "outside" is Master, but somebody else answers ARP for 10.13.0.200: MAC 52:54:00:00:00:02, seen 3s ago, and for 1 more of its addresses: ` +
				"if it is a real server, set net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 there, or the address on lo only; " + other}},
		{"neighbour discovery, with direct routing", []api.Rival{{Address: vip6, MAC: "52:54:00:00:00:02"}}, []api.Service{{Key: api.ServiceKey{Address: vip6}, Servers: []api.Server{{Forward: "direct"}}}}, []string{
			`virtual router "outside" is Master, but somebody else answers neighbour discovery for 2001:db8::200: MAC 52:54:00:00:00:02, seen 0s ago: ` +
				"if it is a real server, put the address there on lo only, for which neighbours get no answer; " + other}},
		{"neighbour discovery, without a MAC", []api.Rival{{Address: netip.MustParseAddr("fe80::200")}}, nil, []string{
			`virtual router "outside" is Master, but somebody else answers neighbour discovery for fe80::200: MAC unknown, seen 0s ago: ` + other}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all findings
			all.rivals(&api.Router{Name: "outside", State: api.Master, Rivals: tt.rivals}, tt.services)
			var got []string
			for _, f := range all {
				if f.Severity != api.Error {
					t.Errorf("%s is a %s", f.Code, f.Severity)
				}
				got = append(got, f.Text+": "+f.Remedy)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// "Three lines in red, and all three were one cable": VRRP dropped in one direction.
func TestOneCauseOfTwoMastersIsOneFinding(t *testing.T) {
	const a, b = `virtual router "a"`, `virtual router "b"`
	all := findings{}
	for _, f := range []struct{ code, subject string }{
		{vrrp.AddressClaimed, a}, {vrrp.OtherMaster, a}, {vrrp.AdvertsUnsent, a}, {vrrp.AddressClaimed, b}, {vrrp.OtherMaster, "c"}, {vrrp.DisputedAddress, "c"},
	} {
		all.add(api.Error, f.code, f.subject, "", "")
	}
	var got []string
	for _, f := range all.unexplained() {
		got = append(got, f.Code+" "+f.Subject)
	}
	want := []string{vrrp.OtherMaster + " " + a, vrrp.AdvertsUnsent + " " + a, vrrp.AddressClaimed + " " + b, vrrp.DisputedAddress + " c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
