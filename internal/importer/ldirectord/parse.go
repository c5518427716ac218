package ldirectord

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/text"
)

// A file is ldirectord's configuration.
type file struct {
	heading  []string // comments that belong to the whole
	all      []*line  // the words before and between services
	services []*service
}

// A service is a line virtual= and what follows it.
type service struct {
	*line
	ipv6     bool
	name     string // by which its block is known
	host     string // empty with a mark
	portName string
	mark     int
	all      []*line
}

// The forms of what follows virtual=. What comes behind it is not looked at.
var (
	virtual4    = text.Pattern(`^(\d+\.\d+\.\d+\.\d+):([0-9A-Za-z_-]+)`)
	virtualName = text.Pattern(`^([0-9A-Za-z._+-]+):([0-9A-Za-z_-]+)`)
	virtual6    = text.Pattern(`^(\[[0-9A-Fa-f:]+\]):([0-9A-Za-z_-]+)`)
)

// A parser reads lines one by one.
type parser struct {
	file
	name  string
	lines []string
	next  int
	above []string // the comments since the last line that was none
}

// parse reads a file. Its errors are those that ldirectord has, too.
func parse(name string, source []byte) (*file, error) {
	if len(source) > maxBytes {
		return nil, refuse(importer.Place{File: name, Line: 1}, "the file has more than %d bytes", maxBytes)
	}
	p := &parser{name: name, lines: strings.Split(string(source), "\n")}
	for n, l := range p.lines {
		if at := (importer.Place{File: name, Line: n + 1}); n == maxLines {
			return nil, refuse(at, "the file has more than %d lines", maxLines)
		} else if len(l) > maxLine {
			return nil, refuse(at, "the line has %d bytes, and %d are read at most", len(l), maxLine)
		}
	}
	for p.next < len(p.lines) {
		if err := p.top(); err != nil {
			return nil, err
		}
	}
	p.blank()
	return &p.file, nil
}

func (p *parser) place() importer.Place { return importer.Place{File: p.name, Line: p.next + 1} }

// blank ends a group of comments, which belong to the whole if nothing has come before.
func (p *parser) blank() {
	if len(p.all) == 0 && len(p.services) == 0 {
		p.heading = append(p.heading, p.above...)
	}
	p.above = nil
}

// comment keeps a line that is a comment, and reports whether it is one.
func (p *parser) comment(s string) bool {
	s = strings.TrimLeft(s, " \t\r\f")
	if !strings.HasPrefix(s, "#") {
		return false
	}
	if c := remark(s); c != "" {
		p.above = append(p.above, c)
	}
	return true
}

// top reads a line outside of blocks.
func (p *parser) top() error {
	raw, at := p.lines[p.next], p.place()
	if p.comment(raw) {
		p.next++
		return nil
	}
	if strings.TrimSpace(raw) == "" {
		p.blank()
		p.next++
		return nil
	}
	l, ok := split(at, raw)
	if ok && (l.word == "virtual" || l.word == "virtual6") {
		return p.service(l)
	}
	p.next++
	if strings.TrimSpace(raw) == "supervised" {
		l, ok = &line{Place: at, word: "supervised", value: "yes", text: "supervised"}, true
	}
	if !ok {
		return p.stranger(at, raw)
	}
	l.above, p.above = p.above, nil
	p.all = append(p.all, l)
	return p.value(l, global())
}

// stranger is the error of a line that begins with no word of ldirectord.
func (p *parser) stranger(at importer.Place, raw string) error {
	rest := strings.TrimLeft(raw, " \t")
	indent := len(strings.ReplaceAll(raw[:len(raw)-len(rest)], "\t", "    "))
	l, isWord := split(at, rest)
	switch {
	case indent > 0 && isWord && len(p.services) > 0:
		return refuse(at, "%s does not belong to the service above it, and ldirectord does not read it: a line of a service begins with four spaces or a tab (here: %d), and the first line that does not, such as an empty one, ends the service", l.word, indent)
	case strings.HasPrefix(rest, "["):
		return refuse(at, "ldirectord has no sections such as %s: a word, = and a value were expected, or virtual = ADDRESS:PORT", bounded(rest))
	}
	return refuse(at, "a word, = and a value were expected, or virtual = ADDRESS:PORT, but there is %q, and ldirectord does not read it", bounded(rest))
}

// bounded is the beginning of a text, which may be a secret behind a sign.
func bounded(s string) string {
	s, _, _ = strings.Cut(s, "=")
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strings.ToValidUTF8(strings.TrimSpace(s), "�")
}

// value reads the value of a line by its word.
func (p *parser) value(l *line, words map[string]reading) error {
	switch l.word {
	case "connecttimeout":
		return refuse(l.Place, "ldirectord has no %s any more: write negotiatetimeout", l.word)
	case "timeout":
		return refuse(l.Place, "ldirectord has no %s any more: write checktimeout or negotiatetimeout", l.word)
	}
	r, ok := words[l.word]
	if !ok {
		r, ok = both()[l.word]
	}
	if !ok {
		_, elsewhere := inService()[l.word]
		if _, before := global()[l.word]; before || elsewhere {
			return refuse(l.Place, "%s was not expected here: it belongs %s", l.word, map[bool]string{true: "before the services", false: "in the block of a service"}[before])
		}
		return refuse(l.Place, "ldirectord has no word %q", bounded(l.word))
	}
	v, ok := r.read(l.value)
	if !ok {
		said, hint := l.word, ""
		if l.word != "passwd" && l.word != "secret" {
			said += "=" + bounded(l.value)
		}
		if l.word == "service" {
			hint = "; what a changed ldirectord knows has no counterpart: write service=none for the import, and then a check \"exec\" of your own"
		}
		return refuse(l.Place, "%s: %s was expected%s", said, r.expected, hint)
	}
	l.value = v
	return nil
}

// service reads a line virtual= and its block.
func (p *parser) service(head *line) error {
	s := &service{line: head, ipv6: head.word == "virtual6"}
	head.above, p.above = p.above, nil
	p.next++
	if err := s.address(); err != nil {
		return err
	}
	p.services = append(p.services, s)
	for ; p.next < len(p.lines); p.next++ {
		raw := p.lines[p.next]
		if p.comment(raw) {
			continue
		}
		body, after, _ := strings.Cut(raw, "#")
		body = strings.ReplaceAll(body, "\t", "    ")
		if !strings.HasPrefix(body, "    ") || len(strings.TrimRight(body, "\r\n")) == 4 {
			return nil
		}
		if err := p.inside(s, body, after); err != nil {
			return err
		}
	}
	return nil
}

// inside reads a line of a service's block.
func (p *parser) inside(s *service, body, after string) error {
	at := p.place()
	l, ok := split(at, strings.TrimLeft(body, " "))
	if !ok {
		return refuse(at, "a word, = and a value were expected in the block of a service, but there is %q, and ldirectord does not read it", bounded(strings.TrimSpace(body)))
	}
	l.above, p.above = p.above, nil
	l.after = remark(after)
	if (l.word == "real" || l.word == "fallback") && s.ipv6 {
		return refuse(at, "%s6 was expected, as the service is one of IPv6", l.word)
	}
	if (l.word == "real6" || l.word == "fallback6") && !s.ipv6 {
		return refuse(at, "%s was expected, as the service is none of IPv6", strings.TrimSuffix(l.word, "6"))
	}
	if err := p.value(l, inService()); err != nil {
		return err
	}
	s.all = append(s.all, l)
	return s.fits(l)
}

// fits refuses values that the service's address does not allow.
func (s *service) fits(l *line) error {
	switch {
	case l.word == "protocol" && s.mark != 0 && l.value != "fwm":
		return refuse(l.Place, "protocol: fwm was expected, as the service is one by mark")
	case l.word == "protocol" && s.mark == 0 && l.value != "tcp" && l.value != "udp":
		return refuse(l.Place, "protocol: tcp or udp was expected, as the service has an address and a port")
	case l.word == "netmask":
		if _, ok := netmask(l.value, s.ipv6); !ok {
			return refuse(l.Place, "netmask: %s was expected", map[bool]string{true: "a prefix length from 1 to 128", false: "four numbers, as 255.255.255.0"}[s.ipv6])
		}
	}
	return nil
}

// netmask returns the prefix length of a netmask; 0 if it has none.
func netmask(v string, ipv6 bool) (bits int, ok bool) {
	if ipv6 {
		bits, err := strconv.Atoi(v)
		return bits, err == nil && bits >= 1 && bits <= 128
	}
	if a, err := netip.ParseAddr(v); err == nil && a.Is4() {
		b := a.As4()
		m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		for bits = 32; bits > 0 && m<<(bits-1) == 0; bits-- {
		}
		if m != ^uint32(0)<<(32-bits) {
			bits = 0
		}
		return bits, true
	}
	return 0, virtual4().MatchString(v + ":0")
}

// address reads what follows virtual=.
func (s *service) address() error {
	v := s.value
	if m := virtual4().FindStringSubmatch(v); m != nil && !s.ipv6 {
		s.host, s.portName = m[1], m[2]
	} else if m := virtualName().FindStringSubmatch(v); m != nil {
		s.host, s.portName = m[1], m[2]
	} else if m := firstDigits().FindStringIndex(v); m != nil && m[0] == 0 {
		n, err := strconv.ParseUint(v[:m[1]], 10, 32)
		if err != nil || n == 0 {
			return refuse(s.Place, "a firewall mark from 1 to 4294967295 was expected after %s =", s.word)
		}
		s.mark = int(n)
	} else if m := virtual6().FindStringSubmatch(v); m != nil {
		if !s.ipv6 {
			return refuse(s.Place, "virtual6 was expected, as the address is one of IPv6")
		}
		s.host, s.portName = m[1], m[2]
	} else {
		return refuse(s.Place, "an address and a port (192.0.2.1:80, or [2001:db8::1]:80 with virtual6), a host and a port, or a firewall mark was expected after %s =", s.word)
	}
	return nil
}
