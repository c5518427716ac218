package main

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// newNames asks the resolver, once for each name and address.
func newNames(services ipvsadm.Services) ipvsadm.Names {
	return ipvsadm.Names{
		Address:  remembered(addressOf),
		Host:     remembered(hostOf),
		Services: services,
	}
}

// addressOf is the first IPv4 address of a host.
func addressOf(host string) (netip.Addr, bool) {
	all, err := net.DefaultResolver.LookupNetIP(context.Background(), "ip4", host)
	if err != nil || len(all) == 0 {
		return netip.Addr{}, false
	}
	return all[0].Unmap(), true
}

// hostOf is the name of an address.
func hostOf(a netip.Addr) (string, bool) {
	all, err := net.DefaultResolver.LookupAddr(context.Background(), a.String())
	if err != nil || len(all) == 0 {
		return "", false
	}
	return strings.TrimSuffix(all[0], "."), true
}

// remembered returns a function that remembers its answers.
func remembered[K comparable, V any](ask func(K) (V, bool)) func(K) (V, bool) {
	type answer struct {
		v  V
		ok bool
	}
	known := map[K]answer{}
	return func(k K) (V, bool) {
		a, asked := known[k]
		if !asked {
			a.v, a.ok = ask(k)
			known[k] = a
		}
		return a.v, a.ok
	}
}
