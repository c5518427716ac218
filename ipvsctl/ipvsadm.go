package ipvsctl

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// String returns the table as "ipvsadm --save --numeric" prints it, sorted, so
// that the two can be compared. Like ipvsadm it omits the connection thresholds.
func (t Table) String() string {
	var b strings.Builder
	for _, key := range t.Keys() {
		vs := t[key]
		fmt.Fprintln(&b, Op{Kind: AddService, Service: key, Config: vs.Service})
		for _, row := range vs.Destinations {
			row.Value.Upper, row.Value.Lower = 0, 0
			fmt.Fprintln(&b, Op{Kind: AddDestination, Service: key, Destination: row.Key, Dest: row.Value})
		}
	}
	return b.String()
}

// The commands and options of ipvsadm.
var (
	commands = map[OpKind]string{
		AddService: "-A", SetService: "-E", DeleteService: "-D",
		AddDestination: "-a", SetDestination: "-e", DeleteDestination: "-d",
	}
	protocolOptions = map[Protocol]string{TCP: "-t", UDP: "-u", SCTP: "--sctp-service"}
	forwardOptions  = map[Forward]string{NAT: "-m", Tunnel: "-i", Direct: "-g"}
)

// String returns the operation as arguments of ipvsadm:
// "-e -t 10.13.0.200:80 -r 192.168.1.4:80 -m -w 3".
func (op Op) String() string { return op.Arguments(numeric) }

// An Endpoint prints an address and a port of a protocol, which is zero where it is not
// known, as in a service by firewall mark.
type Endpoint func(netip.Addr, uint16, Protocol) string

func numeric(a netip.Addr, port uint16, _ Protocol) string {
	return netip.AddrPortFrom(a, port).String()
}

// Arguments is String with another way to print addresses and ports, which may have names.
func (op Op) Arguments(endpoint Endpoint) string {
	text := cmp.Or(commands[op.Kind], string(op.Kind)) + " " + op.Service.args(endpoint)
	switch op.Kind {
	case AddService, SetService:
		text += op.Config.args(op.Service.Addr)
	case AddDestination, SetDestination:
		text += " -r " + endpoint(op.Destination.Addr, op.Destination.Port, op.Service.Protocol) + op.Dest.args()
	case DeleteDestination:
		text += " -r " + endpoint(op.Destination.Addr, op.Destination.Port, op.Service.Protocol)
	}
	return text
}

func (k ServiceKey) args(endpoint Endpoint) string {
	if k.Mark != 0 {
		if k.Addr.Is6() {
			return fmt.Sprintf("-f %d -6", k.Mark)
		}
		return fmt.Sprintf("-f %d", k.Mark)
	}
	return cmp.Or(protocolOptions[k.Protocol], k.Protocol.String()) + " " + endpoint(k.Addr, k.Port, k.Protocol)
}

func (s Service) args(addr netip.Addr) string {
	var b strings.Builder
	fmt.Fprintf(&b, " -s %s", s.Scheduler)
	if s.Flags&Persistent != 0 {
		fmt.Fprintf(&b, " -p %d", s.Timeout)
		if mask, ok := s.Grouping(addr); ok {
			fmt.Fprintf(&b, " -M %s", mask)
		}
	}
	if s.Engine != "" {
		fmt.Fprintf(&b, " --pe %s", s.Engine)
	}
	if s.Flags&OnePacket != 0 {
		b.WriteString(" -o")
	}
	if names := s.Flags.Names(s.Scheduler); len(names) > 0 {
		fmt.Fprintf(&b, " -b %s", strings.Join(names, ","))
	}
	return b.String()
}

// Grouping returns the mask by which clients are grouped, as ipvsadm has it: dotted for IPv4,
// and a length for IPv6. ok is false where that is the whole address.
func (s Service) Grouping(addr netip.Addr) (mask string, ok bool) {
	if int(s.Netmask) == addr.BitLen() {
		return "", false
	}
	if addr.Is6() {
		return fmt.Sprint(s.Netmask), true
	}
	m := s.Mask
	if s.Netmask != NotAPrefix {
		m = ^uint32(0) << (32 - min(s.Netmask, 32))
	}
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String(), true
}

// Names returns the names of the scheduler's flags, which only sh and mh have
// documented.
func (f Flags) Names(scheduler string) []string {
	first, second := "flag-1", "flag-2"
	if scheduler == "sh" || scheduler == "mh" {
		first, second = scheduler+"-fallback", scheduler+"-port"
	}
	var names []string
	for i, name := range []string{first, second, "flag-3"} {
		if f&(Sched1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (d Destination) args() string {
	text := fmt.Sprintf(" %s -w %d", cmp.Or(forwardOptions[d.Forward], d.Forward.String()), d.Weight)
	if d.Upper != 0 {
		text += fmt.Sprintf(" -x %d", d.Upper)
	}
	if d.Lower != 0 {
		text += fmt.Sprintf(" -y %d", d.Lower)
	}
	if d.Forward == Tunnel {
		text += d.tunnelArgs()
	}
	return text
}

func (d Destination) tunnelArgs() string {
	encapsulation := "gre"
	switch d.TunnelType {
	case TunnelGUE:
		encapsulation = fmt.Sprintf("gue --tun-port %d", d.TunnelPort)
	case TunnelGRE:
	default:
		return " --tun-type ipip"
	}
	checksums := map[uint16]string{TunnelChecksum: "csum", TunnelRemoteChecksum: "remcsum"}
	return " --tun-type " + encapsulation + " --tun-" + cmp.Or(checksums[d.TunnelFlags], "nocsum")
}
