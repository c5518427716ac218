package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// A parameter is one of the kernel's for an interface, of IPv4 or IPv6.
type parameter struct {
	family     int
	on         string
	key, value string
}

func path(family int, on, key string) string {
	return fmt.Sprintf("/proc/sys/net/ipv%d/conf/%s/%s", family, on, key)
}

// read returns a parameter's value, empty where there is none.
func read(family int, on, key string) string {
	b, _ := os.ReadFile(path(family, on, key))
	return strings.TrimSpace(string(b))
}

// set sets a parameter. A kernel without IPv6 has none of its.
func (p parameter) set() error {
	if p.value == read(p.family, p.on, p.key) {
		return nil
	}
	err := os.WriteFile(path(p.family, p.on, p.key), []byte(p.value), 0)
	if errors.Is(err, fs.ErrNotExist) && p.family == 6 && (p.key == "disable_ipv6" && p.value == "1") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("a virtual MAC needs net.ipv%d.conf.%s.%s = %s, which cannot be set (%w): /proc/sys must be writable", p.family, p.on, p.key, p.value, err)
	}
	return nil
}
