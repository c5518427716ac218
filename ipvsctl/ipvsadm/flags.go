package ipvsadm

import (
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
)

// forwards are the forwarding methods as they are listed.
var forwards = map[ipvsctl.Forward]string{ipvsctl.NAT: "Masq", 1: "Local", ipvsctl.Tunnel: "Tunnel", ipvsctl.Direct: "Route"}

// forwarding names a forwarding method; one that ipvsadm does not know is what C prints.
func forwarding(f ipvsctl.Forward) string {
	if name, known := forwards[f]; known {
		return name
	}
	return "(null)"
}

// schedulerFlags are listed in parentheses. Those of sh and mh are two.
func schedulerFlags(s ipvsctl.Service) string {
	flags := s.Flags & (ipvsctl.Sched1 | ipvsctl.Sched2 | ipvsctl.Sched3)
	if flags == 0 {
		return ""
	}
	if s.Scheduler == "sh" || s.Scheduler == "mh" {
		flags &^= ipvsctl.Sched3
	}
	return " (" + strings.Join(flags.Names(s.Scheduler), ",") + ")"
}

// tunnelNames are the types of encapsulation, and checksumNames how the checksums of one are
// listed.
var (
	tunnelNames   = []string{"ipip", "gue", "gre"}
	checksumNames = []string{"-c", "+c", "r+c"}
)

// named is a name of a list, or "" beyond its end.
func named[N uint8 | uint16](names []string, n N) string {
	if int(n) < len(names) {
		return names[n]
	}
	return ""
}
