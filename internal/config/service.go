package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
)

// schedulers are the kernel's, by the names of their modules (ip_vs_wlc …).
var schedulers = words("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos")

// schedulerFlags are the flags by scheduler (see ipvsadm's sched-flags).
var schedulerFlags = map[string]map[string]ipvsctl.Flags{
	"sh": {"fallback": ipvsctl.Sched1, "port": ipvsctl.Sched2},
	"mh": {"fallback": ipvsctl.Sched1, "port": ipvsctl.Sched2},
}

// maxPersistence is ipvsadm's bound on a persistence timeout.
const maxPersistence = 31 * 24 * time.Hour

// A service is a virtual service while it is read.
type service struct {
	route
	packets
	scheduler   string
	flags       []block.Item
	onePacket   bool
	drain       time.Duration
	persistence persistence
	policy      Policy
}

var serviceTable = block.NewTable("virtual_service", func() []block.Entry[service] {
	return slices.Concat(packetOptions((*service).which), []block.Entry[service]{
		block.Choice("scheduler", "The kernel scheduler that chooses a server for each new connection. rr, lc and dh treat all weights above 0 alike. While a reload changes it, the kernel refuses new clients for some milliseconds.",
			"wlc", schedulers, func(s *service) *string { return &s.scheduler }),
		block.List("scheduler_flags", "Flags of the scheduler. sh and mh have \"fallback\" (choose another server if the first choice is down) and \"port\" (take the client's port into account, too); other schedulers have \"flag-1\" to \"flag-3\".",
			func(s *service) *[]block.Item { return &s.flags }).Unless("none"),
		forwardOption("The forwarding method: how packets reach the servers. There is no default, because the servers must be prepared for the method and other programs have different defaults.", (*service).self).Required(`forward = "nat" (or "direct", "tunnel"; the servers must be prepared for it)`),
		tunnelOption("How packets are encapsulated if forward is \"tunnel\". Without this block, they are encapsulated as IP in IP.", (*service).self),
		block.Flag("one_packet", "With UDP: schedule every packet separately, even packets from the same client and port. Set it if one client sends many independent requests, as a DNS resolver may. With NAT, clients get the answers from the servers' own addresses.",
			false, func(s *service) *bool { return &s.onePacket }),
		block.Inner("persistence", "Send all connections of a client to the same server. Without this block, each connection is scheduled separately. Of the first connections of a client, if it opens several at one moment, one may be sent elsewhere and stays there: each processor of the director looks by itself whether the client is known.",
			persistenceTable, func(s *service) *persistence { return &s.persistence }),
		initialOption("Whether a new server gets connections only after its checks have passed (\"check\"), or at once and until they fail (\"up\").", "check", (*service).self),
		onFailureOption("What becomes of a server that is down, and so of its connections. While it has a row, clients that persistence has sent to it are sent there on, unless expire_quiescent_template is set in the ipvs block. See \"Open connections\" in lvsd(8).", "remove", (*service).self),
		block.Duration("drain_timeout", "How long a real server that a reload removes from the service keeps its connections, and one that fails with on_failure = \"drain_timeout\": its row stays, with weight 0, until it has none for some seconds, or this time is over. 0 removes it at once, and with expire_nodest_conn its connections end. A server with weight = 0 keeps its row and its connections for as long as it is in the file.",
			5*time.Minute, 0, 7*24*time.Hour, func(s *service) *time.Duration { return &s.drain }),
		block.Many[service]("check", "A check that a server must pass to be up. If there are several, it must pass all of them, unless they are in a check \"any\". A real_server that has checks of its own is checked by those instead. The default is check \"tcp\" {} for a TCP service with a port, and check \"ping\" {} for any other.",
			checkKinds.Schema(), "kind"),
		block.Many[service]("real_server", "A server that the service is spread over. The label is its address, or any name.", serverTable.Schema(), "name"),
		block.Many[service]("on", "A program that is run when the service or one of its servers has come into a state: \"up\" or \"down\" of each server that has no such blocks of its own, by its checks; \"quorum_lost\" and \"quorum_reached\" of the service: fewer servers than min_healthy take connections, or enough again (without min_healthy: none, or some). One at a time runs for each service, in the order of what has happened; what has not begun when the state of the same server changes again is left out. See \"What hooks of services are told\".",
			serviceHookTable.Schema(), "state"),
		block.Many[service]("fallback", "A destination that is used while no real server with a weight above 0 is up, such as a web server with an apology page. It is not checked unless it has checks of its own. There may be several, which share the connections, those that are up: they are kept in the table then, with weight 0, as the servers of a last tier.",
			fallbackTable.Schema()),
	}, policyOptions(func(s *service) *Policy { return &s.policy }))
})

type persistence struct {
	timeout time.Duration
	netmask string
	engine  string
}

var persistenceTable = block.NewTable("persistence", func() []block.Entry[persistence] {
	return []block.Entry[persistence]{
		block.Duration("timeout", "How long a client is remembered after its last connection, in whole seconds.",
			5*time.Minute, time.Second, maxPersistence, func(p *persistence) *time.Duration { return &p.timeout }).Within("1s to 31 days"),
		block.Text("netmask", "Treat all clients in a network of this prefix length as one client, such as clients behind several proxies. \"255.255.255.0\" means 24.",
			"", block.Verbatim, func(p *persistence) *string { return &p.netmask }).Within("1 to 32, with IPv6 1 to 128").Unless("the whole address"),
		block.Choice("engine", "The persistence engine, if clients are not told apart by their address. With \"sip\" (SIP over UDP), they are told apart by the Call-ID.",
			"", words("sip"), func(p *persistence) *string { return &p.engine }).Unless("none"),
	}
})

func readService(b *block.Body, d *defaults) Service {
	b.CheckName(0)
	claim(b, serviceName, strconv.Quote(b.Labels[0]), b.Head)
	r := serviceTable.Read(b)
	i := r.identity(b)
	i.claim(b)
	s := Service{Name: b.Labels[0], Key: i.key, More: i.more, Packets: i.selection, SourceNAT: i.source, Source: sourceOf(b.Head), DrainTimeout: r.drain}
	s.Service = r.kernel(b, &i)
	g := newGroup(b, &i, r.route, d)
	g.drain = r.drain
	count, fallbacks := b.Count("real_server"), b.Count("fallback")
	claim(b, realServers, strconv.Itoa((count+fallbacks)*(1+len(i.more))), b.Head)
	s.Servers = make([]Server, 0, count+fallbacks)
	for inner := range b.Blocks("real_server") {
		if server, ok := g.server(inner); ok {
			s.Servers = append(s.Servers, server)
		}
		s.Hooks = append(s.Hooks, readServiceHooks(inner, Hook{Owner: Owner{Service: s.Name}, Server: inner.Labels[0]})...)
	}
	s.Hooks = append(readServiceHooks(b, Hook{Owner: Owner{Service: s.Name}}), s.Hooks...)
	if count == 0 && b.Clean() {
		b.Doubt(b.Head, "No real server", "A service without real servers refuses every client: add a block such as real_server \"192.168.1.4\" {}.")
	}
	s.Policy = r.policy.compile(b, &s)
	checkWeights(b, &s)
	checkOnePacket(b, &s)
	g.fallbacks(b, &s)
	checkFull(b, &s)
	checkForwarded(b, &s)
	r.checkSource(b, &i, &s)
	if slices.ContainsFunc(s.Servers, s.mixes) || s.Fallback != nil && s.mixes(Server{Key: s.Fallback.Key}) {
		claim(b, mixedService, s.Name, b.Head)
	}
	return s
}

// sourceOf names a place as Service.Source does: "web.hcl:2".
func sourceOf(p block.Place) string {
	p.File = filepath.Base(p.File)
	return p.String()
}

// kernel returns what else the kernel must know of a service.
func (r *service) kernel(b *block.Body, i *identity) ipvsctl.Service {
	s := ipvsctl.Service{Scheduler: r.scheduler, Netmask: uint8(addressBits(i.key.Addr))}
	s.Flags = r.schedulerFlags(b)
	other, connects := i.connects()
	if r.onePacket {
		s.Flags |= ipvsctl.OnePacket
		if connects {
			b.Mistake(b.At("one_packet"), "One-packet scheduling without UDP", "one_packet schedules every packet separately, which breaks connections of %v: remove it, or set protocol = \"udp\".", other)
		}
	}
	if s.Scheduler == "ovf" && !connects && i.first.Protocol == ipvsctl.UDP {
		b.Doubt(b.At("scheduler"), "Scheduler without effect", "ovf counts active connections, and UDP has none: every packet goes to the server with the highest weight.")
	}
	if inner, given := b.Block("persistence"); given {
		r.persistence.apply(inner, i, &s)
	}
	return s
}

func (r *service) schedulerFlags(b *block.Body) (flags ipvsctl.Flags) {
	known := map[string]ipvsctl.Flags{"flag-1": ipvsctl.Sched1, "flag-2": ipvsctl.Sched2, "flag-3": ipvsctl.Sched3}
	words := []string{"flag-1", "flag-2", "flag-3"}
	if named := schedulerFlags[r.scheduler]; named != nil {
		known, words = named, []string{"fallback", "port"}
	}
	if b.Refused("scheduler") {
		return 0
	}
	for _, it := range r.flags {
		f, ok := known[it.Text]
		if !ok {
			b.UnknownWord(it.At, "flag of scheduler "+r.scheduler+":", it.Text, words)
		}
		flags |= f
	}
	return flags
}

func (p *persistence) apply(b *block.Body, i *identity, s *ipvsctl.Service) {
	s.Flags |= ipvsctl.Persistent
	if p.timeout%time.Second != 0 {
		b.Mistake(b.At("timeout"), "Invalid timeout", "The kernel counts persistence in whole seconds, but this is %s: round it.", block.Short(p.timeout))
	}
	s.Timeout = uint32(p.timeout / time.Second)
	if p.netmask != "" && i.key.Addr.IsValid() {
		s.Netmask = p.maskLength(b, addressBits(i.key.Addr))
	}
	s.Engine = p.engine
	if _, connects := i.connects(); s.Engine == "sip" && (connects || i.first.Mark != 0) {
		b.Mistake(b.At("engine"), "Engine without UDP", "The engine \"sip\" reads SIP over UDP only: set protocol = \"udp\", or remove engine.")
	}
}

// maskLength returns the prefix length by which clients are grouped, which is
// written as a number or as "255.255.255.0".
func (p *persistence) maskLength(b *block.Body, bits int) uint8 {
	n, err := strconv.Atoi(p.netmask)
	if mask, e := netip.ParseAddr(p.netmask); e == nil && mask.Is4() && bits == 32 {
		n, err = maskBits(mask), nil
	}
	if err != nil || n < 1 || n > bits {
		b.Mistake(b.At("netmask"), "Invalid netmask", "%q: write the prefix length by which clients are grouped, from 1 to %d.", p.netmask, bits)
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

// checkFull warns where a fallback waits in vain for the servers to be full.
func checkFull(b *block.Body, s *Service) {
	unlimited := slices.IndexFunc(s.Servers, func(srv Server) bool { return srv.Destination.Upper == 0 && srv.Destination.Weight > 0 })
	if s.Fallback == nil || !s.Fallback.WhenFull || unlimited < 0 {
		return
	}
	inner, _ := b.Block("fallback")
	b.Doubt(inner.At("when_full"), "Option without effect", "The servers can never all be full, since %q has no upper_threshold.", s.Servers[unlimited].Name)
}

// answered are ports of UDP at which clients wait for answers, unlike that of syslog: DNS,
// NTP, SNMP, RADIUS and SIP.
var answered = []uint16{53, 123, 161, 1812, 1813, 5060}

// checkOnePacket warns where the kernel forgets whose answers a server's are. The engine
// "sip" has it remember.
func checkOnePacket(b *block.Body, s *Service) {
	if s.Service.Flags&ipvsctl.OnePacket == 0 || s.Service.Engine != "" || s.Key.Protocol != ipvsctl.UDP || !slices.Contains(answered, s.Key.Port) {
		return
	}
	if slices.ContainsFunc(s.Servers, func(srv Server) bool { return srv.Destination.Forward == ipvsctl.NAT }) {
		b.Doubt(b.At("one_packet"), "One-packet scheduling with NAT",
			"The kernel forgets each packet as soon as it is forwarded, so with NAT the answers reach clients from the server's own address, and most ignore them: use forward = \"direct\" or \"tunnel\", or remove one_packet.")
	}
}

// checkWeights warns where a scheduler does not look at the weights that are
// given.
func checkWeights(b *block.Body, s *Service) {
	if !slices.Contains(unweighted, s.Service.Scheduler) {
		return
	}
	for _, server := range s.Servers {
		if server.Destination.Weight > 1 {
			b.Doubt(b.At("scheduler"), "Weights without effect",
				"The scheduler %s treats every weight above 0 alike, and %s has %d: use %q.", s.Service.Scheduler,
				server.Name, server.Destination.Weight, strings.Replace("w"+s.Service.Scheduler, "wdh", "sh", 1))
			return
		}
	}
}
