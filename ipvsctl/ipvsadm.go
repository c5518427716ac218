package ipvsctl

import (
	"fmt"
	"net/netip"
	"strings"
)

// String returns the table as "ipvsadm --save --numeric" prints it, sorted, so
// that the two can be compared. As there, the connection thresholds are left
// out.
func (t Table) String() string {
	var b strings.Builder
	for _, key := range t.Keys() {
		vs := t[key]
		fmt.Fprintln(&b, Op{Kind: AddService, Service: key, Config: vs.Service})
		for _, dk := range vs.destinationKeys() {
			dest := vs.Destinations[dk]
			dest.Upper, dest.Lower = 0, 0
			fmt.Fprintln(&b, Op{Kind: AddDestination, Service: key, Destination: dk, Dest: dest})
		}
	}
	return b.String()
}

// String returns the operation as arguments of ipvsadm:
// "-e -t 10.13.0.200:80 -r 192.168.1.4:80 -m -w 3".
func (op Op) String() string {
	switch op.Kind {
	case AddService:
		return "-A " + op.Service.args() + op.Config.args(op.Service.Addr)
	case SetService:
		return "-E " + op.Service.args() + op.Config.args(op.Service.Addr)
	case DeleteService:
		return "-D " + op.Service.args()
	case AddDestination:
		return "-a " + op.Service.args() + " -r " + op.Destination.String() + op.Dest.args()
	case SetDestination:
		return "-e " + op.Service.args() + " -r " + op.Destination.String() + op.Dest.args()
	case DeleteDestination:
		return "-d " + op.Service.args() + " -r " + op.Destination.String()
	default:
		return op.Kind.String()
	}
}

func (k ServiceKey) args() string {
	if k.Mark != 0 {
		if k.Addr.Is6() {
			return fmt.Sprintf("-f %d -6", k.Mark)
		}
		return fmt.Sprintf("-f %d", k.Mark)
	}
	option := map[Protocol]string{TCP: "-t", UDP: "-u", SCTP: "--sctp-service"}[k.Protocol]
	if option == "" {
		option = k.Protocol.String()
	}
	return option + " " + netip.AddrPortFrom(k.Addr, k.Port).String()
}

func (s Service) args(addr netip.Addr) string {
	var b strings.Builder
	fmt.Fprintf(&b, " -s %s", s.Scheduler)
	if s.Flags&Persistent != 0 {
		fmt.Fprintf(&b, " -p %d", s.Timeout)
		if int(s.Netmask) != addr.BitLen() {
			fmt.Fprintf(&b, " -M %s", netmask(s.Netmask, addr))
		}
		if s.Engine != "" {
			fmt.Fprintf(&b, " --pe %s", s.Engine)
		}
	}
	if s.Flags&OnePacket != 0 {
		b.WriteString(" -o")
	}
	if names := s.Flags.names(s.Scheduler); len(names) > 0 {
		fmt.Fprintf(&b, " -b %s", strings.Join(names, ","))
	}
	return b.String()
}

// netmask is a dotted mask for IPv4 and a length for IPv6, as ipvsadm has it.
func netmask(bits uint8, addr netip.Addr) string {
	if addr.Is6() || bits > 32 {
		return fmt.Sprint(bits)
	}
	m := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}

// names are the scheduler's flags, by the names that the schedulers with
// documented flags give them.
func (f Flags) names(scheduler string) []string {
	first, second := "flag-1", "flag-2"
	if scheduler == "sh" || scheduler == "mh" {
		first, second = scheduler+"-fallback", scheduler+"-port"
	}
	var names []string
	for _, n := range []struct {
		flag Flags
		name string
	}{{Sched1, first}, {Sched2, second}, {Sched3, "flag-3"}} {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

func (d Destination) args() string {
	var b strings.Builder
	switch d.Forward {
	case NAT:
		b.WriteString(" -m")
	case Tunnel:
		b.WriteString(" -i")
	case Direct:
		b.WriteString(" -g")
	default:
		b.WriteString(" " + d.Forward.String())
	}
	fmt.Fprintf(&b, " -w %d", d.Weight)
	if d.Upper != 0 {
		fmt.Fprintf(&b, " -x %d", d.Upper)
	}
	if d.Lower != 0 {
		fmt.Fprintf(&b, " -y %d", d.Lower)
	}
	b.WriteString(d.tunnelArgs())
	return b.String()
}

func (d Destination) tunnelArgs() string {
	var b strings.Builder
	switch {
	case d.Forward != Tunnel:
		return ""
	case d.TunnelType == TunnelGUE:
		fmt.Fprintf(&b, " --tun-type gue --tun-port %d", d.TunnelPort)
	case d.TunnelType == TunnelGRE:
		b.WriteString(" --tun-type gre")
	default:
		return " --tun-type ipip"
	}
	switch d.TunnelFlags {
	case TunnelChecksum:
		b.WriteString(" --tun-csum")
	case TunnelRemoteChecksum:
		b.WriteString(" --tun-remcsum")
	default:
		b.WriteString(" --tun-nocsum")
	}
	return b.String()
}
