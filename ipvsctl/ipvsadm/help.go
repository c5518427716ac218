package ipvsadm

import (
	"fmt"
	"strings"
)

// HelpText explains the commands and options, to be called by the given name.
func HelpText(program string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Reads and writes the kernel's IPVS table with the commands of ipvsadm(8). Without
any it lists the table. No daemon need run, and no configuration is read.

Usage:
  %[1]s -A|-E SERVICE [-s NAME] [-b FLAG,...] [-p [SECONDS]] [-M MASK] [--pe ENGINE] [-o]
  %[1]s -D SERVICE
  %[1]s -a|-e SERVICE -r HOST[:PORT] [-g|-i|-m] [-w N] [-x N] [-y N] [TUNNEL...]
  %[1]s -d SERVICE -r HOST[:PORT]
  %[1]s -L|-l [SERVICE|-c|--timeout|--daemon] [-n] [-o json] [LIST...]
  %[1]s -S [-n]
  %[1]s -R
  %[1]s -C
  %[1]s -Z [SERVICE]
  %[1]s --set TCP TCPFIN UDP
  %[1]s --start-daemon master|backup [--mcast-interface IF] [--syncid N] [SYNC...]
  %[1]s --stop-daemon master|backup
  %[1]s -h

SERVICE is -t HOST[:PORT], -u HOST[:PORT], --sctp-service HOST[:PORT] or -f MARK [-6].

Commands, of which one comes first:
`, program)
	for _, o := range commands {
		b.WriteString(helpLine(o))
	}
	b.WriteString("\nOptions:\n")
	for _, o := range modifiers {
		b.WriteString(helpLine(o))
	}
	return b.String()
}

// helpLine explains one option.
func helpLine(o option) string {
	if o.help == "" {
		return ""
	}
	short := "   "
	if o.short != 0 {
		short = "-" + string(o.short) + ","
	}
	value := ""
	switch o.arg {
	case required:
		value = " " + o.value
	case optional:
		value = " [" + o.value + "]"
	}
	return fmt.Sprintf("  %s --%-28s %s\n", short, o.long+value, o.help)
}
