package director

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
)

// wantedSettings are the kernel's parameters that the configuration sets on a machine,
// with one role of its sync daemons; zero: those are left alone. Was are parameters that
// lvsd has changed, as they were before.
func wantedSettings(c *config.Config, m machine.Facts, role ipvsctl.SyncRole, was map[machine.Setting]string) map[machine.Setting]string {
	all := make(map[machine.Setting]string)
	if role != 0 {
		syncing(all, c.Director.Sync, m, role)
	}
	for s, timeout := range map[machine.Setting]time.Duration{machine.TimeoutTCP: c.Director.IPVS.Timeouts.TCP, machine.TimeoutTCPFin: c.Director.IPVS.Timeouts.TCPFin, machine.TimeoutUDP: c.Director.IPVS.Timeouts.UDP} {
		if timeout > 0 {
			all[s] = strconv.Itoa(int(timeout / time.Second))
		}
	}
	for name, value := range c.Director.IPVS.Parameters {
		all[machine.IPVS(name)] = value
	}
	hearing(all, c, m, was)
	conntracked(all, c.Services)
	return all
}

// syncing adds the sync daemon of a role, of which there is one at a time.
func syncing(all map[machine.Setting]string, s config.ConnectionSync, m machine.Facts, role ipvsctl.SyncRole) {
	d := syncDaemon(s, role)
	i := slices.IndexFunc(m.Interfaces, func(i machine.Interface) bool { return i.Name == s.Interface })
	if i >= 0 {
		d.MaxLength = longestMessage(s, role, m.Interfaces[i].MTU)
	}
	all[machine.SyncMaster], all[machine.SyncBackup] = "", d.String()
	if role == ipvsctl.SyncMaster {
		all[machine.SyncMaster], all[machine.SyncBackup] = d.String(), ""
	}
}

// longestMessage is how long messages of a sync daemon may be, in bytes, as the kernel takes
// it: a backup has room for 1024 at least (start_sync_thread in ip_vs_sync.c, measured). What
// is left to the kernel is written, too: else a daemon would keep what it was once given.
func longestMessage(s config.ConnectionSync, role ipvsctl.SyncRole, mtu int) uint16 {
	const usualMTU, leastRoom, longestPacket = 1500, 1024, 65535
	headers := 20 + 8
	if s.Group.Is6() {
		headers = 40 + 8
	}
	length, least := cmp.Or(s.MaxLength, min(mtu, usualMTU)-headers), 1
	if role == ipvsctl.SyncBackup {
		length, least = cmp.Or(s.MaxLength, max(mtu, usualMTU)-headers), leastRoom
	}
	return uint16(min(max(length, least), longestPacket-headers))
}

// syncDaemon is the sync daemon of a role. Its longest message is the one that was asked for.
func syncDaemon(s config.ConnectionSync, role ipvsctl.SyncRole) ipvsctl.SyncDaemon {
	return ipvsctl.SyncDaemon{Role: role, Interface: s.Interface, ID: uint8(s.ID), MaxLength: uint16(s.MaxLength), Group: s.Group, Port: uint16(s.Port), TTL: uint8(s.TTL)}
}

// beyondParameters reports whether the configuration has more of IPVS set than parameters.
func beyondParameters(c *config.Config) bool {
	return c.Director.Sync.Router != "" || c.Director.IPVS.Timeouts != config.Timeouts{}
}

// defences are the parameters that the kernel itself changes from 1 to 2 while memory is
// short, and back.
var defences = []machine.Setting{machine.IPVS("drop_entry"), machine.IPVS("drop_packet"), machine.IPVS("secure_tcp")}

// obeyed reports whether a parameter is as it should be.
func obeyed(s machine.Setting, is, wanted string) bool {
	switch {
	case slices.Contains(defences, s):
		return is == wanted || is == "2" && wanted == "1"
	case s == machine.IPVS("est_cpulist"):
		return sameProcessors(config.Processors(is), config.Processors(wanted)) // "0,1" is "0-1" there.
	case s == machine.SyncMaster || s == machine.SyncBackup:
		return is == wanted || wanted != "" && strings.HasPrefix(is, wanted+" ") // The kernel has chosen the length.
	default:
		return is == wanted
	}
}

// sameProcessors reports whether two lists have the same processors.
func sameProcessors(a, b config.Processors) bool {
	all, err := a.List()
	others, err2 := b.List()
	return a == b || err == nil && err2 == nil && slices.Equal(all, others)
}

// mistuned are the values of the parameters that are not as they should be, and of those that
// lvsd has changed, and nobody wants changed any more; as far as they exist.
func mistuned(wanted, are, was map[machine.Setting]string) map[machine.Setting]string {
	values := make(map[machine.Setting]string)
	for s, before := range was {
		_, exists := are[s]
		if _, ok := wanted[s]; !ok && (exists || s.OfInterface()) { // Only some interfaces are looked at.
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
func (all *findings) settings(c *config.Config, m machine.Facts, wanted map[machine.Setting]string, refused map[machine.Setting]error) {
	for _, s := range slices.Sorted(maps.Keys(wanted)) {
		is, exists := m.Settings[s]
		switch {
		case exists && !obeyed(s, is, wanted[s]) && refused[s] != nil:
			all.settingRefused(s, is, wanted[s], refused[s])
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

// settingRefused adds one that could not be set.
func (all *findings) settingRefused(s machine.Setting, is, wanted string, err error) {
	so := ""
	switch {
	case s == machine.SyncMaster || s == machine.SyncBackup:
		all.add(api.Warning, "sync-daemon-refused", string(s), "see to what the error says: the interface of connection_sync must be up and have an address",
			"the kernel's sync daemon cannot be as it should (%q): connections do not survive a takeover: %v", wanted, err)
		return
	case !s.Sysctl():
		all.add(api.Warning, "setting-refused", string(s), "see to what the error says", "the kernel's %s is %s and cannot be set to %s: %v", s, is, wanted, err)
		return
	case s.OfInterface():
		so = "; checks by the forwarding path (forwarded) are not run while this director has the virtual address"
	}
	all.add(api.Warning, "setting-refused", string(s), fmt.Sprintf("set %s=%s by other means (sysctl -w, on the host if this is a container), or let lvsd write below /proc/sys", s, wanted),
		"the kernel's parameter %s is %s and cannot be set to %s: %v%s", s, is, wanted, err, so)
}

// outlivesServers reports whether the kernel sends the packets of a client to the
// server that it sent the last ones to, although that has left, and the client
// cannot see it: UDP has no connections to open again. With one-packet scheduling,
// every packet is a connection of its own.
func outlivesServers(s config.Service) bool {
	udp := s.Key.Protocol == ipvsctl.UDP || s.Packets != nil && slices.Contains(s.Packets.Protocols, ipvsctl.UDP) ||
		slices.ContainsFunc(s.More, func(key ipvsctl.ServiceKey) bool { return key.Protocol == ipvsctl.UDP })
	return udp && s.Service.Flags&ipvsctl.OnePacket == 0
}

// copied returns a copy that can be written to.
func copied(all map[machine.Setting]string) map[machine.Setting]string {
	if all == nil {
		return map[machine.Setting]string{}
	}
	return maps.Clone(all)
}
