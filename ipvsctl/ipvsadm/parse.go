package ipvsadm

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"

	"github.com/lvsd/lvsd/ipvsctl"
)

// The bounds and defaults of ipvsadm.
const (
	longestTimeout     = 31 * 86400 // in seconds
	defaultPersistence = 360        // in seconds
	defaultScheduler   = "wlc"
	defaultInterface   = "eth0"
	longestScheduler   = 15 // bytes of a name that the kernel takes
	longestEngine      = 16
	longestInterface   = 15
	longestDatagram    = 65535 - 20 - 8
)

// A parser reads one command line. As in ipvsadm, an option may depend on those before it.
type parser struct {
	names      Names
	cmd        Command
	given      given
	protocol   ipvsctl.Protocol // for names of ports; that of a mark is TCP
	schedFlags string
	tunnel     string
	restoring  bool
}

// Parse reads a command line. The error is an *Error.
func Parse(args []string, names Names) (Command, error) { return parse(args, names, false) }

func parse(args []string, names Names, restoring bool) (Command, error) {
	p := parser{names: names, given: make(given, 0, 8), tunnel: "ipip", restoring: restoring}
	p.cmd.Op.Config.Netmask = 32
	p.cmd.Op.Dest = ipvsctl.Destination{Forward: ipvsctl.Direct, Weight: 1}
	w := words{args: args}
	first, ok, err := w.next()
	if err != nil {
		return p.cmd, &Error{StatusRefused, fmt.Errorf("%w: %w", err, errNoCommand)}
	}
	if !ok || first.verb == "" {
		return p.cmd, &Error{StatusRefused, errNoCommand}
	}
	if err := p.command(first); err != nil || p.cmd.Verb == Help || p.cmd.Verb == Version {
		return p.cmd, err
	}
	w.list = p.cmd.Verb == List
	if err := p.modifiers(&w); err != nil {
		return p.cmd, err
	}
	if err := p.arguments(w.rest); err != nil {
		return p.cmd, err
	}
	if err := goTogether(p.cmd.Verb, p.given); err != nil {
		return p.cmd, err
	}
	return p.cmd, p.finish()
}

// kinds are the operations of the commands that have one.
var kinds = map[Verb]ipvsctl.OpKind{
	AddService: ipvsctl.AddService, EditService: ipvsctl.SetService, DeleteService: ipvsctl.DeleteService,
	AddServer: ipvsctl.AddDestination, EditServer: ipvsctl.SetDestination, DeleteServer: ipvsctl.DeleteDestination,
}

// command begins a command.
func (p *parser) command(first word) error {
	p.cmd.Verb, p.cmd.Op.Kind = first.verb, kinds[first.verb]
	if first.arg == none {
		return nil
	}
	for _, role := range []ipvsctl.SyncRole{ipvsctl.SyncMaster, ipvsctl.SyncBackup} {
		if first.value == role.String() {
			p.cmd.Daemon.Role = role
			return nil
		}
	}
	return mistake("%s %q: write master or backup", first.text, first.value)
}

// modifiers reads the options behind the command.
func (p *parser) modifiers(w *words) error {
	for {
		found, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		if found.verb != "" {
			return mistake("%s is a second command: there can be one, as the first option", found.text)
		}
		if found.name != "" {
			if before := p.given.text(found.name); before != "" {
				return mistake("%s is a second %s, after %s", found.text, strings.ReplaceAll(found.name, "-", " "), before)
			}
			p.given = append(p.given, struct{ name, text string }{found.name, found.text})
		}
		if err := p.modifier(found); err != nil {
			return err
		}
	}
}

// modifier applies one option.
func (p *parser) modifier(w word) error {
	if apply := setters()[w.long]; apply != nil {
		return apply(p, w)
	}
	set, l := &p.cmd.Op.Config, &p.cmd.Listing
	switch w.long {
	case "ops":
		set.Flags |= ipvsctl.OnePacket
	case "gatewaying":
		p.cmd.Op.Dest.Forward = ipvsctl.Direct
	case "ipip":
		p.cmd.Op.Dest.Forward = ipvsctl.Tunnel
	case "masquerading":
		p.cmd.Op.Dest.Forward = ipvsctl.NAT
	case "tun-csum":
		p.cmd.Op.Dest.TunnelFlags |= ipvsctl.TunnelChecksum
	case "tun-remcsum":
		p.cmd.Op.Dest.TunnelFlags |= ipvsctl.TunnelRemoteChecksum
	case "force":
		p.cmd.Force = true
	case "numeric":
		l.Numeric = true
	case "exact":
		l.Exact = true
	case "stats":
		l.Stats = true
	case "rate":
		l.Rate = true
	case "thresholds":
		l.Thresholds = true
	case "persistent-conn":
		l.PersistentConns = true
	case "tun-info":
		l.TunnelInfo = true
	case "nosort":
		l.Unsorted = true
	case "connection":
		l.Subject = Connections
	case "timeout":
		l.Subject = TimeoutValues
	case "daemon":
		l.Subject = SyncDaemons
	}
	return nil
}

// setters read the options with a value, and -6.
var setters = sync.OnceValue(func() map[string]func(*parser, word) error {
	return map[string]func(*parser, word) error{
		"tcp-service":     func(p *parser, w word) error { return p.service(w, ipvsctl.TCP) },
		"udp-service":     func(p *parser, w word) error { return p.service(w, ipvsctl.UDP) },
		"sctp-service":    func(p *parser, w word) error { return p.service(w, ipvsctl.SCTP) },
		"fwmark-service":  (*parser).mark,
		"ipv6":            (*parser).ipv6,
		"scheduler":       func(p *parser, w word) error { return text(&p.cmd.Op.Config.Scheduler, w, longestScheduler) },
		"pe":              func(p *parser, w word) error { return text(&p.cmd.Op.Config.Engine, w, longestEngine) },
		"mcast-interface": func(p *parser, w word) error { return text(&p.cmd.Daemon.Interface, w, longestInterface) },
		"sched-flags":     func(p *parser, w word) error { p.schedFlags = w.value[:min(len(w.value), 127)]; return nil },
		"persistent":      (*parser).persistent,
		"netmask":         (*parser).netmask,
		"real-server":     (*parser).server,
		"weight":          func(p *parser, w word) error { return whole(&p.cmd.Op.Dest.Weight, w, 0, math.MaxInt32) },
		"u-threshold":     func(p *parser, w word) error { return whole(&p.cmd.Op.Dest.Upper, w, 0, math.MaxInt32) },
		"l-threshold":     func(p *parser, w word) error { return whole(&p.cmd.Op.Dest.Lower, w, 0, math.MaxInt32) },
		"tun-type":        (*parser).tunnelType,
		"tun-port":        func(p *parser, w word) error { return whole(&p.cmd.Op.Dest.TunnelPort, w, 1, 65535) },
		"syncid":          func(p *parser, w word) error { return whole(&p.cmd.Daemon.ID, w, 0, 255) },
		"sync-maxlen":     func(p *parser, w word) error { return whole(&p.cmd.Daemon.MaxLength, w, 1, longestDatagram) },
		"mcast-port":      func(p *parser, w word) error { return whole(&p.cmd.Daemon.Port, w, 1, 65535) },
		"mcast-ttl":       func(p *parser, w word) error { return whole(&p.cmd.Daemon.TTL, w, 1, 255) },
		"mcast-group":     (*parser).group,
		"output":          (*parser).output,
		"state-dir":       func(p *parser, w word) error { p.cmd.StateDir = w.value; return nil },
	}
})

// whole reads a number into v.
func whole[N uint8 | uint16 | uint32](v *N, w word, least, most int64) error {
	n, ok := number(w.value, least, most)
	if !ok {
		return mistake("%s %q: write a number from %d to %d", w.text, w.value, least, most)
	}
	*v = N(n)
	return nil
}

// text reads a name, of which ipvsadm takes the beginning.
func text(v *string, w word, longest int) error {
	*v = w.value[:min(len(w.value), longest)]
	return nil
}

func (p *parser) service(w word, protocol ipvsctl.Protocol) error {
	e, ok := p.names.readEndpoint(w.value, protocol)
	if !ok {
		return mistake("%s %q: write an address or a host with an IPv4 address, and :port, as 192.0.2.1:80, www.example.com:http or [2001:db8::1]:80", w.text, w.value)
	}
	p.cmd.HasService, p.protocol = true, protocol
	p.cmd.Op.Service = ipvsctl.ServiceKey{Protocol: protocol, Addr: e.addr, Port: e.port}
	if e.addr.Is6() {
		p.cmd.Op.Config.Netmask, p.cmd.Op.Config.Mask = 128, 0
	}
	return nil
}

func (p *parser) mark(w word) error {
	least := int64(1)
	if p.restoring {
		least = math.MinInt32 // ipvsadm -S prints such for those above 2147483647.
	}
	n, ok := number(w.value, least, math.MaxUint32)
	if !ok || n == 0 {
		return mistake("%s %q: write a firewall mark, 1 to 4294967295", w.text, w.value)
	}
	p.cmd.HasService, p.protocol = true, ipvsctl.TCP
	p.cmd.Op.Service = ipvsctl.ServiceKey{Mark: uint32(n), Addr: netip.IPv4Unspecified()}
	return nil
}

func (p *parser) ipv6(w word) error {
	if p.cmd.Op.Service.Mark == 0 {
		return mistake("%s goes behind -f alone: the family of an address is known", w.text)
	}
	p.cmd.Op.Service.Addr = netip.IPv6Unspecified()
	p.cmd.Op.Config.Netmask, p.cmd.Op.Config.Mask = 128, 0
	return nil
}

func (p *parser) persistent(w word) error {
	p.cmd.Op.Config.Flags |= ipvsctl.Persistent
	p.cmd.Op.Config.Timeout = defaultPersistence
	if !w.given {
		return nil
	}
	return whole(&p.cmd.Op.Config.Timeout, w, 1, longestTimeout)
}

func (p *parser) netmask(w word) error {
	if p.cmd.Op.Service.Addr.Is6() {
		n := leadingNumber(w.value)
		if n < 1 || n > 128 {
			return mistake("%s %q: write a prefix length, 1 to 128", w.text, w.value)
		}
		p.cmd.Op.Config.Netmask = uint8(n)
		return nil
	}
	mask, ok := p.names.readHost(w.value)
	if !ok {
		return mistake("%s %q: write a mask, as 255.255.255.0; for IPv6 a prefix length, behind the service", w.text, w.value)
	}
	setMask(&p.cmd.Op.Config, mask)
	return nil
}

func (p *parser) server(w word) error {
	e, ok := p.names.readEndpoint(w.value, p.protocol)
	if !ok {
		return mistake("%s %q: write an address or a host with an IPv4 address, and :port, as 192.168.1.4:80 or [2001:db8::4]:80", w.text, w.value)
	}
	if !e.hasPort {
		e.port = p.cmd.Op.Service.Port
	}
	p.cmd.Op.Destination = ipvsctl.DestinationKey{Addr: e.addr, Port: e.port}
	return nil
}

// tunnels are the types of encapsulation.
var tunnels = map[string]uint8{"ipip": ipvsctl.TunnelIPIP, "gue": ipvsctl.TunnelGUE, "gre": ipvsctl.TunnelGRE}

func (p *parser) tunnelType(w word) error {
	kind, known := tunnels[w.value]
	if !known {
		return mistake("%s %q: write ipip, gue or gre", w.text, w.value)
	}
	p.tunnel, p.cmd.Op.Dest.TunnelType = w.value, kind
	return nil
}

func (p *parser) group(w word) error {
	a, err := netip.ParseAddr(w.value)
	if err != nil || !a.IsMulticast() || a.Is4In6() || a.Zone() != "" {
		return mistake("%s %q: write a multicast address", w.text, w.value)
	}
	p.cmd.Daemon.Group = a
	return nil
}

func (p *parser) output(w word) error {
	switch w.value {
	case "json":
		p.cmd.Listing.JSON = true
	case "text", "table":
	default:
		return mistake("%s %q: write text or json", w.text, w.value)
	}
	return nil
}

// arguments reads what is no option, which only --set has.
func (p *parser) arguments(rest []string) error {
	if p.cmd.Verb == Set {
		if len(rest) < 3 {
			return mistake("--set needs three timeouts in seconds: TCP, TCP after FIN, and UDP; 0 leaves one as it is")
		}
		for i, v := range []*uint32{&p.cmd.Timeouts.TCP, &p.cmd.Timeouts.TCPFin, &p.cmd.Timeouts.UDP} {
			if err := whole(v, word{text: "--set", value: rest[i]}, 0, longestTimeout); err != nil {
				return err
			}
		}
		rest = rest[3:]
	}
	if len(rest) > 0 {
		return mistake("%q is no option, and --%s has no such argument", rest[0], p.cmd.Verb)
	}
	return nil
}

// finish checks what depends on several options, and fills in defaults.
func (p *parser) finish() error {
	switch p.cmd.Verb {
	case AddService, EditService:
		return p.finishService()
	case AddServer, EditServer:
		return p.finishServer()
	case StartDaemon:
		p.cmd.Daemon.Interface = cmp.Or(p.cmd.Daemon.Interface, defaultInterface)
	}
	return nil
}

func (p *parser) finishService() error {
	key, s := p.cmd.Op.Service, &p.cmd.Op.Config
	s.Scheduler = cmp.Or(s.Scheduler, defaultScheduler)
	if err := p.readSchedFlags(); err != nil {
		return err
	}
	switch {
	case key.Mark == 0 && key.Port == 0 && s.Flags&ipvsctl.Persistent == 0:
		return mistake("a virtual service for all ports must be persistent: give -p, or a port")
	case key.Mark == 0 && key.Protocol != ipvsctl.UDP && s.Flags&ipvsctl.OnePacket != 0:
		return mistake("%s is for UDP: only a service with -u or -f can have it", p.given.text("ops"))
	}
	return nil
}

func (p *parser) finishServer() error {
	op := &p.cmd.Op
	mark, tunnel := op.Service.Mark != 0, op.Dest.Forward == ipvsctl.Tunnel
	if !mark && op.Dest.Forward != ipvsctl.NAT {
		op.Destination.Port = op.Service.Port // Neither method can change it.
	}
	if op.Destination.Addr.Is4() != op.Service.Addr.Is4() && !tunnel {
		return mistake("the real server is of another family than the service: that goes only by a tunnel, with -i")
	}
	for _, name := range ofTunnels {
		if text := p.given.text(name); text != "" && !tunnel {
			return mistake("%s is for tunnels: give -i", text)
		}
	}
	return tunnelTogether(p.tunnel, p.given)
}

// readSchedFlags reads the flags of the scheduler, which may be given behind them.
func (p *parser) readSchedFlags() error {
	if p.schedFlags == "" {
		return nil
	}
	s := &p.cmd.Op.Config
	own := map[string]ipvsctl.Flags{"flag-1": ipvsctl.Sched1, "flag-2": ipvsctl.Sched2, "flag-3": ipvsctl.Sched3}
	of := map[string]ipvsctl.Flags{"sh-fallback": ipvsctl.Sched1, "sh-port": ipvsctl.Sched2, "mh-fallback": ipvsctl.Sched1, "mh-port": ipvsctl.Sched2}
	names := strings.FieldsFunc(p.schedFlags, func(r rune) bool { return r == ',' })
	if len(names) == 0 {
		return mistake("%s %q: write at least one flag", p.given.text("sched-flags"), p.schedFlags)
	}
	for _, name := range names {
		scheduler, _, _ := strings.Cut(name, "-")
		flag, known := own[name]
		if !known {
			if flag, known = of[name]; known && s.Scheduler != scheduler {
				return mistake("%s %s: that is a flag of the scheduler %s, and this one is %s", p.given.text("sched-flags"), name, scheduler, s.Scheduler)
			}
		}
		if !known {
			return mistake("%s: there is no flag %q: write sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2 or flag-3", p.given.text("sched-flags"), name)
		}
		s.Flags |= flag
	}
	return nil
}
