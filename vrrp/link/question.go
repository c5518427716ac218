package link

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// WhoHas asks on an interface who has an IPv4 address, twice within a time that it waits, and
// returns the MAC addresses of all that answer, each once. It asks as somebody who has no
// address yet (RFC 5227), so that nobody learns anything from it.
func WhoHas(name string, ip netip.Addr, wait time.Duration) ([]string, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	l, err := newListener(&device{name: name, index: i.Index, mac: i.HardwareAddr}, []netip.Addr{ip})
	if err != nil {
		return nil, err
	}
	defer l.close()
	var macs []string
	for range 2 {
		if err := l.ask(ip); err != nil {
			return nil, err
		}
		time.Sleep(wait / 2)
		l.arp.receive(func(_ netip.Addr, mac net.HardwareAddr) { macs = append(macs, mac.String()) })
	}
	slices.SortFunc(macs, strings.Compare)
	return slices.Compact(macs), nil
}
