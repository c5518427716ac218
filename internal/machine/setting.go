package machine

import (
	"bytes"
	"os"
	"slices"
	"strings"
)

// A Setting is a parameter of the kernel, by its name in sysctl(8): a dot within the name
// of an interface is a slash there.
type Setting string

// vs is the beginning of the names of IPVS's parameters, which belong to the network
// namespace, and do not exist before the module is loaded.
const vs = "net.ipv4.vs."

// IPVS is a parameter of IPVS (linux/Documentation/networking/ipvs-sysctl.rst).
func IPVS(name string) Setting { return Setting(vs + name) }

// What IPVS has besides its parameters is given the same way, and is read and set by
// netlink: the timeouts, in seconds, and what its sync daemons are configured with, as an
// ipvsctl.SyncDaemon is written; empty: there is none.
const (
	TimeoutTCP    Setting = "ipvs.timeout.tcp"
	TimeoutTCPFin Setting = "ipvs.timeout.tcp_fin"
	TimeoutUDP    Setting = "ipvs.timeout.udp"
	SyncMaster    Setting = "ipvs.sync.master"
	SyncBackup    Setting = "ipvs.sync.backup"
)

// OfIPVS reports whether it is a parameter of IPVS.
func (s Setting) OfIPVS() bool { return strings.HasPrefix(string(s), vs) }

// Sysctl reports whether it is a parameter with a file below /proc/sys.
func (s Setting) Sysctl() bool { return strings.HasPrefix(string(s), "net.") }

// OfInterface reports whether it is a parameter of a network interface, or of "all".
func (s Setting) OfInterface() bool { return strings.HasPrefix(string(s), "net.ipv4.conf.") }

// Ours reports whether it is one that lvsd sets: what is read from a file is not believed
// to be one.
func (s Setting) Ours() bool {
	return s.OfIPVS() || slices.Contains([]Setting{TimeoutTCP, TimeoutTCPFin, TimeoutUDP, SyncMaster, SyncBackup}, s) ||
		s.OfInterface() && (strings.HasSuffix(string(s), ".accept_local") || strings.HasSuffix(string(s), ".rp_filter"))
}

// ExpireNodest is whether the kernel forgets a connection whose real server is
// no longer in the IPVS table: "1" at its next packet, "0" only when it has timed
// out, and until then its packets are dropped
// (linux/Documentation/networking/ipvs-sysctl.rst).
const ExpireNodest Setting = vs + "expire_nodest_conn"

// AcceptLocal is whether packets are accepted on an interface that come from one of this
// machine's own addresses: "1" there or for "all".
func AcceptLocal(name string) Setting { return conf(name, "accept_local") }

// RPFilter is whether packets are dropped on an interface whose source is not reached by
// it ("1") or by none ("2"); the larger one of this and that of "all" is in force.
func RPFilter(name string) Setting { return conf(name, "rp_filter") }

// ARPIgnore is which ARP requests that arrive on an interface are answered: with "0" those
// for an address of any interface, with "1" those for one of this interface; the larger one
// of this and that of "all" is in force.
func ARPIgnore(name string) Setting { return conf(name, "arp_ignore") }

// ARPAnnounce is which of the machine's addresses ARP requests name as their sender: with
// "2" the one that is best for the target, whatever the packet has; the larger one of this
// and that of "all" is in force.
func ARPAnnounce(name string) Setting { return conf(name, "arp_announce") }

// SendRedirects is whether a machine that forwards a packet back by the interface on which it
// came tells its sender of the shorter way: "1" there or for "all".
func SendRedirects(name string) Setting { return conf(name, "send_redirects") }

// conf is a parameter of IPv4 for an interface.
func conf(name, key string) Setting {
	return Setting("net.ipv4.conf." + strings.ReplaceAll(name, ".", "/") + "." + key)
}

// readIPVS reads all parameters of IPVS that there are.
func readIPVS(all map[Setting]string) {
	files, _ := os.ReadDir(Setting(strings.TrimSuffix(vs, ".")).path()) // There is none before the module is loaded.
	for _, f := range files {
		if f.Type().IsRegular() {
			IPVS(f.Name()).read(all)
		}
	}
}

// readConf reads those of an interface, and those of "all", that say what is accepted
// there.
func readConf(all map[Setting]string, name string) {
	for _, n := range []string{"all", name} {
		AcceptLocal(n).read(all)
		RPFilter(n).read(all)
	}
}

// Hears reports what an interface's parameters say about packets from an address that is
// also this machine's own: whether they are accepted, and if so, whether only where that
// address is on the same interface.
func Hears(all map[Setting]string, name string) (accept, strict bool) {
	accept = max(all[AcceptLocal(name)], all[AcceptLocal("all")]) > "0"
	return accept, max(all[RPFilter(name)], all[RPFilter("all")]) == "1"
}

// path returns the file in which the kernel shows the setting.
func (s Setting) path() string {
	return "/proc/sys/" + strings.NewReplacer(".", "/", "/", ".").Replace(string(s))
}

// Set gives the setting a value. An error names the file: it does not exist,
// /proc/sys is read-only, as in many containers, or CAP_NET_ADMIN is missing.
func (s Setting) Set(value string) error { return os.WriteFile(s.path(), []byte(value), 0) }

// read adds the setting's value, if the kernel has it.
func (s Setting) read(all map[Setting]string) {
	if text, err := os.ReadFile(s.path()); err == nil {
		all[s] = string(bytes.Join(bytes.Fields(text), []byte(" ")))
	}
}

// Value returns the value that it has now; empty: this kernel does not have it.
func (s Setting) Value() string {
	one := make(map[Setting]string)
	s.read(one)
	return one[s]
}
