package ipvsadm

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/lvsd/lvsd/ipvsctl"
)

// Names are those of hosts and ports. The zero value knows none.
type Names struct {
	// Address returns the first IPv4 address of a host.
	Address func(host string) (netip.Addr, bool)
	// Host returns the name of an address.
	Host func(netip.Addr) (string, bool)
	Services
}

// longestEndpoint is how much of a name and a port is printed, in bytes.
const longestEndpoint = 59

// endpoint prints an address and a port with their names.
func (n Names) endpoint(a netip.Addr, port uint16, p ipvsctl.Protocol) string {
	host, service := dotted(a), strconv.Itoa(int(port))
	if n.Host != nil {
		if name, ok := n.Host(a); ok {
			host = name
		}
	}
	if name, ok := n.Name(port, p); ok {
		service = name
	}
	return joined(a, host, service)
}

// numeric prints an address and a port as numbers.
func numeric(a netip.Addr, port uint16, _ ipvsctl.Protocol) string {
	return joined(a, dotted(a), strconv.Itoa(int(port)))
}

func joined(a netip.Addr, host, service string) string {
	text := host + ":" + service
	if !a.Is4() {
		text = "[" + host + "]:" + service
	}
	return text[:min(len(text), longestEndpoint)]
}

// dotted prints an address as inet_ntop(3) does, which shows an IPv4 address in the last
// four bytes of ::/96 too.
func dotted(a netip.Addr) string {
	if b := a.As16(); a.Is6() && !a.Is4In6() && [12]byte(b[:]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// endpointBy returns how to print addresses and ports, with names unless numbers are
// wanted.
func (n Names) endpointBy(numbers bool) ipvsctl.Endpoint {
	if numbers {
		return numeric
	}
	return n.endpoint
}

// signed is how ipvsadm lists firewall marks.
func signed(mark uint32) string { return fmt.Sprint(int32(mark)) }
