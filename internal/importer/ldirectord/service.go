package ldirectord

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// service makes a virtual service.
func (w *walk) service(s *service) error {
	w.began = len(w.Losses)
	c, ok := w.which(s)
	if !ok {
		return nil
	}
	if err := w.once(c); err != nil {
		return err
	}
	b := importer.NewBlock("virtual_service", s.name).Of(s.Place).Note(s.above...)
	w.described(s, b)
	w.where(c, b)
	w.scheduling(c, b)
	servers, err := w.reals(c)
	if err != nil {
		return err
	}
	fallback, err := w.fallback(s, c.port)
	if err != nil {
		return err
	}
	if fallback != nil && slices.ContainsFunc(servers, func(r *server) bool { return r.address == fallback.address }) {
		w.lose(importer.Differs, fallback.line, "the fallback is one of the real servers, so that it serves as one, while its checks pass", "")
		fallback = nil
	}
	if len(servers) == 0 && fallback == nil {
		w.abandon(s, "no real server of it came along", "")
		return nil
	}
	if len(servers) == 0 {
		w.note(s.line, "it has no real servers, so its fallback serves, and is one here")
		servers, fallback, c.unchecked = []*server{fallback}, nil, true
	}
	forward := usualForward(servers, fallback)
	b.Set("forward", importer.String(forward))
	w.onFailure(s, b)
	w.serve(c, b, servers, forward)
	w.lastResort(c, b, fallback, forward)
	w.commands(c, b)
	w.Blocks = append(w.Blocks, b)
	return nil
}

// once refuses a service that is there already.
func (w *walk) once(c *checked) error {
	key := c.protocol + " " + c.host + " " + strconv.Itoa(int(c.port))
	if c.mark != 0 {
		key = c.word + " " + strconv.Itoa(c.mark)
	}
	if o := w.seen[key]; o != nil {
		return refuse(c.Place, "the service is there already, in line %d", o.Line)
	}
	w.seen[key] = c.service
	return nil
}

// which finds a service's address, port and protocol.
func (w *walk) which(s *service) (*checked, bool) {
	c := &checked{service: s, protocol: "tcp", kind: "none"}
	l, named := w.of(s, "protocol"), w.of(s, "service")
	if s.portName == "53" || s.portName == "domain" {
		c.protocol = "udp"
	}
	if l != nil && l.value != "fwm" {
		c.protocol = l.value
	}
	var ok bool
	if c.port, ok = w.port(s.portName, c.protocol); !ok && s.mark == 0 {
		w.abandon(s, "the port "+s.portName+" is not known on this machine", "Write its number.")
		return nil, false
	}
	if named != nil {
		c.kind = named.value
	} else if k := kinds[c.port]; k != "" && s.mark == 0 {
		c.kind = k
	}
	if s.mark != 0 {
		s.label(c.protocol, w.names)
		return c, true
	}
	a, byName, err := w.address(s.host, s.ipv6)
	if err != nil {
		w.abandon(s, "there is no address for "+s.host+": "+err.Error(), "Write the address.")
		return nil, false
	}
	s.label(c.protocol, w.names)
	if byName {
		s.above = append(s.above, s.host+" was "+a.String()+" when this was imported.")
	}
	s.host = a.String()
	return c, true
}

// abandon tells of a service of which nothing is made.
func (w *walk) abandon(s *service, reason, remedy string) {
	w.lose(importer.Lost, s.line, reason, remedy)
	told := map[importer.Place]bool{}
	for _, loss := range w.Losses[w.began:] {
		told[loss.Place] = true
	}
	for _, l := range s.all {
		if told[l.Place] {
			continue
		}
		w.lose(importer.Lost, l, "it belongs to "+s.text+", which did not come along", "")
	}
}

// label gives a service a name of its own: what follows virtual=.
func (s *service) label(protocol string, taken map[string]bool) {
	s.name = s.host + ":" + s.portName
	if s.mark != 0 {
		s.name = "fwmark-" + strconv.Itoa(s.mark)
		if s.ipv6 {
			s.name += "-ipv6"
		}
	}
	if taken[s.name] {
		s.name += "-" + protocol
	}
	for base, i := s.name, 2; taken[s.name]; i++ {
		s.name = base + "-" + strconv.Itoa(i)
	}
	taken[s.name] = true
}

// described keeps what a service says about itself, and the comments that belong to no
// server.
func (w *walk) described(s *service, b *importer.Block) {
	for _, word := range []string{"servicename", "comment"} {
		if l := w.of(s, word); l != nil && l.value != "" {
			b.Of(l.Place).Note(strings.ToValidUTF8(l.value, "�"))
		}
	}
	for _, l := range s.all {
		if strings.HasPrefix(l.word, "real") {
			continue
		}
		b.Note(l.above...)
		if l.after != "" {
			b.Note(l.word + ": " + l.after)
		}
	}
}

// where sets what packets are the service's.
func (w *walk) where(c *checked, b *importer.Block) {
	from := places(c.line, w.of(c.service, "protocol"))
	if c.mark != 0 {
		b.Set("firewall_mark", importer.Number(c.mark), from...)
		b.Set("family", importer.String(map[bool]string{true: "ipv6", false: "ipv4"}[c.ipv6]))
		return
	}
	b.Set("address", importer.String(c.host), c.Place)
	b.Set("port", importer.Number(c.port), c.Place)
	b.Set("protocol", importer.String(c.protocol), from...)
}

// scheduling sets how servers are chosen.
func (w *walk) scheduling(c *checked, b *importer.Block) {
	scheduler, l := "wrr", w.of(c.service, "scheduler")
	if l != nil {
		scheduler = l.value
	}
	if !slices.Contains([]string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos"}, scheduler) {
		w.lose(importer.Differs, l, "the kernel has no such scheduler; here, it is wrr", "")
		scheduler = "wrr"
	}
	b.Set("scheduler", importer.String(scheduler), places(l)...)
	if f := w.of(c.service, "schedflags"); f != nil {
		var flags []string
		for word := range strings.SplitSeq(f.value, ",") {
			if name := flagOf(scheduler, word); name != "" {
				flags = append(flags, name)
			} else {
				w.lose(importer.Lost, f, word+" is no flag of the scheduler "+scheduler, "")
			}
		}
		if len(flags) > 0 {
			b.Set("scheduler_flags", importer.Strings(flags...), f.Place)
		}
	}
	w.persistence(c, b)
	if o := w.of(c.service, "ops"); o != nil && o.value == "yes" && c.protocol == "udp" && c.mark == 0 {
		b.Set("one_packet", importer.Bool(true), o.Place)
	} else if o != nil && o.value == "yes" {
		w.note(o, "ldirectord makes use of it with UDP alone")
	} else if o != nil {
		w.note(o, "it is off without this line, too")
	}
}

// flagOf is lvsd's name of a flag, which ipvsadm takes by any of its names with any scheduler;
// empty: it has no such flag.
func flagOf(scheduler, word string) string {
	n := map[string]int{"sh-fallback": 1, "mh-fallback": 1, "flag-1": 1, "sh-port": 2, "mh-port": 2, "flag-2": 2, "flag-3": 3}[word]
	if scheduler == "sh" || scheduler == "mh" {
		return [...]string{"", "fallback", "port", ""}[n]
	}
	return [...]string{"", "flag-1", "flag-2", "flag-3"}[n]
}

// persistence keeps clients with their servers.
func (w *walk) persistence(c *checked, b *importer.Block) {
	l := w.of(c.service, "persistent")
	if l == nil {
		if c.port == 0 && c.mark == 0 {
			w.lose(importer.Differs, c.line, "ipvsadm refuses a service for all ports without persistent; here, it is persistent", "")
			b.Block("persistence").Set("timeout", importer.String("5m"))
		}
		return
	}
	n := choose(0, l)
	w.bound(&n, 31*24*3600)
	if n.n == 0 {
		w.lose(importer.Differs, l, "ipvsadm refuses the time 0; here, a client is remembered for a second", "")
		n.n = 1
	}
	p := b.Block("persistence").Of(l.Place)
	p.Set("timeout", importer.Duration(n.time()), l.Place)
	if m := w.of(c.service, "netmask"); m != nil {
		bits, _ := netmask(m.value, c.ipv6)
		if bits == 0 {
			w.lose(importer.Lost, m, "it is no netmask whose ones come first", "")
			return
		}
		p.Set("netmask", importer.Number(bits), m.Place)
	}
}

// onFailure sets what becomes of servers that are down.
func (w *walk) onFailure(s *service, b *importer.Block) {
	l := w.either(s, "quiescent")
	if l.is("yes", "no") {
		b.Set("on_failure", importer.String("drain"), l.Place)
		return
	}
	b.Set("on_failure", importer.String("remove"), places(l)...)
	if l == nil {
		w.lose(importer.Note, s.line, "quiescent is not set, and ldirectord takes it for no, although its manual says yes: a server that is down is removed", "")
	}
}

// reals returns a service's real servers, each once.
func (w *walk) reals(c *checked) (all []*server, err error) {
	off := w.of(c.service, "checktype").is("off", "negotiate")
	seen := map[string]bool{}
	for _, l := range c.all {
		if l.word != "real" && l.word != "real6" {
			continue
		}
		list, err := w.real(c.service, l)
		if err != nil {
			return nil, err
		}
		if w.servers += len(list); w.servers > maxServers {
			return nil, refuse(l.Place, "the file has more than %d real servers", maxServers)
		}
		if off {
			w.lose(importer.Differs, l, "with checktype = off, ldirectord leaves the servers to somebody else; lvsd's table has those of its configuration", `Write real_server blocks with check "none" {}.`)
			continue
		}
		for _, r := range list {
			w.local(r, c.port)
			key := r.address.String() + " " + strconv.Itoa(int(c.own(r)))
			if seen[key] {
				w.note(l, "the server is there already, and the first line counts")
				continue
			}
			seen[key] = true
			all = append(all, r)
		}
	}
	return all, nil
}

// usualForward is the forwarding method of most servers.
func usualForward(servers []*server, fallback *server) string {
	count := map[string]int{}
	best := ""
	if fallback != nil {
		best = fallback.forward
	}
	for _, r := range servers {
		if count[r.forward]++; count[r.forward] > count[best] || best == "" {
			best = r.forward
		}
	}
	if best == "" {
		return "direct"
	}
	return best
}

// serve adds real servers. The checks of most of them are the service's.
func (w *walk) serve(c *checked, b *importer.Block, servers []*server, forward string) {
	var checks [][]*importer.Block
	var texts []string
	for _, r := range servers {
		list := w.checks(c, r)
		checks, texts = append(checks, list), append(texts, importer.Write(list))
	}
	common := mostOf(texts)
	for _, check := range checks[slices.Index(texts, common)] {
		b.Items = append(b.Items, check)
	}
	names := map[string]bool{}
	var last *line
	for i, r := range servers {
		s := w.serverBlock(c, b, r, forward, names)
		if r.line != last {
			s.Note(r.above...)
			if r.after != "" {
				s.Note(r.after)
			}
			last = r.line
		}
		for _, check := range checks[i] {
			if texts[i] == common {
				s.Of(check.From...)
			} else {
				s.Items = append(s.Items, check)
			}
		}
	}
}

// mostOf returns the most frequent of texts, and of several the first one.
func mostOf(texts []string) (most string) {
	count := map[string]int{}
	for _, t := range texts {
		count[t]++
	}
	for _, t := range texts {
		if count[t] > count[most] {
			most = t
		}
	}
	return most
}

// serverBlock adds a real server.
func (w *walk) serverBlock(c *checked, b *importer.Block, r *server, forward string, names map[string]bool) *importer.Block {
	name := r.name
	if !r.named {
		name = r.address.String()
	}
	if names[name] {
		name += ":" + strconv.Itoa(int(c.own(r)))
	}
	names[name] = true
	s := b.Block("real_server", name).Of(r.Place)
	if name != r.address.String() {
		a := s.Set("address", importer.String(r.address.String()), r.Place)
		if r.named {
			a.Comment = "when this was imported"
		}
	}
	w.placed(c, s, r, forward)
	s.Set("weight", importer.Number(r.weight), r.Place)
	switch {
	case r.upper == 0 && r.lower != 0:
		w.note(r.line, "l: without u: has no effect")
	case r.lower > r.upper:
		w.lose(importer.Differs, r.line, "the kernel refuses l: above u:; here, there is only u:", "")
		s.Set("upper_threshold", importer.Number(r.upper), r.Place)
	case r.upper != 0:
		s.Set("upper_threshold", importer.Number(r.upper), r.Place)
		s.Set("lower_threshold", importer.Number(r.lower), r.Place)
	}
	return s
}

// placed sets the port and the forwarding method of a server where they are its own.
func (w *walk) placed(c *checked, b *importer.Block, r *server, forward string) {
	if r.forward != forward {
		b.Set("forward", importer.String(r.forward), r.Place)
	}
	switch {
	case r.port == 0 || r.port == c.port:
	case r.forward == "nat":
		b.Set("port", importer.Number(r.port), r.Place)
	case c.mark == 0:
		w.note(r.line, "without NAT, packets keep the port of the service; this one is for checks alone")
	}
}

// lastResort adds a fallback.
func (w *walk) lastResort(c *checked, b *importer.Block, r *server, forward string) {
	if r == nil {
		return
	}
	w.local(r, c.port)
	f := b.Block("fallback").Of(r.Place)
	a := f.Set("address", importer.String(r.address.String()), r.Place)
	if r.named {
		a.Comment = r.name + ", when this was imported"
	}
	w.placed(c, f, r, forward)
}

// commands runs what fallbackcommand names.
func (w *walk) commands(c *checked, b *importer.Block) {
	l := w.either(c.service, "fallbackcommand")
	if l == nil {
		return
	}
	protocol, at := c.protocol, c.host+":"+strconv.Itoa(int(c.port))
	if c.ipv6 && c.mark == 0 {
		at = "[" + c.host + "]:" + strconv.Itoa(int(c.port))
	}
	if c.mark != 0 {
		protocol, at = "fwm", ":0"
	}
	for _, hook := range [...]struct{ state, word string }{{"quorum_lost", "start"}, {"quorum_reached", "stop"}} {
		run := append(strings.Fields(l.value), hook.word, at, protocol)
		if !strings.HasPrefix(l.value, "/") || strings.ContainsAny(l.value, "\"'\\<>|&;()$`*?~{}[]=") {
			run = []string{"/bin/sh", "-c", l.value + " " + hook.word + " " + at + " " + protocol}
			w.note(l, "this is a line of a shell, and /bin/sh runs it here")
		}
		o := b.Block("on", hook.state).Of(l.Place)
		o.Set("run", importer.Strings(run...), l.Place)
		o.Set("user", importer.String("root"))
		o.Set("at_start", importer.Bool(true))
	}
}
