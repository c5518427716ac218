package director

import (
	"fmt"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/vrrp"
)

// inside finds interfaces of extra addresses that are down, where the router does
// not track them: it says itself why it stands back for one that it tracks.
func (all *findings) inside(routers []vrrp.Config, m machine.Facts) {
	for i := range routers {
		r := &routers[i]
		known := []string{r.Interface} // It is always tracked.
		for _, x := range r.Extra {
			if slices.Contains(known, x.Interface) || tracks(r, "interface "+x.Interface) {
				continue
			}
			known = append(known, x.Interface)
			why := broken(x.Interface, m)
			if why == "" {
				continue
			}
			subject := fmt.Sprintf("virtual router %q", r.Name)
			all.add(api.Error, "extra-address-down", subject+" "+x.Interface, "repair the link, or remove track = false, so that a Master without it hands over",
				"%s: interface %s %s, so its extra_address %v reaches nobody from here, and this director does not hand over for that, because of track = false",
				subject, x.Interface, why, x.Prefix)
		}
	}
}

// tracks reports whether a router tracks a condition.
func tracks(r *vrrp.Config, condition string) bool {
	return slices.ContainsFunc(r.Track, func(t vrrp.Track) bool { return t.Condition == condition })
}

// broken returns why nothing can be sent through an interface, or "".
func broken(name string, m machine.Facts) string {
	i := slices.IndexFunc(m.Interfaces, func(i machine.Interface) bool { return i.Name == name })
	switch {
	case i < 0:
		return "does not exist"
	case m.Interfaces[i].Down:
		return "is down"
	default:
		return ""
	}
}
