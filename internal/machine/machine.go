// Package machine reads what lvsd needs to know about the machine it runs on,
// and changes the kernel's parameters that lvsd is asked to set.
// The daemon, validate and, through the director's findings, status all judge
// the same facts. A fact is a value: Read is the only part that asks the kernel,
// and whoever judges facts can be tested with made-up ones.
package machine

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// Facts are what is known about a machine at one moment.
type Facts struct {
	// Interfaces are its network interfaces.
	Interfaces []Interface
	// Addresses are those on its interfaces, each with the length of its
	// network's prefix. Virtual addresses that it holds are among them.
	Addresses []netip.Prefix
	// Forward4 and Forward6 report whether it forwards packets of each family:
	// net.ipv4.ip_forward and net.ipv6.conf.all.forwarding.
	Forward4, Forward6 bool
	// Settings are the values of the kernel's parameters that lvsd can set, as far
	// as they exist.
	Settings map[Setting]string
}

// An Interface is a network interface of a machine.
type Interface struct {
	Name string
	// Down: it is administratively down, or has no carrier.
	Down bool
	// Quiet: nobody is asked for a neighbour there. It is the loopback interface, the
	// end of a tunnel or a dummy.
	Quiet bool
	// ARPIgnore is net.ipv4.conf.*.arp_ignore as it is in force there, the larger one
	// of "all" and the interface's own. With 0 the machine answers ARP requests that
	// arrive there for addresses of all its interfaces
	// (linux/Documentation/networking/ip-sysctl.rst).
	ARPIgnore uint32
	Addresses []netip.Prefix
}

// Names returns the names of the interfaces.
func (f *Facts) Names() []string {
	names := []string{} // Not nil: there are none, and that is known.
	for i := range f.Interfaces {
		names = append(names, f.Interfaces[i].Name)
	}
	return names
}

// Read asks the kernel for the facts. It may block for seconds while another
// process holds the kernel's network configuration lock, for instance to delete
// a thousand interfaces.
func Read() (Facts, error) {
	f := Facts{
		Forward4: enabled("/proc/sys/net/ipv4/ip_forward"),
		Forward6: enabled("/proc/sys/net/ipv6/conf/all/forwarding"),
		Settings: readSettings(),
	}
	var err error
	if f.Interfaces, err = interfaces(); err != nil {
		return Facts{}, fmt.Errorf("listing this machine's interfaces: %w", err)
	}
	for i := range f.Interfaces {
		f.Addresses = append(f.Addresses, f.Interfaces[i].Addresses...)
	}
	return f, nil
}

// Processors returns those that are online, as the kernel tells: "0-3,6"; empty: it does
// not.
func Processors() string {
	text, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// enabled reports whether a kernel setting is on. One that does not exist, such
// as IPv6's on a kernel without it, is off.
func enabled(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && string(bytes.TrimSpace(text)) != "0"
}

// NodeName returns the name that a director has in the configuration unless
// --node gives another one: the host's name up to its first dot.
func NodeName() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("reading the host's name: %w", err)
	}
	node, _, _ := strings.Cut(host, ".")
	return node, nil
}
