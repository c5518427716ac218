package ipvsadm

import (
	"fmt"
	"io"
	"strconv"

	"github.com/lvsd/lvsd/ipvsctl"
)

// The longest names of a service and of a real server by IPv4 that are listed, in bytes.
const (
	longestService = 33
	longestServer  = 28
)

// A table prints services and their real servers.
type table struct {
	io.Writer
	Listing
	endpoint ipvsctl.Endpoint
	rules    bool // as commands, for -R
}

func (t table) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// title prints the heads of the columns.
func (t table) title() {
	const service, server = "Prot LocalAddress:Port", "\n  -> RemoteAddress:Port"
	switch {
	case t.rules:
	case t.Stats:
		t.printf("%-33s %8s %8s %8s %8s %8s%s\n", service, "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes", server)
	case t.Rate:
		t.printf("%-33s %8s %8s %8s %8s %8s%s\n", service, "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS", server)
	case t.Thresholds:
		t.printf("%-33s %-10s %-10s %-10s %-10s%s\n", service, "Uthreshold", "Lthreshold", "ActiveConn", "InActConn", server)
	case t.PersistentConns:
		t.printf("%-33s %-9s %-11s %-10s %-10s%s\n", service, "Weight", "PersistConn", "ActiveConn", "InActConn", server)
	case t.TunnelInfo:
		t.printf("%s Scheduler Flags%s           Forward TunnelInfo    Weight ActiveConn InActConn\n", service, server)
	default:
		t.printf("%s Scheduler Flags%s           Forward Weight ActiveConn InActConn\n", service, server)
	}
}

// service prints one service.
func (t table) service(s *ipvsctl.ListedService) {
	name := t.serviceName(s.Key)
	switch {
	case t.rules:
		t.printf("%s\n", ipvsctl.Op{Kind: ipvsctl.AddService, Service: s.Key, Config: s.Config}.Arguments(t.endpoint))
	case t.Stats:
		t.printf("%-33s%s\n", name, t.counters(s.Counters))
	case t.Rate:
		r := s.Rates
		t.printf("%-33s%s\n", name, t.numbers(r.Connections, r.PacketsIn, r.PacketsOut, r.BytesIn, r.BytesOut))
	default:
		t.printf("%s %s%s%s\n", name, s.Config.Scheduler, schedulerFlags(s.Config), serviceFlags(s.Key, s.Config))
	}
}

func (t table) serviceName(k ipvsctl.ServiceKey) string {
	switch {
	case k.Mark != 0 && k.Addr.Is6():
		return "FWM  " + signed(k.Mark) + " IPv6"
	case k.Mark != 0:
		return "FWM  " + signed(k.Mark)
	}
	protocols := map[ipvsctl.Protocol]string{ipvsctl.TCP: "TCP", ipvsctl.UDP: "UDP", ipvsctl.SCTP: "SCTP"}
	protocol, known := protocols[k.Protocol]
	if !known {
		protocol = "?"
	}
	name := fmt.Sprintf("%-4s %s", protocol, t.endpoint(k.Addr, k.Port, k.Protocol))
	if k.Addr.Is4() {
		name = name[:min(len(name), longestService)]
	}
	return name
}

// serviceFlags are what follows the scheduler.
func serviceFlags(k ipvsctl.ServiceKey, s ipvsctl.Service) (text string) {
	if s.Flags&ipvsctl.Persistent != 0 {
		text = fmt.Sprintf(" persistent %d", s.Timeout)
		if mask, ok := s.Grouping(k.Addr); ok {
			text += " mask " + mask
		}
		if s.Engine != "" {
			text += " pe " + s.Engine
		}
	}
	if s.Flags&ipvsctl.OnePacket != 0 {
		text += " ops"
	}
	return text
}

// server prints one real server of a service.
func (t table) server(k ipvsctl.ServiceKey, d *ipvsctl.ListedDestination) {
	if t.rules {
		t.rule(k, d)
		return
	}
	name := t.endpoint(d.Key.Addr, d.Key.Port, k.Protocol)
	if d.Key.Addr.Is4() {
		name = name[:min(len(name), longestServer)]
	}
	t.printf("  -> %-28s", name)
	c := d.Counters
	switch {
	case t.Stats:
		t.printf("%s\n", t.counters(c))
	case t.Rate:
		r := d.Rates
		t.printf(" %8d %8d %8d%s\n", r.Connections, r.PacketsIn, r.PacketsOut, t.numbers(r.BytesIn, r.BytesOut))
	case t.Thresholds:
		t.printf(" %-10d %-10d %-10d %-10d\n", d.Config.Upper, d.Config.Lower, c.Active, c.Inactive)
	case t.PersistentConns:
		t.printf(" %-9d %-11d %-10d %-10d\n", d.Config.Weight, c.Persistent, c.Active, c.Inactive)
	case t.TunnelInfo:
		t.printf(" %-7s %-13s %-6d %-10d %-10d\n", forwarding(d.Config.Forward), tunnelInfo(d.Config), d.Config.Weight, c.Active, c.Inactive)
	default:
		t.printf(" %-7s %-6d %-10d %-10d\n", forwarding(d.Config.Forward), d.Config.Weight, c.Active, c.Inactive)
	}
}

// rule prints the command that adds a real server. As in ipvsadm, the thresholds are left
// out.
func (t table) rule(k ipvsctl.ServiceKey, d *ipvsctl.ListedDestination) {
	config := d.Config
	config.Upper, config.Lower = 0, 0
	t.printf("%s\n", ipvsctl.Op{Kind: ipvsctl.AddDestination, Service: k, Destination: d.Key, Dest: config}.Arguments(t.endpoint))
}

// tunnelInfo is the type of a tunnel with its port and checksums: "gue:6080:+c".
func tunnelInfo(d ipvsctl.Destination) string {
	kind, checksum := named(tunnelNames, d.TunnelType), named(checksumNames, d.TunnelFlags)
	switch {
	case d.Forward != ipvsctl.Tunnel || kind == "":
		return "n/a"
	case d.TunnelType == ipvsctl.TunnelGUE:
		return fmt.Sprintf("%s:%d:%s", kind, d.TunnelPort, checksum)
	case d.TunnelType == ipvsctl.TunnelGRE:
		return kind + ":" + checksum
	default:
		return kind
	}
}

func (t table) counters(c ipvsctl.Counters) string {
	return t.numbers(c.Connections, c.PacketsIn, c.PacketsOut, c.BytesIn, c.BytesOut)
}

// numbers prints large numbers in columns of nine.
func (t table) numbers(all ...uint64) string {
	var b []byte
	for _, n := range all {
		b = fmt.Appendf(b, " %8s", large(n, t.Exact))
	}
	return string(b)
}

// large prints a number of up to eight digits, and what is larger in thousands, millions and
// so on, unless it is to be exact.
func large(n uint64, exact bool) string {
	const kilo, mega, giga, tera = 1e3, 1e6, 1e9, 1e12
	switch {
	case exact || n < 100*mega:
		return strconv.FormatUint(n, 10)
	case n < giga:
		return strconv.FormatUint(n/kilo, 10) + "K"
	case n < 100*giga:
		return strconv.FormatUint(n/mega, 10) + "M"
	case n < 100*tera:
		return strconv.FormatUint(n/giga, 10) + "G"
	default:
		return strconv.FormatUint(n/tera, 10) + "T"
	}
}
