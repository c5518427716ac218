package ldirectord

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Outline returns what ldirectord makes of a file, by what its words say, and not by what
// Import makes of them.
func Outline(name string, source []byte, o Options) (importer.Outline, error) {
	f, err := parse(name, source)
	if err != nil {
		return nil, err
	}
	d := &drawing{walk: &walk{Options: o, file: f, told: map[importer.Loss]bool{}, names: map[string]bool{}, seen: map[string]*service{}, found: map[asking]*line{}}}
	for _, s := range f.services {
		if err := d.service(s); err != nil {
			return nil, err
		}
	}
	return d.out, nil
}

// A drawing is an outline on its way.
type drawing struct {
	*walk
	out importer.Outline
}

// unknown adds a line of which the address or the port is not known here.
func (d *drawing) unknown(l *line) {
	d.out = append(d.out, importer.Row{Place: l.Place, About: importer.OfTable, Key: l.text, Value: "its address or its port is not known here"})
}

// service adds a service with its servers, and their checks.
func (d *drawing) service(s *service) error {
	c, ok := d.which(s)
	if !ok {
		d.unknown(s.line)
		return nil
	}
	key := c.key()
	d.out.Service(s.Place, "", key, d.kernel(c))
	off := d.of(s, "checktype").is("off", "negotiate")
	seen := map[ipvsctl.DestinationKey]bool{}
	for _, l := range s.all {
		if l.word != "real" && l.word != "real6" || off {
			continue
		}
		list, err := d.real(s, l)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			d.unknown(l)
		}
		for _, r := range list {
			to := ipvsctl.DestinationKey{Addr: r.address, Port: c.own(r)}
			if seen[to] {
				continue
			}
			seen[to] = true
			d.out.Server(l.Place, "", key, to, r.row())
			d.out.Checks(d.probes(c, r))
		}
	}
	f, err := d.fallback(s, c.port)
	if err == nil && f != nil {
		d.out.Fallback(f.Place, "", key, ipvsctl.DestinationKey{Addr: f.address, Port: c.own(f)}, f.row())
	}
	return err
}

// key is the kernel's key of a service.
func (c *checked) key() ipvsctl.ServiceKey {
	switch {
	case c.mark != 0 && c.ipv6:
		return ipvsctl.ServiceKey{Mark: uint32(c.mark), Addr: netip.IPv6Unspecified()}
	case c.mark != 0:
		return ipvsctl.ServiceKey{Mark: uint32(c.mark), Addr: netip.IPv4Unspecified()}
	}
	a, _ := netip.ParseAddr(c.host) // It is one by now.
	return ipvsctl.ServiceKey{Protocol: map[string]ipvsctl.Protocol{"tcp": ipvsctl.TCP, "udp": ipvsctl.UDP}[c.protocol], Addr: a, Port: c.port}
}

// row is a row of the kernel's.
func (r *server) row() ipvsctl.Destination {
	row := ipvsctl.Destination{Forward: map[string]ipvsctl.Forward{"nat": ipvsctl.NAT, "direct": ipvsctl.Direct, "tunnel": ipvsctl.Tunnel}[r.forward], Weight: uint32(r.weight)}
	if r.upper != 0 {
		row.Upper, row.Lower = uint32(r.upper), uint32(r.lower)
	}
	return row
}

// kernel is what else the kernel knows of a service.
func (d *drawing) kernel(c *checked) ipvsctl.Service {
	s := ipvsctl.Service{Scheduler: "wrr", Netmask: map[bool]uint8{false: 32, true: 128}[c.ipv6]}
	if l := d.of(c.service, "scheduler"); l != nil {
		s.Scheduler = l.value
	}
	if l := d.of(c.service, "schedflags"); l != nil {
		flags := map[string]ipvsctl.Flags{"fallback": ipvsctl.Sched1, "port": ipvsctl.Sched2, "flag-1": ipvsctl.Sched1, "flag-2": ipvsctl.Sched2, "flag-3": ipvsctl.Sched3}
		for word := range strings.SplitSeq(l.value, ",") {
			s.Flags |= flags[strings.TrimPrefix(strings.TrimPrefix(word, "sh-"), "mh-")]
		}
	}
	if d.of(c.service, "ops").is("yes", "no") && c.protocol == "udp" {
		s.Flags |= ipvsctl.OnePacket
	}
	if l := d.of(c.service, "persistent"); l != nil {
		seconds, _ := strconv.ParseUint(l.value, 10, 32)
		s.Flags, s.Timeout = s.Flags|ipvsctl.Persistent, uint32(seconds)
		if m := d.of(c.service, "netmask"); m != nil {
			bits, _ := netmask(m.value, c.ipv6)
			s.Netmask = uint8(bits)
		}
	}
	return s
}

// spokenAs are lvsd's words for what ldirectord speaks.
var spokenAs = map[string]string{
	"http": "http", "https": "https", "http_proxy": "http", "smtp": "smtp", "submission": "smtp", "pop": "pop3", "pops": "pop3", "imap": "imap", "imaps": "imap", "ftp": "ftp",
	"nntp": "nntp", "ldap": "ldap", "ldaps": "ldap", "dns": "dns", "sip": "sip", "radius": "radius", "mysql": "mysql", "pgsql": "postgres", "oracle": "oracle",
}

// probes are what ldirectord does to check a server.
func (d *drawing) probes(c *checked, r *server) []importer.Probe {
	kind := "negotiate"
	if l := d.of(c.service, "checktype"); l != nil {
		kind = l.value
	}
	switch kind {
	case "on":
		return nil
	case "ping":
		return []importer.Probe{d.ping(c, r)}
	case "connect":
		return []importer.Probe{d.connection(c, r)}
	case "external", "external-perl":
		return []importer.Probe{d.program(c, r, kind)}
	}
	talk, spoken := d.talk(c, r)
	n, err := strconv.Atoi(kind)
	switch {
	case !spoken:
		return nil
	case err != nil || n == 0:
		return []importer.Probe{talk}
	}
	talk.Every *= time.Duration(min(n, 1<<20) + 1) // It connects so many times in between.
	return []importer.Probe{d.connection(c, r), talk}
}

// begin begins a check of a kind: it waits between the end of one and the next.
func (d *drawing) begin(c *checked, r *server, kind string, negotiates bool) importer.Probe {
	every, limit, fall := d.interval(c.service).time(), d.limit(c.service, negotiates).time(), time.Duration(d.failures(c.service).n)
	return importer.Probe{Place: r.Place, Service: c.key().String(), Server: importer.ServerName(r.address, c.own(r), c.port), Kind: kind,
		Every: every, Refused: (fall - 1) * every, Silent: fall*limit + (fall-1)*every}
}

// asks is a check that asks a port.
func (d *drawing) asks(c *checked, r *server, kind string, negotiates bool) importer.Probe {
	p := d.begin(c, r, kind, negotiates)
	port := r.port
	if l := d.of(c.service, "checkport"); l != nil {
		n, _ := strconv.ParseUint(l.value, 10, 16)
		port = uint16(n)
	} else if port == 0 {
		port = usual(c.kind)
	}
	p.Asked = netip.AddrPortFrom(r.address, port).String()
	return p
}

func (d *drawing) ping(c *checked, r *server) importer.Probe {
	p := d.begin(c, r, "ping", false)
	p.Asked = r.address.String()
	more := time.Duration(choose(1, d.either(c.service, "checkcount")).n - 1)
	p.Silent += more * time.Duration(d.failures(c.service).n) * d.limit(c.service, false).time()
	return p
}

// connection is a check that connects; of UDP, ldirectord asks by ICMP.
func (d *drawing) connection(c *checked, r *server) importer.Probe {
	if c.protocol == "udp" {
		return d.ping(c, r)
	}
	return d.asks(c, r, "tcp", false)
}

// program is a check by a program.
func (d *drawing) program(c *checked, r *server, kind string) importer.Probe {
	p := d.begin(c, r, "exec", false)
	run := "/bin/true"
	if l := d.of(c.service, "checkcommand"); l != nil {
		run = l.value
	}
	if kind == "external-perl" {
		run = "/usr/bin/perl " + run
	}
	p.Detail("runs", strings.Join([]string{run, c.shown(), strconv.Itoa(int(c.port)), r.address.String(), strconv.Itoa(int(r.port))}, " "))
	return p
}

// talk is a check that negotiates; ok is false where nothing is spoken.
func (d *drawing) talk(c *checked, r *server) (p importer.Probe, ok bool) {
	kind := spokenAs[c.kind]
	if c.kind == "simpletcp" {
		kind = c.protocol
	}
	if kind == "" {
		return p, false
	}
	p = d.asks(c, r, kind, c.kind != "ldap" && c.kind != "ldaps" && c.kind != "radius")
	a := d.asked(c.service, r)
	switch c.kind {
	case "http", "https", "http_proxy":
		path, host := a.path(), ""
		if u := a.whole(); u != nil {
			path, host = rooted(u.RequestURI()), u.Host
		}
		if l := d.of(c.service, "virtualhost"); l != nil && c.kind != "http_proxy" {
			host = l.value
		}
		p.Detail("path", path)
		p.Detail("host", host)
		p.Detail("status", "200-299")
		if a.receive != "" {
			p.Detail("body", "matches")
		}
	case "dns":
		name, kind := a.text(), "A"
		if ip, err := netip.ParseAddr(name); err == nil {
			name = reverse(ip)
		}
		if strings.HasSuffix(strings.TrimSuffix(name, "."), ".arpa") {
			kind = "PTR"
		}
		p.Detail("name", cmp.Or(name, "."))
		p.Detail("type", kind)
	}
	return p, true
}
