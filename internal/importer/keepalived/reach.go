package keepalived

import (
	"net/netip"
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
)

// reach sets between which addresses adverts go.
func (i *instance) reach() {
	source := i.last("unicast_src_ip", "mcast_src_ip")
	low, high := i.unicast()
	if s := i.last("unicast_ttl"); s != nil {
		if n, ok := i.whole(s, 1, 0, 255); ok && n > 0 && len(i.peers) > 0 {
			i.b.Set("ttl", importer.Number(n), s.Place)
		} else if ok {
			i.note(s, "adverts that are multicast always have a TTL of 255")
		}
	}
	if len(i.peers) > 0 {
		i.nearness(source, low, high)
	}
	i.multicast()
	if source == nil {
		i.adverts()
		return
	}
	p, _, ok := prefixOf(source.Arg(1))
	switch {
	case !ok || p.Addr().Is6() != i.six:
		i.lose(importer.Lost, source, "an address of the same family was expected, and keepalived does not take this either", "")
	default:
		remarks(i.b, i.b.Set("source", importer.String(p.Addr().String()), source.Place), source)
	}
}

// unicast sets the peers, and returns the bounds of their TTL; 0 where none is given.
func (i *instance) unicast() (low, high int) {
	var list []string
	var from []importer.Place
	lines := i.lines("unicast_peer")
	low, high = 255, 0
	for _, s := range lines {
		p, _, ok := prefixOf(s.Words[0])
		switch {
		case !ok || p.Addr().Is6() != i.six:
			i.lose(importer.Lost, s, "an address of the same family was expected, and keepalived does not take this either", "")
			continue
		case slices.Contains(i.peers, p.Addr()):
			i.note(s, "it is among the peers already")
			continue
		}
		i.peers = append(i.peers, p.Addr())
		list, from = append(list, p.Addr().String()), append(from, s.Place)
		l, h := i.bounds(s)
		low, high = min(low, l), max(high, h)
	}
	checks := i.take("check_unicast_src")
	if len(list) == 0 {
		for _, s := range checks {
			i.note(s, "there are no unicast peers")
		}
		return 0, 0
	}
	a := i.b.Set("peers", importer.Strings(list...), append(from, places(checks...)...)...)
	for _, s := range lines {
		remarks(i.b, a, s)
	}
	return low, high
}

// bounds reads the bounds of a peer's TTL, of which lvsd has one pair for all peers.
func (i *instance) bounds(s *Statement) (low, high int) {
	high = 255
	for at := 1; at < len(s.Words); at += 2 {
		word := s.Words[at]
		if word != "min_ttl" && word != "max_ttl" {
			i.extra(s, at)
			break
		}
		n, ok := i.whole(s, at+1, 0, 255)
		switch {
		case !ok:
		case word == "min_ttl":
			low = n
		default:
			high = n
		}
	}
	return low, high
}

// nearness sets with which TTL peers' adverts are accepted. keepalived takes any, and
// lvsd what comes from the same network, so it matters where peers are on another one.
func (i *instance) nearness(source *Statement, low, high int) {
	if bounded := high > 0 && high < 255; bounded && high >= low {
		i.b.Set("max_ttl", importer.Number(high))
		low = max(low, 1)
	}
	if low > 0 {
		i.b.Set("min_ttl", importer.Number(low))
	}
	if low > 0 || i.near(source) {
		return
	}
	a := i.b.Set("min_ttl", importer.Number(1))
	a.Comment = "as with keepalived; better 255 less the number of routers between"
}

// near reports whether all peers are on a network of this director, as far as can be told.
func (i *instance) near(source *Statement) bool {
	var nets []netip.Prefix
	if source != nil {
		if p, _, ok := prefixOf(source.Arg(1)); ok {
			bits := 24
			if p.Addr().Is6() {
				bits = 64
			}
			nets = append(nets, netip.PrefixFrom(p.Addr(), bits))
		}
	}
	for _, s := range i.all {
		if s.Words[0] == "virtual_ipaddress" {
			for _, line := range s.Block {
				if p, bare, ok := prefixOf(line.Words[0]); ok && !bare {
					nets = append(nets, p)
				}
			}
		}
	}
	return !slices.ContainsFunc(i.peers, func(a netip.Addr) bool {
		return !slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
	})
}

// adverts says that adverts are of IPv6, where no address does.
func (i *instance) adverts() {
	if i.six && i.advertised == 0 && len(i.peers) == 0 && i.b.Get("multicast_group") == nil {
		i.b.Set("multicast_group", importer.String("ff02::12")).Comment = "adverts are of IPv6"
	}
}

// multicast sets the group.
func (i *instance) multicast() {
	s := i.last("mcast_dst_ip")
	if s == nil && i.six {
		s = i.r.globals.ask("vrrp_mcast_group6")
	} else if s == nil {
		s = i.r.globals.ask("vrrp_mcast_group4")
	}
	if s == nil {
		return
	}
	a, err := netip.ParseAddr(s.Arg(1))
	switch {
	case err != nil || !a.IsMulticast() || a.Is6() != i.six:
		i.lose(importer.Lost, s, "a multicast address of the same family was expected, and keepalived does not take this either", "")
	case len(i.peers) > 0:
		i.note(s, "with unicast_peer, adverts go to no group")
	default:
		remarks(i.b, i.b.Set("multicast_group", importer.String(a.String()), s.Place), s)
	}
}
