package ldirectord

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Options are what importing has of this machine.
type Options struct {
	// Resolve returns an address of a host, of one family. Without it, hosts that have
	// names are told.
	Resolve func(host string, ipv6 bool) (netip.Addr, error)
	// Port returns the port of a service by its name in /etc/services, with protocol
	// "tcp", "udp" or "", which is any. Without it, only common ones are known.
	Port func(name, protocol string) (uint16, bool)
}

// ports are those of services that are often named.
var ports = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "mail": 25, "domain": 53, "tftp": 69, "http": 80, "www": 80, "pop3": 110, "pop-3": 110,
	"nntp": 119, "ntp": 123, "imap": 143, "imap2": 143, "snmp": 161, "ldap": 389, "https": 443, "smtps": 465, "submissions": 465, "syslog": 514,
	"submission": 587, "ldaps": 636, "rsync": 873, "imaps": 993, "pop3s": 995, "openvpn": 1194, "ms-sql-s": 1433, "radius": 1812, "radius-acct": 1813,
	"mysql": 3306, "postgresql": 5432, "sip": 5060, "sip-tls": 5061, "squid": 3128, "http-alt": 8080, "webcache": 8080,
}

// port returns a port by its number or name.
func (o Options) port(name, protocol string) (uint16, bool) {
	if name != "" && strings.Trim(name, "0123456789") == "" {
		n, err := strconv.ParseUint(name, 10, 16)
		return uint16(n), err == nil
	}
	if o.Port != nil {
		if n, ok := o.Port(name, protocol); ok {
			return n, true
		}
	}
	n, ok := ports[name]
	return n, ok
}

// errNoNames is what becomes of hosts that have names where they are not to be resolved.
var errNoNames = errors.New("names of hosts are not resolved")

// address returns the address of a host, and whether it was given by name.
func (o Options) address(host string, ipv6 bool) (a netip.Addr, named bool, err error) {
	text := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		if a = a.Unmap(); a.Is6() != ipv6 {
			return a, false, errors.New("the address is of the other family")
		}
		if a.IsUnspecified() {
			return a, false, errors.New("it means no address at all")
		}
		return a, false, nil
	}
	if strings.Trim(text, "0123456789.") == "" {
		return a, false, errors.New("it is no address")
	}
	if o.Resolve == nil {
		return a, true, errNoNames
	}
	a, err = o.Resolve(text, ipv6)
	if a = a.Unmap(); err == nil && (!a.IsValid() || a.Is6() != ipv6) {
		err = errors.New("the host has no address of this family")
	}
	return a, true, err
}
