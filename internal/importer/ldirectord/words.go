package ldirectord

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lvsd/lvsd/internal/text"
)

// A reading reads the value of a word as ldirectord does.
type reading struct {
	read     func(value string) (string, bool)
	expected string
}

// Patterns that ldirectord looks for, anywhere in a value.
var (
	firstDigits = text.Pattern(`[0-9]+`)
	firstWord   = text.Pattern(`[\w]+`)
	firstType   = text.Pattern(`[\w-]+`)
	firstLower  = text.Pattern(`[a-z]+`)
	firstHost   = text.Pattern(`^[0-9A-Za-z._+-]+`)
	inQuotes    = text.Pattern(`^"(.*)"`)
	hostName    = text.Pattern(`^"?([^"]*)`)
)

// number reads the first digits, whatever is around them: 5s is 5.
func number(lo, hi int, expected string) reading {
	return reading{func(v string) (string, bool) {
		n, err := strconv.Atoi(firstDigits().FindString(v))
		return strconv.Itoa(n), err == nil && n >= lo && n <= hi
	}, expected}
}

// oneOf reads the first word, which must be one of these.
func oneOf(names string) reading {
	list := strings.Fields(names)
	return reading{func(v string) (string, bool) {
		w := firstWord().FindString(v)
		return w, slices.Contains(list, w)
	}, "one of " + strings.Join(list, ", ")}
}

// The readings.
var (
	seconds = number(1, 1<<31-1, "a number of seconds above 0")
	count   = number(1, 1<<31-1, "a number above 0")
	yesNo   = reading{func(v string) (string, bool) { return v, v == "yes" || v == "no" },
		"yes or no, with nothing behind it (outside of a block, no comment either)"}
	quoted = reading{func(v string) (string, bool) {
		m := inQuotes().FindStringSubmatch(v)
		if m == nil {
			return "", false
		}
		return m[1], m[1] != ""
	}, "a text in double quotes"}
	quotedOrEmpty = reading{func(v string) (string, bool) { return strings.Trim(v, `"`), inQuotes().MatchString(v) }, "a text in double quotes"}
	bare          = reading{func(v string) (string, bool) { return strings.TrimSpace(v), v != "" }, "a text"}
	anything      = reading{func(v string) (string, bool) { return strings.TrimSpace(v), true }, "a text"}
	loose         = reading{func(v string) (string, bool) {
		if m := inQuotes().FindStringSubmatch(v); m != nil {
			v = m[1]
		}
		return strings.TrimSpace(v), v != ""
	}, "a text, in double quotes or without"}
	host     = reading{func(v string) (string, bool) { h := firstHost().FindString(v); return h, h != "" }, "a host"}
	statuses = reading{func(v string) (string, bool) {
		list := strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		for _, s := range list {
			if !slices.Contains([]string{"all", "none", "starting", "running", "stopping", "reloading"}, s) || s == "none" && len(list) > 1 {
				return "", false
			}
		}
		return v, true
	}, "all, none, or starting, running, stopping and reloading, with commas between them"}
)

var checkType = reading{func(v string) (string, bool) {
	if n := firstDigits().FindString(v); n != "" {
		_, err := strconv.ParseUint(n, 10, 31)
		return n, err == nil
	}
	w := firstType().FindString(v)
	return w, slices.Contains([]string{"connect", "negotiate", "ping", "off", "on", "external", "external-perl"}, w)
}, "connect, negotiate, ping, external, external-perl, on, off or a number"}

// both are the words that stand in blocks of services, and before them for all.
var both = sync.OnceValue(func() map[string]reading {
	return map[string]reading{
		"checktimeout": seconds, "negotiatetimeout": seconds, "checkinterval": seconds, "checkcount": count, "failurecount": count,
		"fallback": anything, "fallback6": anything,
		"quiescent": yesNo, "cleanstop": yesNo,
		"emailalert": bare, "emailalertfreq": number(0, 1<<31-1, "a number of seconds"), "emailalertstatus": statuses, "smtp": host,
	}
})

// global are the words that stand before services alone, or have another form there.
var global = sync.OnceValue(func() map[string]reading {
	return map[string]reading{
		"fallbackcommand": bare, "autoreload": yesNo, "callback": quotedOrEmpty, "logfile": quotedOrEmpty, "execute": anything,
		"fork": yesNo, "supervised": yesNo, "readdquiescent": yesNo, "emailalertfrom": bare, "maintenancedir": bare,
	}
})

// inService are the words that stand in blocks of services alone, or have another form there.
var inService = sync.OnceValue(func() map[string]reading {
	return map[string]reading{
		"real": anything, "real6": anything,
		"request": quoted, "receive": quoted, "login": quoted, "passwd": quoted, "database": quoted, "secret": quoted, "load": quoted,
		"checktype": checkType, "checkcommand": loose, "fallbackcommand": loose, "monitorfile": loose,
		"checkport":  number(1, 65535, "a port from 1 to 65535"),
		"scheduler":  {func(v string) (string, bool) { w := firstLower().FindString(v); return w, w != "" }, "the name of a scheduler, in lower-case letters"},
		"persistent": number(0, 1<<31-1, "a number of seconds"),
		"schedflags": {func(v string) (string, bool) {
			f := strings.Fields(v)
			return strings.Join(f[:min(1, len(f))], ""), len(f) > 0
		}, "flags of the scheduler, with commas between them"},
		"netmask":  anything,
		"protocol": {func(v string) (string, bool) { w := firstWord().FindString(v); return w, w != "" }, "tcp, udp or fwm"},
		"ops":      yesNo,
		"service":  oneOf("dns ftp http https http_proxy imap imaps ldap ldaps nntp mysql none oracle pop pops radius pgsql sip smtp submission simpletcp"),
		"httpmethod": {func(v string) (string, bool) {
			w := strings.ToUpper(firstWord().FindString(v))
			return w, w == "GET" || w == "HEAD"
		}, "GET or HEAD"},
		"virtualhost": {func(v string) (string, bool) { return strings.TrimSpace(hostName().FindStringSubmatch(v)[1]), true }, "a host"},
		"servicename": anything, "comment": anything,
	}
})
