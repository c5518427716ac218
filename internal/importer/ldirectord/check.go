package ldirectord

import (
	"path"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// kinds are what is spoken on a port, where nothing is said.
var kinds = map[uint16]string{
	21: "ftp", 25: "smtp", 53: "dns", 80: "http", 110: "pop", 119: "nntp", 143: "imap", 389: "ldap", 443: "https", 587: "submission", 636: "ldaps",
	993: "imaps", 995: "pops", 1521: "oracle", 1812: "radius", 3128: "http_proxy", 3306: "mysql", 5060: "sip", 5432: "pgsql",
}

// usual is the port of what is spoken.
func usual(kind string) uint16 {
	for port, k := range kinds {
		if k == kind {
			return port
		}
	}
	return 0
}

// A checked is what checks of a service's servers have in common.
type checked struct {
	*service
	port      uint16
	protocol  string // "tcp" or "udp"; of a mark, "tcp"
	kind      string // what is spoken
	unchecked bool   // its only server is the fallback
}

// checks returns the checks that a server must pass.
func (w *walk) checks(s *checked, r *server) []*importer.Block {
	l := w.of(s.service, "checktype")
	kind := "negotiate"
	if l != nil {
		kind = l.value
	}
	if s.unchecked {
		kind = "on"
	}
	var from []importer.Place
	if l != nil {
		from = append(from, l.Place)
	}
	switch kind {
	case "on":
		return []*importer.Block{importer.NewBlock("check", "none").Of(from...)}
	case "ping":
		return []*importer.Block{w.ping(s).Of(from...)}
	case "connect":
		return []*importer.Block{w.connect(s, r).Of(from...)}
	case "external", "external-perl":
		return []*importer.Block{w.external(s, r, kind).Of(from...)}
	case "negotiate":
		return []*importer.Block{w.negotiate(s, r).Of(from...)}
	}
	return w.combined(s, r, l)
}

// ping makes a check by ICMP, of as many attempts as ldirectord makes.
func (w *walk) ping(s *checked) *importer.Block {
	b := importer.NewBlock("check", "ping")
	w.timed(s.service, b, false)
	n := choose(1, w.either(s.service, "checkcount"))
	if n.n == 1 {
		if n.line != nil {
			b.From = append(b.From, n.from...)
		}
		return b
	}
	fall := min(w.failures(s.service).n*n.n, mostFailures)
	b.Set("fall", importer.Number(fall), n.from...)
	every, limit := w.interval(s.service), w.limit(s.service, false)
	b.Set("fast_interval", importer.Duration(min(every.time(), limit.time(), longestTime)), n.from...)
	b.Note("ldirectord asks up to " + strconv.Itoa(n.n) + " times in each of its rounds.")
	return b
}

// connect makes a check that connects; of UDP, ldirectord asks by ICMP.
func (w *walk) connect(s *checked, r *server) *importer.Block {
	if s.protocol == "udp" {
		return w.ping(s)
	}
	if w.nowhere(s, r) {
		return w.ping(s)
	}
	b := importer.NewBlock("check", "tcp")
	w.at(s, r, b)
	w.timed(s.service, b, false)
	return b
}

// checkPort returns the port that checks of a server go to, and the line that says it; 0 if
// there is none.
func (w *walk) checkPort(s *checked, r *server) (port uint16, l *line) {
	switch l = w.of(s.service, "checkport"); {
	case l != nil:
		n, _ := strconv.ParseUint(l.value, 10, 16)
		return uint16(n), l
	case r.port == 0:
		return usual(s.kind), nil
	}
	return r.port, nil
}

// nowhere reports whether there is no port for checks of a server, and tells it.
func (w *walk) nowhere(s *checked, r *server) bool {
	if port, _ := w.checkPort(s, r); port != 0 || s.port != 0 {
		return false
	}
	w.lose(importer.Differs, r.line, "there is no port for its checks, so that it is down in ldirectord; here, it must answer to ping", `Write port = 80 in the check block.`)
	return true
}

// at sets the port that a check goes to, where it is not the server's.
func (w *walk) at(s *checked, r *server, b *importer.Block) {
	port, l := w.checkPort(s, r)
	if port == 0 {
		w.lose(importer.Differs, r.line, "it has no port, and ldirectord knows none for its checks, so that it is down; here, the port of the service is checked", "")
	}
	if l != nil {
		b.From = append(b.From, l.Place)
	}
	if port != 0 && port != s.own(r) {
		b.Set("port", importer.Number(port), places(l)...)
	}
}

// own is the port at which a server gets packets, which checks go to by themselves; 0 if it
// is the client's.
func (s *checked) own(r *server) uint16 {
	if r.forward == "nat" && r.port != 0 {
		return r.port
	}
	return s.port
}

// external makes a check by a program, which is told of the server by its arguments.
func (w *walk) external(s *checked, r *server, kind string) *importer.Block {
	b := importer.NewBlock("check", "exec")
	program, from := "/bin/true", []importer.Place(nil)
	if l := w.of(s.service, "checkcommand"); l != nil {
		program, from = l.value, places(l)
		if !path.IsAbs(program) {
			w.lose(importer.Differs, l, "the path of a program is absolute", "Write the whole path in run.")
			program = path.Join("/etc/ha.d", program)
		}
	}
	run := []string{program, s.shown(), strconv.Itoa(int(s.port))}
	if kind == "external-perl" {
		run = append([]string{"/usr/bin/perl"}, run...)
		w.lose(importer.Differs, w.of(s.service, "checktype"), "ldirectord runs the program within itself; here, perl is started for each check", "")
	}
	if r.port == s.own(r) { // All servers have the same check, so that one can be added without.
		run = append([]string{"/bin/sh", "-c", `exec "$0" "$@" "$LVSD_SERVER_ADDRESS" "$LVSD_SERVER_PORT"`}, run...)
	} else {
		run = append(run, r.address.String(), strconv.Itoa(int(r.port)))
	}
	b.Set("run", importer.Strings(run...), from...)
	b.Set("user", importer.String("root"))
	w.timed(s.service, b, false)
	return b
}

// shown is the address of a service, or its mark, as programs are told.
func (s *checked) shown() string {
	if s.mark != 0 {
		return strconv.Itoa(s.mark)
	}
	return s.host
}

// combined makes the checks of a number: so many times a connection, and then what is
// spoken; after a failure, only that until it passes.
func (w *walk) combined(s *checked, r *server, l *line) []*importer.Block {
	n, _ := strconv.Atoi(l.value)
	b := w.negotiate(s, r).Of(l.Place)
	if b.Labels[0] == "none" || n == 0 {
		return []*importer.Block{b}
	}
	c := w.connect(s, r).Of(l.Place)
	interval := w.interval(s.service)
	w.bound(&interval, int(longestTime/time.Second))
	every := interval.time()
	long := min(every*time.Duration(min(n, 1<<20)+1), longestTime)
	b.Set("interval", importer.Duration(long), l.Place)
	b.Set("fast_interval", importer.Duration(every))
	b.Set("down_interval", importer.Duration(every))
	return []*importer.Block{c, b}
}

// negotiate makes the check of what is spoken.
func (w *walk) negotiate(s *checked, r *server) *importer.Block {
	if s.kind != "none" && w.nowhere(s, r) {
		return w.ping(s)
	}
	b := w.spoken(s, r).Of(places(w.of(s.service, "service"))...)
	if b.Labels[0] == "none" {
		return b
	}
	if b.Labels[0] != "ping" {
		w.at(s, r, b)
	}
	w.timed(s.service, b, true)
	if s.kind == "ldap" || s.kind == "ldaps" || s.kind == "radius" {
		limit := w.limit(s.service, false)
		w.bound(&limit, int(longestTime/time.Second))
		if own := w.limit(s.service, true); limit.n < own.n {
			b.Set("timeout", importer.Duration(limit.time()), limit.from...)
		}
	}
	return b
}

// spoken makes the check, without times and port.
func (w *walk) spoken(s *checked, r *server) *importer.Block {
	switch kind := s.kind; kind {
	case "http", "https", "http_proxy":
		return w.web(s.service, r, kind)
	case "smtp", "submission":
		return importer.NewBlock("check", "smtp")
	case "pop", "pops":
		return w.mail(s.service, "pop3", kind == "pops")
	case "imap", "imaps":
		return w.mail(s.service, "imap", kind == "imaps")
	case "ftp":
		return w.ftp(s.service, r)
	case "nntp":
		return importer.NewBlock("check", "nntp")
	case "ldap", "ldaps":
		return w.ldap(s.service, r, kind == "ldaps")
	case "dns":
		return w.dns(s.service, r, s.protocol)
	case "sip":
		return w.sip(s.service, s.protocol)
	case "radius":
		return w.radius(s.service)
	case "mysql":
		return w.sql(s.service, r, "mysql")
	case "pgsql":
		return w.sql(s.service, r, "postgres")
	case "oracle":
		w.lose(importer.Differs, first(w.of(s.service, "service"), s.line), "lvsd does not speak Oracle's protocol; here, a connection must be possible", `Write check "exec" with a program that asks the database.`)
		return importer.NewBlock("check", "tcp")
	case "simpletcp":
		return w.simple(s.service, r, s.protocol)
	}
	return importer.NewBlock("check", "none")
}
