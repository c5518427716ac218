package ipvsadm

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A service is a row of the table with its real servers, and what it was made of.
type service struct {
	key     ipvsctl.ServiceKey
	config  ipvsctl.Service
	servers []*server
	by      map[ipvsctl.DestinationKey]*server
	from    []importer.Place
	comment []string
}

// A server is a row of a real server.
type server struct {
	key     ipvsctl.DestinationKey
	dest    ipvsctl.Destination
	from    []importer.Place
	comment []string
}

func (s *service) learn(c command) {
	s.from, s.comment = append(s.from, c.Place), append(s.comment, c.comment...)
}

func (s *service) add(d *server) {
	s.servers, s.by[d.key] = append(s.servers, d), d
}

func (s *service) remove(d *server) {
	delete(s.by, d.key)
	s.servers = slices.DeleteFunc(s.servers, func(o *server) bool { return o == d })
}

// name is the label of the block: "10.0.0.1:80", "10.0.0.1:53-udp", "fwmark-7".
func (s *service) name() string {
	if s.key.Mark != 0 {
		name := "fwmark-" + strconv.FormatUint(uint64(s.key.Mark), 10)
		if s.key.Addr.Is6() {
			name += "-ipv6"
		}
		return name
	}
	name := netip.AddrPortFrom(s.key.Addr, s.key.Port).String()
	if s.key.Protocol != ipvsctl.TCP {
		name += "-" + s.key.Protocol.String()
	}
	return name
}

// block makes a virtual_service.
func (s *service) block() *importer.Block {
	b := importer.NewBlock("virtual_service", s.name()).Of(s.from...).Note(s.comment...)
	if s.key.Mark != 0 {
		b.Set("firewall_mark", importer.Number(s.key.Mark))
		if s.key.Addr.Is6() {
			b.Set("family", importer.String("ipv6"))
		}
	} else {
		b.Set("address", importer.String(s.key.Addr.String()))
		b.Set("port", importer.Number(s.key.Port))
		b.Set("protocol", importer.String(s.key.Protocol.String()))
	}
	b.Set("scheduler", importer.String(s.config.Scheduler))
	if flags := s.flags(); len(flags) > 0 {
		b.Set("scheduler_flags", importer.Strings(flags...))
	}
	b.Set("one_packet", importer.Bool(s.config.Flags&ipvsctl.OnePacket != 0))
	s.persistence(b)
	forward := s.forward()
	b.Set("forward", importer.String(forward.String()))
	b.Block("check", "none")
	seen := map[netip.Addr]bool{}
	for _, d := range s.servers {
		d.write(s, b, forward, seen[d.key.Addr])
		seen[d.key.Addr] = true
	}
	return b
}

// flags are the names of the scheduler's flags.
func (s *service) flags() (names []string) {
	words := [...]string{"flag-1", "flag-2", "flag-3"}
	if s.config.Scheduler == "sh" || s.config.Scheduler == "mh" {
		words = [...]string{"fallback", "port", "flag-3"}
	}
	for i, f := range [...]ipvsctl.Flags{ipvsctl.Sched1, ipvsctl.Sched2, ipvsctl.Sched3} {
		if s.config.Flags&f != 0 {
			names = append(names, words[i])
		}
	}
	return names
}

// persistence adds a block persistence, if clients stay with their servers.
func (s *service) persistence(b *importer.Block) {
	if s.config.Flags&ipvsctl.Persistent == 0 {
		return
	}
	p := b.Block("persistence")
	p.Set("timeout", importer.Duration(time.Duration(s.config.Timeout)*time.Second))
	if whole := uint8(s.key.Addr.BitLen()); s.config.Netmask != whole && s.config.Netmask != ipvsctl.NotAPrefix {
		p.Set("netmask", importer.String(strconv.Itoa(int(s.config.Netmask))))
	}
	if s.config.Engine != "" {
		p.Set("engine", importer.String(s.config.Engine))
	}
}

// forward is the forwarding method of most real servers, and direct routing where there are none.
func (s *service) forward() (most ipvsctl.Forward) {
	count := map[ipvsctl.Forward]int{}
	most = ipvsctl.Direct
	for _, d := range s.servers {
		if count[d.dest.Forward]++; count[d.dest.Forward] > count[most] {
			most = d.dest.Forward
		}
	}
	return most
}

// write adds a block real_server. The address is its name, but for a second one of it.
func (d *server) write(s *service, b *importer.Block, forward ipvsctl.Forward, again bool) {
	label := d.key.Addr.String()
	if again {
		label = netip.AddrPortFrom(d.key.Addr, d.key.Port).String()
	}
	r := b.Block("real_server", label).Of(d.from...).Note(d.comment...)
	if again {
		r.Set("address", importer.String(d.key.Addr.String()))
	}
	if d.key.Port != 0 && d.key.Port != s.key.Port && d.dest.Forward == ipvsctl.NAT {
		r.Set("port", importer.Number(d.key.Port))
	}
	r.Set("weight", importer.Number(d.dest.Weight))
	if d.dest.Forward != forward {
		r.Set("forward", importer.String(d.dest.Forward.String()))
	}
	r.Set("upper_threshold", importer.Number(d.dest.Upper))
	if d.dest.Lower <= d.dest.Upper {
		r.Set("lower_threshold", importer.Number(d.dest.Lower))
	}
	d.tunnel(r)
}

// tunnel adds a block tunnel, where packets are not IP in IP.
func (d *server) tunnel(r *importer.Block) {
	types := map[uint8]string{ipvsctl.TunnelGUE: "gue", ipvsctl.TunnelGRE: "gre"}
	if d.dest.Forward != ipvsctl.Tunnel || types[d.dest.TunnelType] == "" {
		return
	}
	t := r.Block("tunnel")
	t.Set("type", importer.String(types[d.dest.TunnelType]))
	if d.dest.TunnelPort != 0 {
		t.Set("port", importer.Number(d.dest.TunnelPort))
	}
	switch {
	case d.dest.TunnelFlags&ipvsctl.TunnelRemoteChecksum != 0:
		t.Set("checksum", importer.String("remote"))
	case d.dest.TunnelFlags&ipvsctl.TunnelChecksum != 0:
		t.Set("checksum", importer.String("plain"))
	}
}
