package config

import (
	"math"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// networkInterface checks the name of a network interface. The kernel takes up
// to 15 bytes, without space and slash.
func networkInterface(b *block.Body, s string, at block.Place) (string, bool) {
	s, ok := deviceName(b, s, at)
	if ok {
		claim(b, interfaceName, s, at)
	}
	return s, ok
}

// deviceName checks the name of a network interface that need not exist.
func deviceName(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || len(s) > 15 || strings.ContainsAny(s, " \t\n/:") || s == "." || s == ".." {
		b.Mistake(at, "Invalid interface", "%q can't be the name of a network interface: `ip link` lists those of this machine.", s)
		return "", false
	}
	return s, true
}

// ports reads a port, or a range of ports.
func ports(b *block.Body, s string, at block.Place) (vrrp.Ports, bool) {
	first, last, several := strings.Cut(s, "-")
	if !several {
		last = first
	}
	f, err1 := strconv.ParseUint(first, 10, 16)
	l, err2 := strconv.ParseUint(last, 10, 16)
	if err1 != nil || err2 != nil || f == 0 || l < f || l == math.MaxUint16 {
		b.Mistake(at, "Invalid ports", "%q is neither a port nor a range of ports: write \"443\" or \"1024-65534\"; the kernel takes no higher one.", s)
		return vrrp.Ports{}, false
	}
	return vrrp.Ports{First: uint16(f), Last: uint16(l)}, true
}
