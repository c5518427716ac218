// Package machine reads what lvsd needs to know about the machine it runs on,
// and changes the kernel's parameters that lvsd is asked to set.
// The daemon, validate and, through the director's findings, status all judge
// the same facts. A fact is a value: Read is the only part that asks the kernel,
// and whoever judges facts can be tested with made-up ones.
//
// Every file uses only files that come before it in this list:
//
//	clock.go                   who keeps the clock
//	setting.go                 parameters of the kernel
//	interfaces.go              network interfaces, and their addresses
//	path.go                    which way packets go, and which are heard
//	watch.go                   when any of that changes
//	machine.go                 all facts
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
	// as they exist: all of IPVS, and those of interfaces that are asked for.
	Settings map[Setting]string
	// Outgoing are the interfaces by which packets leave to the addresses that were asked
	// about, without those to which there is no way, or none that leaves the machine.
	Outgoing map[netip.Addr]string
}

// Names returns the names of the interfaces.
func (f *Facts) Names() []string {
	names := []string{} // Not nil: there are none, and that is known.
	for i := range f.Interfaces {
		names = append(names, f.Interfaces[i].Name)
	}
	return names
}

// HasIPVS reports whether the kernel has IPVS, with its parameters.
func (f *Facts) HasIPVS() bool {
	for s := range f.Settings {
		if s.OfIPVS() {
			return true
		}
	}
	return false
}

// Read asks the kernel for the facts, and for the ways to some addresses. It may block for seconds while another
// process holds the kernel's network configuration lock, for instance to delete
// a thousand interfaces.
func Read(to ...netip.Addr) (Facts, error) {
	f := Facts{
		Forward4: enabled("/proc/sys/net/ipv4/ip_forward"),
		Forward6: enabled("/proc/sys/net/ipv6/conf/all/forwarding"),
		Settings: make(map[Setting]string),
		Outgoing: outgoing(to),
	}
	readIPVS(f.Settings)
	for _, name := range f.Outgoing {
		if _, known := f.Settings[AcceptLocal(name)]; !known {
			readConf(f.Settings, name)
		}
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
