package keepalived

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A drawing is an outline on its way.
type drawing struct {
	*walk
	lvs     *lvs
	globals []*Statement
	out     importer.Outline
}

// virtual adds a virtual server: a service of the kernel's for each address, or one for all
// by nftables.
func (d *drawing) virtual(v *virtualServer) {
	all := []entry{{s: v.head, first: v.addr, last: v.addr, port: v.port, mark: v.mark}}
	if v.group != "" {
		g := d.lvs.groups[v.group]
		if g == nil {
			return
		}
		all = g.entries
	}
	for _, b := range batches(all) {
		d.batch(v, b)
	}
}

var protocols = map[string]ipvsctl.Protocol{"tcp": ipvsctl.TCP, "udp": ipvsctl.UDP, "sctp": ipvsctl.SCTP}

// keyOf is the kernel's key of an address.
func (v *virtualServer) keyOf(e entry, a netip.Addr) ipvsctl.ServiceKey {
	switch {
	case e.mark != 0 && v.six(e):
		return ipvsctl.ServiceKey{Mark: e.mark, Addr: netip.IPv6Unspecified()}
	case e.mark != 0:
		return ipvsctl.ServiceKey{Mark: e.mark, Addr: netip.IPv4Unspecified()}
	}
	return ipvsctl.ServiceKey{Protocol: protocols[v.protocol.orValue("udp")], Addr: a, Port: e.port}
}

// batch adds what lines of a group with one port are.
func (d *drawing) batch(v *virtualServer, b batch) {
	first := b.entries[0]
	key := v.keyOf(first, first.first)
	name := key.String()
	if b.size() > 1 {
		name = v.selected(b)
	}
	d.checks(v, b, name)
	switch {
	case b.size() == 1:
		d.rows(v, first, "", key)
	case d.lvs.nftables.given: // The mark's service has no port.
		first.port, key.Port = 0, 0
		d.rows(v, first, name, key)
	case b.size() > maxAlone:
		d.rows(v, first, name+", each alone", key)
	default:
		for _, e := range b.entries {
			for a := e.first; a.Compare(e.last) <= 0; a = a.Next() {
				d.rows(v, e, "", v.keyOf(e, a))
			}
		}
	}
}

// selected are the packets of several addresses.
func (v *virtualServer) selected(b batch) string {
	var all []ipvsctl.AddressRange
	for _, e := range b.entries {
		all = append(all, ipvsctl.AddressRange{First: e.first, Last: e.last})
	}
	var ports []ipvsctl.PortRange
	if p := b.entries[0].port; p != 0 {
		ports = append(ports, ipvsctl.PortRange{First: p, Last: p})
	}
	s := ipvsctl.Select(all, []ipvsctl.Protocol{protocols[v.protocol.orValue("udp")]}, ports)
	return s.String()
}

// rows adds a service of the kernel's with its servers.
func (d *drawing) rows(v *virtualServer, e entry, name string, key ipvsctl.ServiceKey) {
	d.out.Service(e.s.Place, name, key, v.kernel(e))
	seen := map[netip.AddrPort]bool{}
	for _, r := range v.servers {
		m := r.method.or(v.method)
		at := e.destination(r.addr, r.port, m)
		if seen[at] {
			continue
		}
		seen[at] = true
		row := m.orValue(method{forward: "nat"}).destination()
		row.Weight, row.Upper, row.Lower = uint32(r.weight.or(v.weight).orValue(1)), uint32(r.upper.value), uint32(r.lower.value)
		d.out.Server(r.head.Place, name, key, ipvsctl.DestinationKey{Addr: at.Addr(), Port: at.Port()}, row)
	}
	if s := v.sorry; s != nil {
		m := s.method.or(v.method)
		at := e.destination(s.addr, s.port, m)
		to := ipvsctl.DestinationKey{Addr: at.Addr(), Port: at.Port()}
		row := m.orValue(method{forward: "nat"}).destination()
		d.out.Fallback(s.head.Place, name, key, to, row)
		if s.inhibit.given {
			d.out.Server(s.head.Place, name, key, to, row)
		}
	}
}

// destination is a row of the kernel's with a forwarding method.
func (m method) destination() ipvsctl.Destination {
	return ipvsctl.Destination{
		Forward:     map[string]ipvsctl.Forward{"nat": ipvsctl.NAT, "direct": ipvsctl.Direct, "tunnel": ipvsctl.Tunnel}[m.forward],
		TunnelType:  map[string]uint8{"gue": ipvsctl.TunnelGUE, "gre": ipvsctl.TunnelGRE}[m.tunnel],
		TunnelPort:  m.port,
		TunnelFlags: map[string]uint16{"plain": ipvsctl.TunnelChecksum, "remote": ipvsctl.TunnelRemoteChecksum}[m.checksum],
	}
}

// kernel is what else the kernel knows of a service.
func (v *virtualServer) kernel(e entry) ipvsctl.Service {
	bits := map[bool]uint8{false: 32, true: 128}[v.six(e)]
	s := ipvsctl.Service{Scheduler: v.scheduler.orValue("wlc"), Netmask: bits}
	named := map[string]ipvsctl.Flags{"flag-1": ipvsctl.Sched1, "flag-2": ipvsctl.Sched2, "flag-3": ipvsctl.Sched3,
		"sh-fallback": ipvsctl.Sched1, "mh-fallback": ipvsctl.Sched1, "sh-port": ipvsctl.Sched2, "mh-port": ipvsctl.Sched2}
	for _, f := range v.flags {
		s.Flags |= named[f.value]
	}
	if v.onePacket.given && (e.mark != 0 || v.protocol.orValue("udp") == "udp") {
		s.Flags |= ipvsctl.OnePacket
	}
	if !v.persistence.given && !v.netmask.given && (e.mark != 0 || e.port != 0) {
		return s
	}
	s.Flags |= ipvsctl.Persistent
	s.Timeout = uint32(v.persistence.orValue(defaultPersistence*time.Second) / time.Second)
	s.Engine = v.engine.value
	if netmask(v.netmask.value, v.six(e)) {
		s.Netmask = maskBits(v.netmask.value)
	}
	return s
}

// maskBits is the length of a mask that is a prefix.
func maskBits(text string) (bits uint8) {
	if n, err := strconv.ParseUint(text, 10, 8); err == nil {
		return uint8(n)
	}
	for part := range strings.SplitSeq(text, ".") {
		n, _ := strconv.ParseUint(part, 10, 8)
		for ; n > 0; n = n << 1 & 0xff {
			bits++
		}
	}
	return bits
}

// checks adds the checks of all servers of a service.
func (d *drawing) checks(v *virtualServer, b batch, service string) {
	seen := map[netip.AddrPort]bool{}
	for _, r := range v.servers {
		at := b.entries[0].destination(r.addr, r.port, r.method.or(v.method))
		if seen[at] {
			continue
		}
		seen[at] = true
		var all []importer.Probe
		for _, c := range r.checks {
			for _, p := range append(probes(v, r, c), d.fileProbes(c)...) {
				p.Service, p.Server = service, importer.ServerName(at.Addr(), at.Port(), b.entries[0].port)
				all = append(all, p)
			}
		}
		d.out.Checks(all)
	}
}

// kindWords are lvsd's words for keepalived's checks.
var kindWords = map[string]string{"TCP_CHECK": "tcp", "PING_CHECK": "ping", "HTTP_GET": "http", "SSL_GET": "https", "SMTP_CHECK": "smtp", "DNS_CHECK": "dns", "UDP_CHECK": "udp", "MISC_CHECK": "exec"}

// probes are what keepalived does for a check: one for each page, and for each host of an
// SMTP_CHECK.
func probes(v *virtualServer, r *realServer, c *checker) (all []importer.Probe) {
	kind := c.head.Words[0]
	if kindWords[kind] == "" || kind == "MISC_CHECK" && len(c.program.value.run) == 0 {
		return nil
	}
	one := func(c *checker) importer.Probe {
		y, _ := rhythmOf(v, r, c)
		n := time.Duration(min(y.retry, maxFall))
		p := importer.Probe{Place: c.head.Place, Kind: kindWords[kind], Every: y.loop, Refused: n * y.delay, Silent: y.silence()}
		if kind == "UDP_CHECK" && !c.reply.orValue(false) {
			p.Silent = 0
		}
		switch a := c.addr.orValue(r.addr); {
		case kind == "PING_CHECK":
			p.Asked = a.String()
		case kind != "MISC_CHECK":
			p.Asked = netip.AddrPortFrom(a, uint16(c.port.orValue(uint64(r.port)))).String()
		}
		return p
	}
	switch kind {
	case "HTTP_GET", "SSL_GET":
		for _, u := range c.urls {
			p := one(c)
			p.Every *= time.Duration(len(c.urls)) // It asks for one page at a time.
			u.details(v, r, c, &p)
			all = append(all, p)
		}
		return all
	case "SMTP_CHECK":
		for _, h := range c.hosts {
			of := *c
			of.addr, of.port, of.timeout = h.addr, h.port, h.timeout
			all = append(all, one(&of))
		}
		if len(all) > 0 && !slices.Contains([]bool{c.addr.given, c.port.given, c.source.given, c.bindPort.given, c.iface.given, c.mark.given, c.timeout.given}, true) {
			return all
		}
	}
	p := one(c)
	switch kind {
	case "DNS_CHECK":
		p.Detail("name", c.name.orValue("."))
		p.Detail("type", c.kind.orValue("SOA"))
	case "MISC_CHECK":
		p.Detail("runs", strings.Join(c.program.value.run, " "))
	case "UDP_CHECK":
		if !c.reply.given { // It waits for an answer that would say no.
			p.Every += c.timeout.or(r.timeout).or(v.timeout).orValue(defaultTimeout)
		}
	}
	return append([]importer.Probe{p}, all...)
}

// fileProbes is what keepalived does for a FILE_CHECK, if the number decides: the file is watched.
func (d *drawing) fileProbes(c *checker) []importer.Probe {
	f := d.lvs.files[c.file.value]
	if !c.head.Is("FILE_CHECK") || f == nil || !f.decides(c) {
		return nil
	}
	p := importer.Probe{Place: c.head.Place, Kind: "exec", Every: time.Second, Silent: 10 * time.Second}
	p.Detail("runs", strings.Join(f.program(c.weight.or(f.weight).value.reverse), " "))
	return []importer.Probe{p}
}

// details are what is asked, and what must come.
func (u *url) details(v *virtualServer, r *realServer, c *checker, p *importer.Probe) {
	p.Detail("path", rooted(u.path.value))
	p.Detail("host", u.host.or(c.host).or(r.host).or(v.host).value)
	var codes []string
	for _, s := range u.status {
		codes = append(codes, s.value)
	}
	p.Detail("status", cmp.Or(strings.Join(codes, ","), "200-299"))
	p.Detail("md5", u.digest.value)
	if u.regex.given {
		p.Detail("body", map[bool]string{false: "matches", true: "does not match"}[u.not.given])
	}
}
