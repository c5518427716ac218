package ldirectord

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/text"
)

// A server is a real server, or a fallback.
type server struct {
	*line
	name         string // as it is written
	address      netip.Addr
	named        bool   // it was given by a host's name
	portName     string // of a fallback, as it is written
	port         uint16 // 0: none
	forward      string // as lvsd calls it
	weight       int
	asks         bool // it has a request and an answer of its own
	request      string
	receive      string
	lower, upper int
}

// forwards are the forwarding methods.
var forwards = map[string]string{"gate": "direct", "masq": "nat", "ipip": "tunnel"}

// What ldirectord looks for in the value of real=, one after the other in what is left.
var (
	realHead   = text.Pattern(`(\d+\.\d+\.\d+\.\d+|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?:->(\d+\.\d+\.\d+\.\d+|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]))?(?::([A-Za-z0-9_-]+))?\s+(.*)`)
	realWay    = text.Pattern(`(\w+)(.*)`)
	realWeight = text.Pattern(`\s+(\d+)(.*)`)
	realAsks   = text.Pattern(`\s+"(.*)"[, ]\s*"(.*)"(.*)`)
	realLower  = text.Pattern(`\s+l:(\d+)(.*)`)
	realUpper  = text.Pattern(`\s+u:(\d+)(.*)`)
	twoColons  = text.Pattern(`^([A-Za-z0-9.-]+)::([A-Za-z0-9_-]+\s)`)
)

// servers returns what a line real= stands for: a server, or those of a range.
func (w *walk) real(s *service, l *line) ([]*server, error) {
	value := l.value
	if twoColons().MatchString(value) {
		w.lose(importer.Differs, l, "there are two colons before the port, and ldirectord takes the port for the address of the server; here, it is the port", "")
		value = twoColons().ReplaceAllString(value, "$1:$2")
	}
	m := realHead().FindStringSubmatch(value)
	if m == nil {
		return nil, refuse(l.Place, "%s: ADDRESS[->ADDRESS][:PORT] and gate, masq or ipip were expected", l.word)
	}
	first := &server{line: l, name: m[1]}
	if err := first.flags(m[4]); err != nil {
		return nil, err
	}
	var ok bool
	if first.port, ok = w.port(m[3], ""); m[3] != "" && !ok {
		w.lose(importer.Lost, l, "the port "+m[3]+" is not known on this machine", "Write its number.")
		return nil, nil
	}
	if ok = w.locate(first, s.ipv6); !ok {
		return nil, nil
	}
	if m[2] == "" {
		return []*server{first}, nil
	}
	last := &server{line: l, name: m[2]}
	if !w.locate(last, s.ipv6) {
		return nil, nil
	}
	return w.between(first, last)
}

// locate finds a server's address, or tells why it has none.
func (w *walk) locate(r *server, ipv6 bool) (ok bool) {
	var err error
	r.address, r.named, err = w.address(r.name, ipv6)
	if err != nil {
		w.lose(importer.Lost, r.line, "there is no address for "+r.name+": "+text.Printable(err.Error()), "Write its address.")
	}
	return err == nil
}

// between returns the servers of a range.
func (w *walk) between(first, last *server) (all []*server, err error) {
	if first.address.Is6() {
		return nil, refuse(first.Place, "ldirectord has no ranges of addresses of IPv6: one line real6= was expected for each")
	}
	if last.address.Less(first.address) {
		return nil, refuse(first.Place, "the range ends with %s, before its beginning, %s", last.address, first.address)
	}
	for a := first.address; ; a = a.Next() {
		r := *first
		if r.address = a; a != first.address {
			r.name, r.named = a.String(), false
		}
		if all = append(all, &r); len(all) > maxServers {
			return nil, refuse(first.Place, "the range has more than %d servers", maxServers)
		}
		if a == last.address {
			return all, nil
		}
	}
}

// flags reads what follows a server's address, as loosely as ldirectord does.
func (r *server) flags(rest string) error {
	number := func(p *regexp.Regexp, absent int) int {
		m := p.FindStringSubmatch(rest)
		if m == nil {
			return absent
		}
		rest = m[2]
		n, err := strconv.ParseUint(m[1], 10, 31)
		if err != nil {
			return 1<<31 - 1
		}
		return int(n)
	}
	m := realWay().FindStringSubmatch(rest)
	if m == nil || forwards[m[1]] == "" {
		return refuse(r.Place, "%s: gate, masq or ipip was expected after the address", r.word)
	}
	r.forward, rest = forwards[m[1]], m[2]
	r.weight = number(realWeight(), 1)
	if m := realAsks().FindStringSubmatch(rest); m != nil {
		r.asks, r.request, r.receive, rest = true, rooted(m[1]), m[2], m[3]
	}
	r.lower, r.upper = number(realLower(), 0), number(realUpper(), 0)
	if strings.TrimSpace(rest) != "" {
		return refuse(r.Place, "%s: nothing was expected any more at %q: after gate, masq or ipip come the weight, \"request\", \"receive\", l:NUMBER and u:NUMBER, in this order", r.word, bounded(rest))
	}
	return nil
}

// rooted is a request as ldirectord has it.
func rooted(request string) string {
	if strings.HasPrefix(request, "/") {
		return request
	}
	return "/" + request
}
