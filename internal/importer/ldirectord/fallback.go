package ldirectord

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/text"
)

// What ldirectord looks for in the value of fallback=.
var (
	fallbackHead = text.Pattern(`(\S+)(?:\s+(\S+))?\s*$`)
	fallbackPort = text.Pattern(`:([A-Za-z0-9_-]+)$`)
)

// fallback returns what serves a service without real servers; nil if nothing does.
func (w *walk) fallback(s *service, port uint16) (*server, error) {
	word := "fallback"
	if s.ipv6 {
		word = "fallback6"
	}
	l := w.of(s, word)
	if l == nil && s.mark != 0 {
		return nil, nil // ldirectord does not find the one for all services
	}
	if l == nil {
		l = w.last(nil, word)
	}
	if l == nil {
		return nil, nil
	}
	r, err := l.fallback()
	if err != nil || !w.locate(r, s.ipv6) {
		return nil, err
	}
	if r.portName == "" {
		r.port = port
		return r, nil
	}
	var ok bool
	if r.port, ok = w.port(r.portName, ""); !ok {
		return nil, refuse(l.Place, "%s: a port was expected after the colon", l.word)
	}
	return r, nil
}

// fallback reads the value of fallback=.
func (l *line) fallback() (*server, error) {
	m := fallbackHead().FindStringSubmatch(l.value)
	if m == nil {
		return nil, refuse(l.Place, "%s: ADDRESS[:PORT] and gate, masq or ipip were expected", l.word)
	}
	if m[2] == "" {
		m[2] = "gate"
	}
	r := &server{line: l, name: m[1], forward: forwards[m[2]], weight: 1}
	if r.forward == "" {
		return nil, refuse(l.Place, "%s: gate, masq or ipip was expected after the address", l.word)
	}
	if p := fallbackPort().FindStringSubmatch(m[1]); p != nil {
		r.name, r.portName = strings.TrimSuffix(m[1], ":"+p[1]), p[1]
	}
	return r, nil
}

// local has a loopback address served by this director itself, where ldirectord's NAT
// loses the packets.
func (w *walk) local(r *server, port uint16) {
	if !r.address.IsLoopback() || r.forward != "nat" {
		return
	}
	r.forward = "direct"
	reason := "packets that NAT sends to a loopback address are lost: this director itself serves them here"
	if r.port != 0 && r.port != port {
		reason += ", at the port of the service"
	}
	w.lose(importer.Differs, r.line, reason, "Give it an address of a network.")
}
