package heartbeat

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
)

// program is Heartbeat in the table of foreign words.
const program = "Heartbeat"

// common are words of ha.cf that the table of foreign words does not have, since they may mean
// anything elsewhere.
var common = strings.Fields("node watchdog ping ping6 debug serial env cluster")

// harmless are words that change nothing of what runs here.
var harmless = strings.Fields(`warntime hopfudge udpport baud logfacility logfile debugfile use_logd conn_logd_time syslogmsgfmt log_badpack
	apiauth compression compression_threshold traditional_compression msgfmt realtime rtprio hbgenmethod uuidfrom autojoin coredumps coreroot
	memreserve max_rexmit_delay use_apphbd crm_daemon_dir crmd_spawns_pengine record_config_changes record_pengine_inputs enable_config_writes
	debug cluster`)

// isWord reports whether a line of ha.cf may begin with a word.
func isWord(word string) bool {
	_, known := config.Foreign(program, word)
	return known || slices.Contains(common, word)
}

// span is a time in ha.cf: seconds, or with a unit.
var span = text.Pattern(`^([0-9]*\.?[0-9]+)(|s|sec|ms|msec|us|usec|m|min|h|hr)$`)

var units = map[string]time.Duration{"": time.Second, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour}

// timeOf reads a time, of a thousand hours at most.
func timeOf(s string) (time.Duration, bool) {
	m := span().FindStringSubmatch(strings.ToLower(s))
	if m == nil {
		return 0, false
	}
	unit := strings.NewReplacer("sec", "s", "min", "m", "hr", "h").Replace(m[2])
	n, err := strconv.ParseFloat(m[1], 64)
	n *= float64(units[unit])
	return time.Duration(n), err == nil && n >= 1 && n <= float64(1000*time.Hour)
}

// truth reads a word that says yes or no.
func truth(s string) (yes, ok bool) {
	yes = slices.Contains(strings.Fields("true on yes y 1"), strings.ToLower(s))
	return yes, yes || slices.Contains(strings.Fields("false off no n 0"), strings.ToLower(s))
}

func before(s, sign string) string {
	s, _, _ = strings.Cut(s, sign)
	return s
}

// isAddress reports whether a word is an address, whatever follows it behind a slash.
func isAddress(word string) bool {
	_, err := netip.ParseAddr(before(word, "/"))
	return err == nil
}
