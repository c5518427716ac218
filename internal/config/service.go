package config

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/ipvsctl"
)

// schedulers are the kernel's, by the names of their modules (ip_vs_wlc …).
var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos"}

// unweighted are the schedulers that look at a weight only to see whether it
// is zero.
var unweighted = []string{"rr", "lc", "dh"}

var (
	protocols = map[string]ipvsctl.Protocol{"tcp": ipvsctl.TCP, "udp": ipvsctl.UDP, "sctp": ipvsctl.SCTP}
	forwards  = map[string]ipvsctl.Forward{"nat": ipvsctl.NAT, "direct": ipvsctl.Direct, "tunnel": ipvsctl.Tunnel}
	// schedulerFlags are the flags by scheduler (see ipvsadm's sched-flags).
	schedulerFlags = map[string]map[string]ipvsctl.Flags{
		"sh": {"fallback": ipvsctl.Sched1, "port": ipvsctl.Sched2},
		"mh": {"fallback": ipvsctl.Sched1, "port": ipvsctl.Sched2},
	}
)

// maxPersistence is ipvsadm's bound on a persistence timeout.
const maxPersistence = 31 * 24 * time.Hour

func (d *decoder) service(r *rawService) {
	d.checkName(r.Name, r.Range)
	d.claim(serviceName, strconv.Quote(r.Name), r.Range)
	s := Service{
		Name:   r.Name,
		Key:    d.serviceKey(r),
		Source: sourceOf(r.Range.Filename, r.Range.Start.Line),
	}
	if s.Key.Addr.IsValid() && !d.refused(r.Port) && !d.refused(r.FirewallMark) && (s.Key.Mark != 0 || s.Key.Protocol != 0) {
		d.claim(serviceKey, s.Key.String(), r.Range)
	}
	s.Service = d.scheduling(r, s.Key)
	d.require(r.Forward, r.Range, "forward", `forward = "nat" (or "direct", "tunnel"; the servers must be prepared for it)`)
	group := d.group(r, s.Key)
	s.Servers = make([]Server, 0, len(r.Servers))
	for i := range r.Servers {
		if server, ok := d.server(&r.Servers[i], group); ok {
			s.Servers = append(s.Servers, server)
		}
	}
	if len(r.Servers) == 0 && len(d.diags) == 0 {
		d.doubt(r.Range, "No real server", "A service without real servers refuses every client: add a block such as real_server \"192.168.1.4\" {}.")
	}
	if r.Fallback != nil {
		s.Fallback = d.fallback(r.Fallback, group)
	}
	d.weights(r, &s)
	d.services = append(d.services, s)
}

// serviceKey reads what a packet must carry to belong to the service: an
// address, protocol and port, or a firewall mark.
func (d *decoder) serviceKey(r *rawService) ipvsctl.ServiceKey {
	if r.FirewallMark != nil {
		return d.markKey(r)
	}
	if r.Family != nil {
		d.mistake(r.Family.NameRange, "Unused family", "family belongs to firewall_mark: an address tells its family itself.")
	}
	d.require(r.Address, r.Range, "address", `address = "10.13.0.200" (or firewall_mark = 7)`)
	d.require(r.Port, r.Range, "port", `port = 80`)
	key := ipvsctl.ServiceKey{Protocol: protocols[d.choice(r.Protocol, "tcp", "tcp", "udp", "sctp")]}
	if d.refused(r.Protocol) {
		key.Protocol = 0
	}
	addr, ok := d.address(r.Address)
	if ok && d.usable(addr, r.Address.Expr.Range()) {
		key.Addr = addr
		d.claim(serviceAddress, addr.String(), r.Address.Expr.Range())
	}
	port, ok := d.number(r.Port, 0, math.MaxUint16)
	key.Port = uint16(port)
	if ok && port == 0 && r.Persistence == nil {
		d.mistake(r.Port.Expr.Range(), "Port 0 without persistence", "Port 0 stands for every port, and the kernel balances those only with a persistence block: add persistence {}, or write the port.")
	}
	return key
}

// markKey reads a service by firewall mark.
func (d *decoder) markKey(r *rawService) ipvsctl.ServiceKey {
	for _, a := range []*hcl.Attribute{r.Address, r.Port, r.Protocol} {
		if a != nil {
			d.mistake(a.NameRange, "Unused "+a.Name, "firewall_mark stands in the place of address, port and protocol: remove one or the other.")
		}
	}
	mark, _ := d.number(r.FirewallMark, 1, math.MaxUint32)
	key := ipvsctl.ServiceKey{Mark: uint32(mark), Addr: netip.IPv4Unspecified()}
	if d.choice(r.Family, "ipv4", "ipv4", "ipv6") == "ipv6" {
		key.Addr = netip.IPv6Unspecified()
	}
	if d.refused(r.Family) {
		key.Addr = netip.Addr{}
	}
	return key
}

// scheduling reads what else the kernel must know of a service.
func (d *decoder) scheduling(r *rawService, key ipvsctl.ServiceKey) ipvsctl.Service {
	s := ipvsctl.Service{Scheduler: d.choice(r.Scheduler, "wlc", schedulers...), Netmask: uint8(addressBits(key.Addr))}
	s.Flags = d.flagsOf(r, s.Scheduler)
	if d.flag(r.OnePacket, false) {
		s.Flags |= ipvsctl.OnePacket
		if key.Protocol != ipvsctl.UDP && key.Protocol != 0 {
			d.mistake(r.OnePacket.Expr.Range(), "One-packet scheduling without UDP", "one_packet schedules every packet by itself, which %v can't bear: remove it, or set protocol = \"udp\".", key.Protocol)
		}
	}
	if s.Scheduler == "ovf" && key.Protocol == ipvsctl.UDP {
		d.doubt(place(r.Scheduler, r.Range), "Scheduler without effect", "ovf counts active connections, and UDP has none: every packet goes to the server of highest weight.")
	}
	if r.Persistence != nil {
		d.persistence(r.Persistence, key, &s)
	}
	return s
}

func (d *decoder) flagsOf(r *rawService, scheduler string) (flags ipvsctl.Flags) {
	known := map[string]ipvsctl.Flags{"flag-1": ipvsctl.Sched1, "flag-2": ipvsctl.Sched2, "flag-3": ipvsctl.Sched3}
	words := []string{"flag-1", "flag-2", "flag-3"}
	if named := schedulerFlags[scheduler]; named != nil {
		known, words = named, []string{"fallback", "port"}
	}
	items, _ := d.texts(r.SchedulerFlags)
	if d.refused(r.Scheduler) {
		return 0
	}
	for _, it := range items {
		f, ok := known[it.text]
		if !ok {
			d.unknown(it.at, "flag of scheduler "+scheduler+":", it.text, words)
		}
		flags |= f
	}
	return flags
}

func (d *decoder) persistence(r *rawPersistence, key ipvsctl.ServiceKey, s *ipvsctl.Service) {
	s.Flags |= ipvsctl.Persistent
	timeout := d.duration(r.Timeout, 5*time.Minute, time.Second, maxPersistence)
	if timeout%time.Second != 0 {
		d.mistake(place(r.Timeout, r.Range), "Invalid timeout", "The kernel counts persistence in whole seconds, and this is %s: round it.", short(timeout))
	}
	s.Timeout = uint32(timeout / time.Second)
	s.Netmask = d.netmask(r.Netmask, key.Addr)
	if r.Engine == nil {
		return
	}
	s.Engine = d.choice(r.Engine, "", "sip")
	if refused := key.Protocol == 0 && key.Mark == 0; s.Engine == "sip" && key.Protocol != ipvsctl.UDP && !refused {
		d.mistake(r.Engine.Expr.Range(), "Engine without UDP", "The engine \"sip\" reads SIP over UDP only: set protocol = \"udp\", or remove engine.")
	}
}

// netmask reads the prefix length by which clients are grouped, as a number or
// as "255.255.255.0".
func (d *decoder) netmask(a *hcl.Attribute, family netip.Addr) uint8 {
	bits := addressBits(family)
	s, ok := d.text(a)
	if !ok || !family.IsValid() {
		return uint8(bits)
	}
	n, err := strconv.Atoi(s)
	if mask, e := netip.ParseAddr(s); e == nil && mask.Is4() && bits == 32 {
		n, err = maskBits(mask), nil
	}
	if err != nil || n < 1 || n > bits {
		d.mistake(a.Expr.Range(), "Invalid netmask", "%q: write the prefix length by which clients are grouped, from 1 to %d.", s, bits)
		return uint8(bits)
	}
	return uint8(n)
}

// maskBits returns the prefix length of an IPv4 netmask, or 0 where it is none.
func maskBits(mask netip.Addr) int {
	for n := 1; n <= 32; n++ {
		p, _ := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(n)
		if p.Addr() == mask {
			return n
		}
	}
	return 0
}

// addressBits returns 128 for IPv6 and 32 otherwise.
func addressBits(a netip.Addr) int {
	if a.Is6() {
		return 128
	}
	return 32
}

// weights warns where a scheduler does not look at the weights that are given.
func (d *decoder) weights(r *rawService, s *Service) {
	if !slices.Contains(unweighted, s.Service.Scheduler) {
		return
	}
	for _, server := range s.Servers {
		if server.Destination.Weight > 1 {
			d.doubt(place(r.Scheduler, r.Range), "Weights without effect",
				"The scheduler %s treats every weight above 0 alike, and %s has %d: use %q.", s.Service.Scheduler,
				server.Name, server.Destination.Weight, strings.Replace("w"+s.Service.Scheduler, "wdh", "sh", 1))
			return
		}
	}
}
