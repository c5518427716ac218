package director

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// rivals finds that others have addresses which this director holds as Master.
func (all *findings) rivals(r *api.Router, services []api.Service) {
	subject := fmt.Sprintf("virtual router %q", r.Name)
	claimed := slices.Clone(r.Rivals)
	for _, v := range r.Rivals {
		if v.Master.IsValid() {
			all.add(api.Error, vrrp.OtherMaster, subject, remedies[vrrp.Reason(v.Refused)],
				"both directors are Master of %s: %v advertises %v too, and its adverts are refused (%s)", subject, v.Master, v.Address, v.Refused)
		}
	}
	claimed = slices.DeleteFunc(claimed, func(v api.Rival) bool { return v.Master.IsValid() })
	if len(claimed) == 0 {
		return
	}
	first, more, by := claimed[0], "", "ARP"
	if len(claimed) > 1 {
		more = fmt.Sprintf(", and for %d more of its addresses", len(claimed)-1)
	}
	if first.Address.Is6() {
		by = "neighbour discovery"
	}
	all.add(api.Error, vrrp.AddressClaimed, subject, remedyFor(first.Address, services),
		"%s is Master, but somebody else answers %s for %v: MAC %s, seen %v ago%s", subject, by, first.Address,
		cmp.Or(first.MAC, "unknown"), first.Age.Round(time.Second), more)
}

// remedyFor is what to do about somebody else who answers for an address: with direct
// routing and tunnelling the real servers have it too, and must not answer.
func remedyFor(address netip.Addr, services []api.Service) string {
	const other = "if it is the other director, both are Master, and this one gets none of the other's adverts, or refuses them: let VRRP (IP protocol 112) in through this director's firewall " +
		"and out through the other's, and check peers and the switch; " +
		"if not, take the address away from it"
	for i := range services {
		if s := &services[i]; s.Key.Address == address && slices.ContainsFunc(s.Servers, func(v api.Server) bool { return v.Forward != "nat" }) {
			if address.Is6() {
				return "if it is a real server, put the address there on lo only, for which neighbours get no answer; " + other
			}
			return "if it is a real server, set net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2 there, or the address on lo only; " + other
		}
	}
	return other
}
