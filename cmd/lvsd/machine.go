package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/director"
)

// parseOptions are what a configuration is read with on this machine.
func parseOptions(node string) (config.Options, error) {
	if node == "" {
		host, err := hostNode()
		if err != nil {
			return config.Options{}, fmt.Errorf("%w: give --node", err)
		}
		node = host
	}
	local, err := localPrefixes()
	if err != nil {
		return config.Options{}, err
	}
	return config.Options{Node: node, Env: os.LookupEnv, Local: local}, nil
}

// hostNode is the name of this machine as a node: the host's, to the first dot.
func hostNode() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("asking for the host's name: %w", err)
	}
	node, _, _ := strings.Cut(host, ".")
	return node, nil
}

// interfaceNames returns the names of this machine's interfaces.
func interfaceNames() ([]string, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing this machine's interfaces: %w", err)
	}
	var names []string
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return names, nil
}

// localPrefixes returns the addresses on this machine's interfaces.
func localPrefixes() ([]netip.Prefix, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("listing this machine's addresses: %w", err)
	}
	var local []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			local = append(local, p)
		}
	}
	return local, nil
}

// machine looks at what the director needs to know of this machine.
func machine() (director.Machine, error) {
	local, err := localPrefixes()
	if err != nil {
		return director.Machine{}, err
	}
	m := director.Machine{
		Forward4: enabled("/proc/sys/net/ipv4/ip_forward"),
		Forward6: enabled("/proc/sys/net/ipv6/conf/all/forwarding"),
	}
	for _, p := range local {
		m.Addresses = append(m.Addresses, p.Addr())
	}
	return m, nil
}

// enabled tells whether a kernel setting is on; one that is not there is off.
func enabled(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && string(bytes.TrimSpace(text)) != "0"
}
