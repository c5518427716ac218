package director

import (
	"fmt"
	"net/netip"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// refused finds services that this director serves itself as a real server by direct
// routing or tunnelling, at an address for which it accepts nothing: IPVS hands it
// such packets as they are.
func (all *findings) refused(c *config.Config, own map[netip.Addr]bool) {
	served, marked := unchanged(c.Services, own)
	for i := range c.Routers {
		r := &c.Routers[i]
		for _, p := range r.Addresses {
			if !r.Refuse || !marked && !served[p.Addr()] {
				continue
			}
			router := fmt.Sprintf("virtual router %q", r.Name)
			all.add(api.Error, "address-refused", router, "remove accept = false, or have this director serve by NAT or not at all",
				"this director is a real server of %s by direct routing or tunnelling, but %s has accept = false, so it drops the requests that it hands to itself", p.Addr(), router)
			break
		}
	}
}
