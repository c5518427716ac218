package ldirectord

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/importer"
)

// login sets whom a check logs in as. It returns false where nobody is.
func (w *walk) login(s *service, b *importer.Block) bool {
	l, p := w.of(s, "login"), w.of(s, "passwd")
	if l == nil {
		return false
	}
	if p == nil && b.Labels[0] != "mysql" && b.Labels[0] != "postgres" && !(b.Labels[0] == "ftp" && l.value == "anonymous") {
		w.lose(importer.Differs, l, "there is no passwd for it; here, nobody logs in", `Write user and password_file in the check block.`)
		return false
	}
	b.Set("user", importer.String(l.value), l.Place)
	if p != nil {
		b.Set("password_file", importer.String(w.Secret(s.name, "password", p.value)), p.Place)
	}
	return true
}

// mail makes a check of a server of mailboxes.
func (w *walk) mail(s *service, kind string, tls bool) *importer.Block {
	b := importer.NewBlock("check", kind)
	w.login(s, b)
	if tls {
		w.nameless(s, b)
	}
	return b
}

// ftp makes a check by FTP.
func (w *walk) ftp(s *service, r *server) *importer.Block {
	b := importer.NewBlock("check", "ftp")
	if !w.login(s, b) {
		b.Set("user", importer.String("anonymous"))
	}
	a := w.asked(s, r)
	if a.text() == "" {
		w.lose(importer.Differs, first(a.line, s.line), "no file is named: ldirectord reads none then, and takes the server for up however it answers, or for down if it wants an answer; here, it must let the user in", `Write file = "welcome.msg" in the check block.`)
		if a.answer != nil {
			w.lose(importer.Lost, a.answer, "there is no file in which this could be", "")
		}
		return b
	}
	b.Set("file", importer.String(a.request), a.from...)
	w.expect(b, a, "pattern")
	return b
}

// ldap makes a check by LDAP.
func (w *walk) ldap(s *service, r *server, tls bool) *importer.Block {
	b := importer.NewBlock("check", "ldap")
	a := w.asked(s, r)
	w.login(s, b)
	if a.text() != "" {
		b.Set("base", importer.String(a.text()), a.from...)
	}
	if a.receive != "" {
		kind, reason := importer.Note, "the entry that is found is the one that was asked for, so its name is this"
		if !strings.Contains(a.text(), a.receive) {
			kind, reason = importer.Differs, "ldirectord wants this in the name of the entry; here, the entry must be there"
		}
		w.lose(kind, a.answer, reason, "")
	}
	if tls {
		unverified(b, "ldirectord verifies no certificates of LDAP.")
	}
	return b
}

// dns makes a check by DNS.
func (w *walk) dns(s *service, r *server, protocol string) *importer.Block {
	b := importer.NewBlock("check", "dns")
	a := w.asked(s, r)
	name, kind := a.text(), "A"
	if ip, err := netip.ParseAddr(name); err == nil {
		name, kind = reverse(ip), "PTR"
	} else if strings.HasSuffix(strings.TrimSuffix(name, "."), ".arpa") {
		kind = "PTR"
	}
	if err := (checker.DNS{Name: name}).Validate(); err != nil {
		w.lose(importer.Differs, a.line, "it is no domain name; here, the root's servers are asked for", `Write name = "www.example.org" in the check block.`)
		name, kind = "", "NS"
	}
	if name != "" {
		b.Set("name", importer.String(name), a.from...)
	}
	b.Set("type", importer.String(kind))
	b.Set("transport", importer.String(protocol))
	answer, plain := literal(a.receive)
	_, err := netip.ParseAddr(answer)
	switch {
	case a.receive == "":
		w.lose(importer.Differs, first(a.line, s.line), "without receive, ldirectord takes all servers of DNS for down; here, any record passes", "")
	case kind == "A" && err == nil, kind == "PTR" && plain && strings.Contains(answer, "."):
		b.Block("expect").Set("answers", importer.Strings(answer), a.heard...)
	default:
		w.lose(importer.Differs, a.answer, "an expression cannot be expected of records, only whole ones; here, any record passes", `Write expect { answers = ["192.0.2.1"] } in the check block.`)
	}
	return b
}

// reverse is the name by which an address is asked for.
func reverse(ip netip.Addr) string {
	var b strings.Builder
	bytes := ip.AsSlice()
	for i := len(bytes) - 1; i >= 0; i-- {
		if ip.Is4() {
			b.WriteString(strconv.Itoa(int(bytes[i])) + ".")
			continue
		}
		const digits = "0123456789abcdef"
		b.WriteString(string(digits[bytes[i]&15]) + "." + string(digits[bytes[i]>>4]) + ".")
	}
	if ip.Is4() {
		return b.String() + "in-addr.arpa"
	}
	return b.String() + "ip6.arpa"
}

// sip makes a check by SIP.
func (w *walk) sip(s *service, protocol string) *importer.Block {
	b := importer.NewBlock("check", "sip")
	b.Set("transport", importer.String(protocol))
	if l := w.of(s, "login"); l != nil {
		b.Set("uri", importer.String("sip:"+l.value), l.Place)
		b.Set("from", importer.String("sip:"+l.value), l.Place)
	}
	b.Block("expect").Set("status", importer.List(importer.Number(200)))
	return b
}

// radius makes a check by RADIUS.
func (w *walk) radius(s *service) *importer.Block {
	b := importer.NewBlock("check", "radius")
	if !w.login(s, b) {
		w.lose(importer.Differs, s.line, "without a login, ldirectord takes all servers of RADIUS for down; here, they must tell their status", "")
	}
	if l := w.of(s, "secret"); l != nil {
		b.Set("secret_file", importer.String(w.Secret(s.name, "secret", l.value)), l.Place)
		return b
	}
	w.lose(importer.Differs, s.line, "a server of RADIUS answers nobody without a secret; here, it must answer to ping", `Write check "radius" with secret_file.`)
	return importer.NewBlock("check", "ping")
}

// sql makes a check of a database.
func (w *walk) sql(s *service, r *server, kind string) *importer.Block {
	b := importer.NewBlock("check", kind)
	a := w.asked(s, r)
	known := w.login(s, b)
	if d := w.of(s, "database"); d != nil && known {
		b.Set("database", importer.String(d.value), d.Place)
	}
	if !known || a.text() == "" {
		w.lose(importer.Differs, s.line, "without login and request, ldirectord takes all databases for down; here, what there is of them is asked", "")
	}
	if known && a.text() != "" {
		b.Set("query", importer.String(a.text()), a.from...)
		b.Block("expect").Note("There must be a row.").Set("pattern", importer.String(`\n`))
	}
	return b
}

// simple makes a check that sends something and waits for something.
func (w *walk) simple(s *service, r *server, protocol string) *importer.Block {
	b := importer.NewBlock("check", protocol)
	a := w.asked(s, r)
	if text := strings.ReplaceAll(a.text(), `\n`, "\n"); text != "" {
		b.Set("send", importer.String(text), a.from...)
		if protocol == "tcp" {
			w.lose(importer.Note, a.line, "ldirectord closes its side of the connection after it has sent this, and lvsd when the answer has come", "")
		}
	}
	if a.receive == "" {
		a.receive = "(?s)."
	} else {
		a.receive = "(?m)" + a.receive // each line is looked at
	}
	w.expect(b, a, "pattern")
	return b
}
