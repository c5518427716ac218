package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// forwarding reads a forwarding method.
func forwarding[T any](ref func(*T) *setting[method]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		m, ok := methodOf(s.Args())
		if !ok {
			w.refuse(s, "NAT, DR or TUN, behind which there may be the type of a tunnel")
			return
		}
		ref(t).take(s, m)
		w.leaf(s, len(s.Words))
	}
}

// methodOf reads a forwarding method: "DR", "TUN type gue port 5555 csum".
func methodOf(words []string) (m method, ok bool) {
	if len(words) == 0 {
		return m, false
	}
	if m.forward, ok = map[string]string{"NAT": "nat", "DR": "direct", "TUN": "tunnel"}[words[0]]; !ok {
		return m, false
	}
	m.tunnel = "ipip"
	for i := 1; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "type":
			m.tunnel = value
			i++
		case "port":
			if m.port, ok = portOf(value); !ok || m.port == 0 {
				return m, false
			}
			i++
		case "nocsum", "csum", "remcsum":
			m.checksum = map[string]string{"csum": "plain", "remcsum": "remote"}[words[i]]
		default:
			return m, false
		}
	}
	return m, m.consistent()
}

// consistent reports whether the kernel has such a tunnel.
func (m method) consistent() bool {
	switch m.tunnel {
	case "ipip":
		return m.port == 0 && m.checksum == ""
	case "gre":
		return m.port == 0 && m.checksum != "remote"
	case "gue":
		return m.port != 0
	}
	return false
}

// runs reads a program.
func runs[T any](ref func(*T) *setting[program]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		if p, ok := w.programOf(s, 2); ok {
			ref(t).take(s, p)
		}
		w.drop(importer.Note, s)
	}
}

// programOf reads the program that a statement runs, and so many words behind it, which are a
// user and a group.
func (w *walk) programOf(s *Statement, words int) (p program, ok bool) {
	run, rest, err := s.Command()
	if err != nil || len(run) == 0 {
		w.lose(importer.Note, s, "it names no program that could be run", "")
		return p, false
	}
	if last := min(len(rest), words); len(rest) > last {
		w.loseText(importer.Note, s, strings.Join(rest[last:], " "), "nothing is expected there, and keepalived passes over it", "")
		rest = rest[:last]
	}
	run[0] = w.findProgram(s, run[0])
	p.run = run
	if p.user, ok = w.whom(s, rest); !ok {
		return p, false
	}
	if len(rest) > 1 {
		p.group = rest[1]
	}
	return p, true
}
