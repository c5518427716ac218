package realserver

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/machine"
)

// A Kind is what kind of thing a Part is. A part of one kind may need those of the kinds
// before it.
type Kind uint8

// The kinds of parts.
const (
	// Device is the end of a tunnel: Up, Down, or nothing where there is none.
	Device Kind = iota
	// Port is a UDP port on which packets are unwrapped: GUE, or nothing.
	Port
	// Mode is what is unwrapped by ip6tnl0: IPv6 packets (SixAlone), or Any.
	Mode
	// Parameter is one of the kernel's.
	Parameter
	// Address is an address on an interface: Present, or nothing.
	Address
	// Route is lvsd's own way to everywhere, before the machine's default route, which
	// stays: its value is the gateway, Incomplete, or nothing.
	Route
)

// The values of parts; that of a part that is not there is empty.
const (
	Up         = "up"
	Down       = "down"
	GUE        = "gue"
	Present    = "present"
	Incomplete = "incomplete"
	SixAlone   = "ip6ip6"
	Any        = "any"
)

// A Part is one thing of a machine that is changed for a real server. It is comparable.
type Part struct {
	Kind      Kind
	Interface string          // of a Device, a Mode and an Address
	Prefix    netip.Prefix    // of an Address: the address alone
	Port      uint16          // of a Port
	Six       bool            // of a Port and a Route: over IPv6
	Setting   machine.Setting // of a Parameter
}

// Loopback is where the virtual addresses are for direct routing.
const Loopback = "lo"

// Ends are the devices by which the kernel has packets that are for no other tunnel, with
// the kinds of link that they are (ip-link(8)). They exist in a network namespace as soon as
// the module is loaded.
var Ends = []struct{ Name, Link string }{
	{"tunl0", "ipip"}, {"gre0", "gre"}, {"sit0", "sit"}, {SixEnd, "ip6tnl"}, {"ip6gre0", "ip6gre"},
}

// SixEnd is the one for packets in packets of IPv6, which unwraps only those of IPv6 unless
// it is told otherwise.
const SixEnd = "ip6tnl0"

// LinkOf returns the kind of link that an end is; empty: it is none.
func LinkOf(name string) string {
	for _, e := range Ends {
		if e.Name == name {
			return e.Link
		}
	}
	return ""
}

// all is the name by which the kernel has what counts for every interface.
const all = "all"

// Parameters are those that are read or changed.
func Parameters() []machine.Setting {
	list := []machine.Setting{machine.ARPIgnore(all), machine.ARPAnnounce(all), machine.RPFilter(all)}
	for _, e := range Ends {
		list = append(list, machine.RPFilter(e.Name))
	}
	return list
}

// DeviceNamed, ModeOf, ParameterOf, AddressOn, PortFor and DefaultRoute return the parts of their
// kinds.
func DeviceNamed(name string) Part       { return Part{Kind: Device, Interface: name} }
func ModeOf(name string) Part            { return Part{Kind: Mode, Interface: name} }
func ParameterOf(s machine.Setting) Part { return Part{Kind: Parameter, Setting: s} }
func PortFor(port uint16, six bool) Part { return Part{Kind: Port, Port: port, Six: six} }
func DefaultRoute(six bool) Part         { return Part{Kind: Route, Six: six} }
func AddressOn(name string, a netip.Addr) Part {
	return Part{Kind: Address, Interface: name, Prefix: netip.PrefixFrom(a, a.BitLen())}
}

// String returns the part as text, of which Parse makes the part again.
func (p Part) String() string {
	switch p.Kind {
	case Device:
		return "device " + p.Interface
	case Mode:
		return "mode of " + p.Interface
	case Port:
		return p.family() + " " + strconv.Itoa(int(p.Port))
	case Address:
		return "address " + p.Prefix.String() + " on " + p.Interface
	case Route:
		return routeTexts[p.Six]
	default:
		return string(p.Setting)
	}
}

// routeTexts are those of the two Routes, by whether they are of IPv6.
var routeTexts = map[bool]string{false: "default route", true: "IPv6 default route"}

// family is how a Port's text begins.
func (p Part) family() string {
	if p.Six {
		return "udp6 port"
	}
	return "udp port"
}

// Parse returns the part of a text, if it is one that lvsd changes: what is read from a
// file is not believed to be one.
func Parse(text string) (Part, error) {
	p, ok := parse(text)
	if !ok || p.String() != text {
		return Part{}, fmt.Errorf("%.80q is nothing that lvsd changes on a real server", text)
	}
	return p, nil
}

func parse(text string) (Part, bool) {
	words := strings.Fields(text)
	switch {
	case text == routeTexts[false] || text == routeTexts[true]:
		return DefaultRoute(text == routeTexts[true]), true
	case len(words) == 2 && words[0] == "device":
		return DeviceNamed(words[1]), LinkOf(words[1]) != ""
	case text == "mode of "+SixEnd:
		return ModeOf(SixEnd), true
	case len(words) == 3 && words[1] == "port":
		port, err := strconv.ParseUint(words[2], 10, 16)
		return PortFor(uint16(port), words[0] == "udp6"), err == nil && port > 0
	case len(words) == 4 && words[0] == "address":
		prefix, err := netip.ParsePrefix(words[1])
		p := Part{Kind: Address, Interface: words[3], Prefix: prefix}
		return p, err == nil && prefix.IsSingleIP() && (words[3] == Loopback || LinkOf(words[3]) != "")
	}
	return ParameterOf(machine.Setting(text)), slices.Contains(Parameters(), machine.Setting(text))
}

// compare orders parts by what needs what, and then by their texts.
func (p Part) compare(q Part) int {
	if p.Kind != q.Kind {
		return int(p.Kind) - int(q.Kind)
	}
	return strings.Compare(p.String(), q.String())
}
