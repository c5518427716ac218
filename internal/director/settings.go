package director

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// wantedSettings are the kernel's parameters that the configuration sets on a machine. Was
// are those that lvsd has changed, as they were before.
func wantedSettings(c *config.Config, m machine.Facts, was map[machine.Setting]string) map[machine.Setting]string {
	all := make(map[machine.Setting]string)
	for name, value := range c.Director.IPVS.Parameters {
		all[machine.IPVS(name)] = value
	}
	hearing(all, c, m, was)
	return all
}

// defences are the parameters that the kernel itself changes from 1 to 2 while memory is
// short, and back.
var defences = []machine.Setting{machine.IPVS("drop_entry"), machine.IPVS("drop_packet"), machine.IPVS("secure_tcp")}

// obeyed reports whether a parameter is as it should be.
func obeyed(s machine.Setting, is, wanted string) bool {
	return is == wanted || slices.Contains(defences, s) && is == "2" && wanted == "1"
}

// mistuned are the values of the parameters that are not as they should be, and exist; and
// of those that lvsd has changed, and nobody wants changed any more.
func mistuned(wanted, are, was map[machine.Setting]string) map[machine.Setting]string {
	values := make(map[machine.Setting]string)
	for s, before := range was {
		if _, ok := wanted[s]; !ok {
			values[s] = before
		}
	}
	for s, value := range wanted {
		if is, exists := are[s]; exists && !obeyed(s, is, value) {
			values[s] = value
		}
	}
	return values
}

// settings finds parameters of the kernel that could not be set, and those that
// harm clients and are not set.
func (all *findings) settings(c *config.Config, m machine.Facts, was map[machine.Setting]string, refused map[machine.Setting]error) {
	wanted := wantedSettings(c, m, was)
	for _, s := range slices.Sorted(maps.Keys(wanted)) {
		is, exists := m.Settings[s]
		switch {
		case exists && !obeyed(s, is, wanted[s]) && refused[s] != nil:
			so := ""
			if !s.OfIPVS() {
				so = "; checks by the forwarding path (forwarded) are not run while this director has the virtual address"
			}
			all.add(api.Warning, "setting-refused", string(s), fmt.Sprintf("set %s=%s by other means (sysctl -w, on the host if this is a container), or let lvsd write below /proc/sys", s, wanted[s]),
				"the kernel's parameter %s is %s and cannot be set to %s: %v%s", s, is, wanted[s], refused[s], so)
		case !exists && s.OfIPVS() && m.HasIPVS():
			all.add(api.Warning, "setting-missing", string(s), "take it out of the ipvs block of the director block, or run a kernel that has it",
				"this kernel has no parameter %s, which the configuration sets to %s", s, wanted[s])
		}
	}
	if wanted[machine.ExpireNodest] != "" || m.Settings[machine.ExpireNodest] != "0" {
		return
	}
	if i := slices.IndexFunc(c.Services, outlivesServers); i >= 0 {
		all.add(api.Warning, "udp-clients-stay", string(machine.ExpireNodest), "set expire_nodest_conn = true in an ipvs block of the director block",
			"virtual service %q is over UDP, and %s is 0: when one of its servers leaves, clients that keep their port get no answer for 5 minutes", c.Services[i].Name, machine.ExpireNodest)
	}
}

// outlivesServers reports whether the kernel sends the packets of a client to the
// server that it sent the last ones to, although that has left, and the client
// cannot see it: UDP has no connections to open again. With one-packet scheduling,
// every packet is a connection of its own.
func outlivesServers(s config.Service) bool {
	return s.Key.Protocol == ipvsctl.UDP && s.Service.Flags&ipvsctl.OnePacket == 0
}

// copied returns a copy that can be written to.
func copied(all map[machine.Setting]string) map[machine.Setting]string {
	if all == nil {
		return map[machine.Setting]string{}
	}
	return maps.Clone(all)
}
