package keepalived

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A target is a check of a server in a service.
type target struct {
	v *virtualServer
	r *realServer
	c *checker
	// port is the one that the server has in the service's block; 0: none.
	port uint16
}

// checkBlocks makes the blocks of a check.
func (l *lvs) checkBlocks(t target) (all []*importer.Block) {
	if !slices.Contains([]string{"PING_CHECK", "MISC_CHECK", "FILE_CHECK", "SMTP_CHECK"}, t.c.head.Words[0]) && !l.asks(t, t.c.head) {
		return nil
	}
	switch t.c.head.Words[0] {
	case "TCP_CHECK":
		all = l.checkOf(t, "tcp")
	case "PING_CHECK":
		all = l.checkOf(t, "ping")
	case "HTTP_GET":
		all = l.http(t, "http")
	case "SSL_GET":
		all = l.http(t, "https")
	case "SMTP_CHECK":
		all = l.smtp(t)
	case "DNS_CHECK":
		all = l.dns(t)
	case "UDP_CHECK":
		all = l.udp(t)
	case "MISC_CHECK":
		all = l.misc(t)
	case "FILE_CHECK":
		all = l.fileCheck(t)
	}
	if len(all) > 0 {
		all[0].Comment = slices.Concat(t.c.head.Comment, all[0].Comment)
	}
	return all
}

// asks reports whether a check knows a port to ask.
func (l *lvs) asks(t target, s *Statement) bool {
	if t.port != 0 || t.r.port != 0 || t.c.port.given {
		return true
	}
	l.dropBlock(importer.Lost, s, "neither the service nor the real server has a port, so keepalived asks port 0, where nobody answers", "Write the check with the port that it is to ask.")
	return false
}

// begin begins the block of a check that asks a server.
func (l *lvs) begin(t target, kind string) *importer.Block {
	b := importer.NewBlock("check", kind).Of(t.c.head.Place)
	b.Of(t.c.alpha.from...)
	if asked := t.c.addr.orValue(t.r.addr); t.c.source.given && t.c.source.value.Is4() != asked.Is4() {
		l.lose(importer.Note, t.c.head, "bindto is of another family than what is asked, and keepalived passes over it as well", "")
		t.c.source = setting[netip.Addr]{from: t.c.source.from}
	}
	if t.c.addr.given && t.c.addr.value != t.r.addr {
		put(b, "address", t.c.addr, addrValue)
	}
	b.Of(t.c.addr.from...)
	b.Of(t.c.port.from...)
	port := t.c.port.orValue(uint64(t.r.port))
	switch {
	case kind == "ping":
	case port != 0 && port != uint64(t.port):
		b.Set("port", importer.Number(port), t.c.port.from...).Comment = t.c.port.comment
	case port == 0:
		l.lose(importer.Differs, t.c.head, "the real server has no port, so keepalived asks port 0, where nobody answers; lvsd asks the service's", "")
	}
	return b
}

// finish writes the pace of a check, and the way of its packets.
func (l *lvs) finish(b *importer.Block, t target, change func(rhythm, *pace)) []*importer.Block {
	y, from := rhythmOf(t.v, t.r, t.c)
	p := y.pace()
	if change != nil {
		change(y, &p)
	}
	p.set(b, from)
	via(b, t.c)
	return []*importer.Block{b}
}

// checkOf makes the block of a check that has nothing of its own.
func (l *lvs) checkOf(t target, kind string) []*importer.Block {
	b := l.begin(t, kind)
	if kind == "ping" && t.c.bindPort.given {
		t.c.bindPort = setting[uint64]{from: t.c.bindPort.from}
	}
	return l.finish(b, t, nil)
}

// via writes the way of a check's packets.
func via(b *importer.Block, c *checker) {
	b.Of(c.mark.from...).Of(c.bindPort.from...).Of(c.source.from...)
	if !c.source.given && !c.bindPort.given && !c.iface.given && c.mark.value == 0 {
		return
	}
	v := b.Block("via")
	put(v, "source", c.source, addrValue)
	put(v, "source_ports", c.bindPort, func(n uint64) importer.Value { return importer.String(importer.Number(n).Text) })
	put(v, "interface", c.iface, importer.String)
	if c.mark.value != 0 {
		put(v, "firewall_mark", c.mark, importer.Number)
	}
}

// http makes a block for each url.
func (l *lvs) http(t target, kind string) (all []*importer.Block) {
	if len(t.c.urls) == 0 {
		l.skip(t.c.head, "it has no url that can be used, and keepalived passes over it as well")
		return nil
	}
	n := time.Duration(len(t.c.urls))
	for _, u := range t.c.urls {
		b := l.begin(t, kind).Of(u.head.Place).Of(u.seen...).Of(t.c.sni.from...)
		b.Note(u.head.Comment...)
		b.Set("path", importer.String(rooted(u.path.value)), u.path.from...).Comment = u.path.comment
		host := u.host.or(t.c.host).or(t.r.host).or(t.v.host)
		if host.given {
			put(b, "host", host, importer.String)
		}
		b.Of(t.c.host.from...)
		l.finish(b, t, func(y rhythm, p *pace) {
			if n > 1 {
				p.interval, p.down, p.about = n*p.interval, p.interval, "keepalived asks for one url each delay_loop"
			}
			if y.delay > y.loop {
				p.down = y.delay
			}
		})
		expect(b, u)
		if u.regex.given {
			l.once("regex", importer.Differs, u.head, "keepalived looks for an expression in the head of an answer as well, if it comes in one packet with the page, whose beginning ^ is not then; lvsd looks for it in the page alone", "")
		}
		if kind == "https" {
			l.tlsBlock(b, t)
		}
		all = append(all, b)
	}
	return all
}

// rooted returns a path that begins with a slash.
func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

// expect writes which answers pass.
func expect(b *importer.Block, u *url) {
	if len(u.status) == 0 && !u.digest.given && !u.regex.given {
		b.Of(u.not.from...)
		return
	}
	e := b.Block("expect").Of(u.not.from...)
	if len(u.status) > 0 {
		var codes []importer.Value
		var from []importer.Place
		for _, s := range u.status {
			codes, from = append(codes, statusValue(s.value)), append(from, s.from...)
		}
		e.Set("status", importer.List(codes...), from...)
	}
	put(e, "md5", u.digest, importer.String)
	if !u.regex.given {
		return
	}
	expression, _ := translated(u.regex.value, u.options)
	name := "body"
	if u.not.given {
		name = "not"
	}
	e.Set(name, importer.String(expression), u.regex.from...).Comment = u.regex.comment
}

// statusValue is a status code as a number, and a range of them as a text.
func statusValue(s string) importer.Value {
	if strings.Contains(s, "-") {
		return importer.String(s)
	}
	return importer.Value{Type: importer.NumberType, Text: s}
}

// tlsBlock writes how TLS is spoken. keepalived verifies no certificate.
func (l *lvs) tlsBlock(b *importer.Block, t target) {
	in := b.Block("tls")
	remedy := "Remove the next line to have it verified."
	if l.tls.ca.given {
		remedy = "To have it verified, write ca_file = " + strconv.Quote(l.tls.ca.value) + " in place of the next line."
	}
	in.Note("keepalived verifies no certificate. " + remedy)
	in.Set("verify", importer.Bool(false))
	put(in, "server_name", t.c.serverName, importer.String)
	if l.tls.head == nil {
		return
	}
	l.told["tls"] = true
	in.Of(l.tls.head.Place).Of(l.tls.ca.from...)
	if l.tls.certificate.given || l.tls.key.given {
		c := in.Block("client")
		put(c, "certificate_file", l.tls.certificate, importer.String)
		put(c, "key_file", l.tls.key.or(l.tls.certificate), importer.String)
	}
}

// helo is the name that keepalived says by default.
const helo = "smtpchecker.keepalived.org"

// smtp makes the block of a check, or one for each of its hosts.
func (l *lvs) smtp(t target) (all []*importer.Block) {
	targets := []target{t}
	if own := t.c.addr.given || t.c.port.given || t.c.source.given || t.c.bindPort.given || t.c.iface.given || t.c.mark.given || t.c.timeout.given; len(t.c.hosts) > 0 && !own {
		targets = nil
	}
	for _, h := range t.c.hosts {
		of := t
		c := *t.c
		c.addr, c.port, c.source, c.bindPort, c.iface, c.mark = h.addr, h.port, h.source, h.bindPort, h.iface, h.mark
		c.timeout = h.timeout
		of.c = &c
		targets = append(targets, of)
	}
	for i, of := range targets {
		if !l.asks(of, t.c.head) {
			continue
		}
		b := l.begin(of, "smtp")
		for _, h := range t.c.hosts {
			b.Of(h.head.Place).Of(h.alpha.from...).Of(h.loop.from...).Of(h.delay.from...).Of(h.retry.from...)
		}
		b.Set("name", importer.String(t.c.name.orValue(helo)), t.c.name.from...)
		if i > 0 {
			of.c.head.Comment = nil
		}
		all = append(all, l.finish(b, of, nil)...)
	}
	return all
}

// dns makes the block of a question.
func (l *lvs) dns(t target) []*importer.Block {
	b := l.begin(t, "dns")
	put(b, "name", t.c.name, importer.String)
	put(b, "type", t.c.kind, importer.String)
	l.once("dns", importer.Differs, t.c.head, "keepalived takes any answer without an error, and lvsd wants a record of the type in it",
		`Check the question, and write expect { code = "…" } in the check block if another answer is meant.`)
	return l.finish(b, t, nil)
}

// udp makes the block of a datagram. Where no answer is required, keepalived waits for
// its timeout before it takes silence for a success.
func (l *lvs) udp(t target) []*importer.Block {
	b := l.begin(t, "udp")
	put(b, "send", t.c.send, importer.String)
	if t.c.reply.given && !t.c.answer.given {
		b.Set("reply", importer.Bool(true))
	}
	b.Of(t.c.reply.from...)
	out := l.finish(b, t, func(y rhythm, p *pace) {
		if !t.c.reply.given {
			p.interval, p.timeout, p.comment = bounded(y.loop+y.timeout), min(y.timeout, maxInterval), ""
			p.about = "delay_loop, and connect_timeout, for which keepalived waits each time"
		}
	})
	if t.c.answer.given {
		put(b.Block("expect"), "text", t.c.answer, importer.String)
	}
	return out
}

// misc makes the block of a program.
func (l *lvs) misc(t target) []*importer.Block {
	if len(t.c.program.value.run) == 0 {
		l.dropBlock(importer.Lost, t.c.head, "it names no program that lvsd can run", "")
		return nil
	}
	b := importer.NewBlock("check", "exec").Of(t.c.head.Place).Of(t.c.alpha.from...)
	l.run(b, t.c.head, t.c.program)
	if t.c.dynamic.given {
		put(b, "status_weight", t.c.dynamic, importer.Bool)
	}
	return l.finish(b, t, nil)
}

// fileCheck makes the block of a file whose number takes the server out.
func (l *lvs) fileCheck(t target) []*importer.Block {
	f := l.files[t.c.file.value]
	if f == nil || !strings.HasPrefix(f.path.value, "/") {
		l.skip(t.c.head, "there is no track_file of that name with a path, and keepalived passes over it as well")
		return nil
	}
	w := t.c.weight.or(f.weight)
	if !f.decides(t.c) {
		l.dropBlock(importer.Lost, t.c.head, "it adds the number in the file, multiplied, to the server's weight, and lvsd has no such sum",
			`Write check "file" { path = "`+f.path.value+`" } with weight = "absolute", and have the server's weight in the file.`)
		return nil
	}
	b := importer.NewBlock("check", "exec").Of(t.c.head.Place).Of(t.c.file.from...).Of(w.from...)
	l.uses(append([]importer.Place{f.head.Place}, f.path.from...))
	l.uses(f.weight.from)
	b.Of(f.head.Place).Of(f.weight.from...)
	b.Note(map[bool]string{false: "The server is down while the number in the file is not 0.", true: "The server is down while the number in the file is 0, or the file is missing."}[w.value.reverse],
		"That is seen within a second, and by keepalived at once.")
	b.Set("run", importer.Strings(f.program(w.value.reverse)...), f.path.from...)
	pace{interval: time.Second, timeout: 10 * time.Second, fall: 1}.set(b, nil)
	return []*importer.Block{b}
}
