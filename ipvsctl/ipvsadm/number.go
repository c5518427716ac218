package ipvsadm

import (
	"net/netip"
	"strconv"
	"strings"
)

// spaces are what isspace(3) takes for spaces.
const spaces = " \t\n\v\f\r"

// number reads a decimal number between two bounds as strtol(3) does: after spaces and a
// sign, and nothing may follow.
func number(s string, least, most int64) (n int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimLeft(s, spaces), 10, 64)
	return n, err == nil && n >= least && n <= most
}

// leadingNumber is atoi(3): what follows the number does not matter.
func leadingNumber(s string) int64 {
	s = strings.TrimLeft(s, spaces)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && strings.ContainsRune("+-", rune(s[0]))) {
		end++
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// allDigits reports whether there is nothing but digits in s, which may be empty.
func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// inetAton reads an IPv4 address as inet_aton(3) does: with up to four parts, of which the
// last fills the rest, each in decimal, octal or hexadecimal; after a space anything may
// follow.
func inetAton(s string) (netip.Addr, bool) {
	if strings.Count(s, ".") == 3 {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			return a, true // as nearly always
		}
	}
	if i := strings.IndexAny(s, spaces); i >= 0 {
		s = s[:i]
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var address uint64
	for i, part := range parts {
		v, ok := inetPart(part)
		last := i == len(parts)-1
		most := uint64(0xff)
		if last {
			most = 1<<(8*(4-i)) - 1
		}
		if !ok || v > most {
			return netip.Addr{}, false
		}
		if last {
			address |= v
		} else {
			address |= v << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}), true
}

// inetPart reads one part, as strtoul(3) does with base 0.
func inetPart(s string) (uint64, bool) {
	base, digits := 10, s
	switch {
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'):
		base, digits = 16, s[2:]
	case len(s) > 1 && s[0] == '0':
		base, digits = 8, s[1:]
	}
	if digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, base, 32)
	return v, err == nil
}
