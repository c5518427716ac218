// Package machine reads what lvsd needs to know about the machine it runs on.
// The daemon, validate and, through the director's findings, status all judge
// the same facts. A fact is a value: Read is the only part that asks the kernel,
// and whoever judges facts can be tested with made-up ones.
package machine

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// Facts are what is known about a machine at one moment.
type Facts struct {
	// Interfaces are the names of its network interfaces.
	Interfaces []string
	// Addresses are those on its interfaces, each with the length of its
	// network's prefix. Virtual addresses that it holds are among them.
	Addresses []netip.Prefix
	// Forward4 and Forward6 report whether it forwards packets of each family:
	// net.ipv4.ip_forward and net.ipv6.conf.all.forwarding.
	Forward4, Forward6 bool
}

// Read asks the kernel for the facts. It may block for seconds while another
// process holds the kernel's network configuration lock, for instance to delete
// a thousand interfaces.
func Read() (Facts, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return Facts{}, fmt.Errorf("listing this machine's interfaces: %w", err)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return Facts{}, fmt.Errorf("listing this machine's addresses: %w", err)
	}
	f := Facts{
		Forward4: enabled("/proc/sys/net/ipv4/ip_forward"),
		Forward6: enabled("/proc/sys/net/ipv6/conf/all/forwarding"),
	}
	for _, i := range interfaces {
		f.Interfaces = append(f.Interfaces, i.Name)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			f.Addresses = append(f.Addresses, p)
		}
	}
	return f, nil
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
