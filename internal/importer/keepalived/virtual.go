package keepalived

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

var serverWords = sync.OnceValue(func() table[virtualServer] {
	return table[virtualServer]{
		"ip_family":               choice(map[string]string{"inet": "ipv4", "inet6": "ipv6"}, func(v *virtualServer) *setting[string] { return &v.family }),
		"protocol":                protocol,
		"lb_algo":                 scheduler,
		"lvs_sched":               scheduler,
		"hashed":                  ignored[virtualServer]("it has no effect in keepalived, either"),
		"ops":                     bare(func(v *virtualServer) *setting[bool] { return &v.onePacket }),
		"flag-1":                  schedulerFlag,
		"flag-2":                  schedulerFlag,
		"flag-3":                  schedulerFlag,
		"sh-port":                 schedulerFlag,
		"sh-fallback":             schedulerFlag,
		"mh-port":                 schedulerFlag,
		"mh-fallback":             schedulerFlag,
		"lb_kind":                 forwarding(func(v *virtualServer) *setting[method] { return &v.method }),
		"lvs_method":              forwarding(func(v *virtualServer) *setting[method] { return &v.method }),
		"persistence_timeout":     persistence,
		"persistence_granularity": text(func(v *virtualServer) *setting[string] { return &v.netmask }),
		"persistence_engine":      text(func(v *virtualServer) *setting[string] { return &v.engine }),
		"ha_suspend":              bare(func(v *virtualServer) *setting[bool] { return &v.suspend }),
		"alpha":                   bare(func(v *virtualServer) *setting[bool] { return &v.alpha }),
		"omega":                   bare(func(v *virtualServer) *setting[bool] { return &v.omega }),
		"inhibit_on_failure":      bare(func(v *virtualServer) *setting[bool] { return &v.inhibit }),
		"quorum":                  count(1, math.MaxUint32, func(v *virtualServer) *setting[uint64] { return &v.quorum }),
		"hysteresis":              count(0, math.MaxUint32, func(v *virtualServer) *setting[uint64] { return &v.hysteresis }),
		"quorum_up":               runs(func(v *virtualServer) *setting[program] { return &v.up }),
		"quorum_down":             runs(func(v *virtualServer) *setting[program] { return &v.down }),
		"weight":                  count(1, maxWeight, func(v *virtualServer) *setting[uint64] { return &v.weight }),
		"virtualhost":             text(func(v *virtualServer) *setting[string] { return &v.host }),
		"snmp_name":               text(func(v *virtualServer) *setting[string] { return &v.name }),
		"delay_loop":              timer(func(v *virtualServer) *setting[time.Duration] { return &v.loop }),
		"connect_timeout":         timer(func(v *virtualServer) *setting[time.Duration] { return &v.timeout }),
		"delay_before_retry":      timer(func(v *virtualServer) *setting[time.Duration] { return &v.delay }),
		"retry":                   count(1, math.MaxUint32, func(v *virtualServer) *setting[uint64] { return &v.retry }),
		"warmup":                  ignored[virtualServer](warmup),
		"sorry_server":            sorry,
		"sorry_server_inhibit":    inhibitSorry,
		"sorry_server_lvs_method": sorryMethod,
		"real_server":             readReal,
	}
})

var realWords = sync.OnceValue(func() table[realServer] {
	words := table[realServer]{
		"weight":             count(0, maxWeight, func(r *realServer) *setting[uint64] { return &r.weight }),
		"lvs_method":         forwarding(func(r *realServer) *setting[method] { return &r.method }),
		"uthreshold":         count(0, math.MaxUint32, func(r *realServer) *setting[uint64] { return &r.upper }),
		"lthreshold":         count(0, math.MaxUint32, func(r *realServer) *setting[uint64] { return &r.lower }),
		"inhibit_on_failure": flag(func(r *realServer) *setting[bool] { return &r.inhibit }),
		"notify_up":          runs(func(r *realServer) *setting[program] { return &r.up }),
		"notify_down":        runs(func(r *realServer) *setting[program] { return &r.down }),
		"alpha":              flag(func(r *realServer) *setting[bool] { return &r.alpha }),
		"virtualhost":        text(func(r *realServer) *setting[string] { return &r.host }),
		"snmp_name":          text(func(r *realServer) *setting[string] { return &r.name }),
		"delay_loop":         timer(func(r *realServer) *setting[time.Duration] { return &r.loop }),
		"connect_timeout":    timer(func(r *realServer) *setting[time.Duration] { return &r.timeout }),
		"delay_before_retry": timer(func(r *realServer) *setting[time.Duration] { return &r.delay }),
		"retry":              count(1, math.MaxUint32, func(r *realServer) *setting[uint64] { return &r.retry }),
		"warmup":             ignored[realServer](warmup),
	}
	for _, kind := range []string{"TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "MISC_CHECK", "FILE_CHECK", "BFD_CHECK"} {
		words[kind] = readChecker
	}
	return words
})

// maxWeight and maxPersistence are keepalived's bounds.
const (
	maxWeight      = 65535
	maxPersistence = 31 * 24 * 3600
	// defaultPersistence is how many seconds "persistence_timeout" means alone.
	defaultPersistence = 360
)

// tlsWords are the words of the block SSL, which is for all checks.
var tlsWords = sync.OnceValue(func() table[tlsFiles] {
	return table[tlsFiles]{
		"ca":          text(func(t *tlsFiles) *setting[string] { return &t.ca }),
		"certificate": text(func(t *tlsFiles) *setting[string] { return &t.certificate }),
		"key":         text(func(t *tlsFiles) *setting[string] { return &t.key }),
		"password": func(w *walk, s *Statement, t *tlsFiles) {
			w.loseText(importer.Lost, s, "password", "lvsd reads only keys without a password", "Write the key without it: openssl pkey -in OLD -out NEW, with mode 0640 and group lvsd.")
		},
	}
})

// readVirtual reads a virtual server; nil if keepalived has none either.
func readVirtual(w *walk, s *Statement) *virtualServer {
	v := &virtualServer{head: s}
	var ok bool
	switch s.Arg(1) {
	case "group":
		v.group, ok = s.Arg(2), s.Arg(2) != ""
	case "fwmark":
		n, err := strconv.ParseUint(s.Arg(2), 10, 32)
		v.mark, ok = uint32(n), err == nil && n > 0
	default:
		v.addr, ok = address(s.Arg(1))
		if ok {
			v.port, ok = portOf(s.Arg(2))
		}
	}
	if !ok {
		w.skip(s, "a virtual server has an address and a port, fwmark and a number, or group and a name, and keepalived passes over this block as well")
		return nil
	}
	w.extra(s, 3)
	readBlock(w, s, v, serverWords())
	if len(v.servers) == 0 {
		w.skip(s, "it has no real server that can be used, and keepalived passes over it as well")
		return nil
	}
	return v
}

// readReal reads a real server.
func readReal(w *walk, s *Statement, v *virtualServer) {
	r := &realServer{head: s}
	var ok, known bool
	r.addr, ok = address(s.Arg(1))
	r.port, known = portOf(s.Arg(2))
	if !ok || !known {
		w.skip(s, "a real server has an address and a port, and keepalived passes over this block as well")
		return
	}
	key := netip.AddrPortFrom(r.addr, r.port)
	if first := v.at[key]; first != nil {
		w.skip(s, "the same real server is already at line "+strconv.Itoa(first.head.Line)+", and keepalived has it once as well")
		return
	}
	w.extra(s, 3)
	readBlock(w, s, r, realWords())
	if v.addr.IsValid() && v.addr.Is4() != r.addr.Is4() && r.method.or(v.method).value.forward != "tunnel" {
		w.skip(s, "it has another family than its virtual server, which needs a tunnel, and keepalived passes over it as well")
		return
	}
	v.servers = append(v.servers, r)
	if v.at == nil {
		v.at = make(map[netip.AddrPort]*realServer)
	}
	v.at[key] = r
}

// sorry reads a sorry server.
func sorry(w *walk, s *Statement, v *virtualServer) {
	addr, ok := address(s.Arg(1))
	port, known := portOf(s.Arg(2))
	if !ok || !known {
		w.skip(s, "a sorry server has an address and a port, and keepalived passes over this line as well")
		return
	}
	if v.sorry != nil {
		w.lose(importer.Note, v.sorry.head, "a later sorry_server takes its place, in keepalived as well", "")
	}
	was := v.sorry
	v.sorry = &sorryServer{head: s, addr: addr, port: port}
	if was != nil {
		v.sorry.inhibit.from, v.sorry.method.from = was.inhibit.from, was.method.from
	}
	w.leaf(s, 3)
}

// inhibitSorry and sorryMethod are about the sorry server before them.
func inhibitSorry(w *walk, s *Statement, v *virtualServer) {
	if v.sorry == nil {
		w.skip(s, "no sorry_server stands before it, and keepalived passes over it as well")
		return
	}
	bare(func(o *sorryServer) *setting[bool] { return &o.inhibit })(w, s, v.sorry)
}

func sorryMethod(w *walk, s *Statement, v *virtualServer) {
	if v.sorry == nil {
		w.skip(s, "no sorry_server stands before it, and keepalived passes over it as well")
		return
	}
	forwarding(func(o *sorryServer) *setting[method] { return &o.method })(w, s, v.sorry)
}

// protocol reads a protocol, which may be written in either case.
func protocol(w *walk, s *Statement, v *virtualServer) {
	name := strings.ToLower(s.Arg(1))
	if !slices.Contains([]string{"tcp", "udp", "sctp"}, name) {
		w.refuse(s, "TCP, UDP or SCTP")
		return
	}
	v.protocol.take(s, name)
	w.leaf(s, 2)
}

var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"}

func scheduler(w *walk, s *Statement, v *virtualServer) {
	if !slices.Contains(schedulers, s.Arg(1)) {
		w.refuse(s, "a scheduler of the kernel's")
		return
	}
	v.scheduler.take(s, s.Arg(1))
	w.leaf(s, 2)
}

// schedulerFlag reads a flag, which is known by the word itself.
func schedulerFlag(w *walk, s *Statement, v *virtualServer) {
	prefix, _, _ := strings.Cut(s.Words[0], "-")
	if (prefix == "sh" || prefix == "mh") && v.scheduler.value != prefix {
		w.note(s, "it is for the scheduler "+prefix+", which must stand before it, and keepalived passes over it as well")
		return
	}
	var f setting[string]
	f.take(s, s.Words[0])
	v.flags = append(v.flags, f)
	w.leaf(s, 1)
}

// persistence reads a time in whole seconds, which may be left out.
func persistence(w *walk, s *Statement, v *virtualServer) {
	n := uint64(defaultPersistence)
	if len(s.Words) > 1 {
		var err error
		if n, err = strconv.ParseUint(s.Arg(1), 10, 64); err != nil || n < 1 || n > maxPersistence {
			w.refuse(s, "a number of seconds from 1 to "+strconv.Itoa(maxPersistence))
			return
		}
	}
	v.persistence.take(s, time.Duration(n)*time.Second)
	w.leaf(s, 2)
}
