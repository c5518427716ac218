package convert

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/ldirectord"
)

// maxLookup bounds how long a name is looked up.
const maxLookup = 10 * time.Second

// readLdirectord imports a file.
func readLdirectord(r *Request, files disk, _, path string) (importer.Result, error) {
	path, text, err := ldirectordFile(files, path)
	if err != nil {
		return importer.Result{}, err
	}
	return ldirectord.Import(path, text, r.ldirectord())
}

// outlineLdirectord works out what ldirectord makes of a file.
func outlineLdirectord(r *Request, files disk, _, path string) (importer.Outline, error) {
	path, text, err := ldirectordFile(files, path)
	if err != nil {
		return nil, err
	}
	return ldirectord.Outline(path, text, r.ldirectord())
}

// ldirectordFile reads a file, which ldirectord looks for in two folders first.
func ldirectordFile(files disk, path string) (at string, text []byte, err error) {
	text, err = files.Open(path)
	for _, folder := range [...]string{"/etc/ha.d", "/etc/ha.d/conf"} {
		if errors.Is(err, os.ErrNotExist) && !strings.Contains(path, "/") {
			var found error
			if text, found = files.Open(filepath.Join(folder, path)); found == nil {
				path, err = filepath.Join(folder, path), nil
			}
		}
	}
	return path, text, err
}

// ldirectord are its options.
func (r *Request) ldirectord() ldirectord.Options {
	o := ldirectord.Options{Port: portOf}
	if r.Resolve {
		o.Resolve = addressOf
	}
	return o
}

// addressOf looks the address of a host up, of one family.
func addressOf(host string, ipv6 bool) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxLookup)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, map[bool]string{true: "ip6", false: "ip4"}[ipv6], host)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(all) == 0 {
		return netip.Addr{}, errors.New("no address")
	}
	return all[0].Unmap(), nil
}

// portOf looks the port of a service up.
func portOf(name, protocol string) (uint16, bool) {
	if protocol == "" {
		if port, ok := portOf(name, "tcp"); ok {
			return port, true
		}
		protocol = "udp"
	}
	port, err := net.LookupPort(protocol, name)
	return uint16(port), err == nil && port > 0
}
