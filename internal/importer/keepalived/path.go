package keepalived

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// tableNames are the names of routing tables that every machine has.
var tableNames = map[string]string{"main": "254", "default": "253", "local": "255"}

// A path is a route, as far as its line was read.
type pathReader struct {
	*section
	s  *Statement
	at int
	b  *importer.Block
	// six: the line says that it is of IPv6
	six bool
}

// next returns the next word, and what follows it.
func (r *pathReader) next() (word, value string, more bool) {
	if r.at >= len(r.s.Words) {
		return "", "", false
	}
	return r.s.Words[r.at], r.s.Arg(r.at + 1), true
}

// lost tells of words for which there is nothing.
func (r *pathReader) lost(n int) {
	text := spaced(r.s.Words[r.at:min(r.at+n, len(r.s.Words))])
	kind, reason, remedy := r.fate(r.s.Words[r.at])
	r.loseText(max(kind, importer.Lost), r.s, text, reason, remedy)
	r.at += n
}

// number sets an option to a number.
func (r *pathReader) number(name, value string) {
	n, err := strconv.ParseUint(value, 0, 32)
	if err != nil {
		r.lost(2)
		return
	}
	r.b.Set(name, importer.Number(int64(n)), r.s.Place)
	r.at += 2
}

// routeBlocks makes blocks route of lines.
func (c *section) routeBlocks(into *importer.Block, list []*Statement, track bool) {
	for _, s := range list {
		r := &pathReader{section: c, s: s, b: importer.NewBlock("route", "").Of(s.Place).Note(comments(s)...)}
		switch {
		case !r.route(track):
		case !c.isNew("route " + r.to() + " " + cmp.Or(valueOf(r.b, "table"), "254") + " " + r.metric()):
			c.lose(importer.Lost, s, "there is a route to that destination already, and a table has one with each metric", "Write metric = 100, or another one, in one of the two.")
		default:
			into.Items = append(into.Items, r.b)
		}
	}
}

// isNew reports whether nothing of the same key was there before.
func (w *walk) isNew(key string) bool {
	if w.keys == nil {
		w.keys = map[string]bool{}
	}
	before := w.keys[key]
	w.keys[key] = true
	return !before
}

// route reads the line of a route, in the grammar of ip-route(8).
func (r *pathReader) route(track bool) bool {
	untracked := false
	for {
		word, value, more := r.next()
		if !more {
			break
		}
		switch word {
		case "add", "prepend", "append", "inet", "inet6", "unicast":
			r.six = r.six || word == "inet6"
			r.at++
		case "default6":
			r.six, r.s.Words[r.at] = true, "default"
		case "blackhole", "unreachable", "prohibit":
			r.b.Set("type", importer.String(word), r.s.Place)
			r.at++
		case "no_track":
			untracked = true
			r.at++
		case "to":
			r.at++
		case "onlink":
			r.b.Set("onlink", importer.Bool(true), r.s.Place)
			r.at++
		default:
			r.routeOption(word, value)
		}
	}
	if r.b.Labels[0] == "" {
		r.lose(importer.Lost, r.s, "no destination can be read here", `Write route "10.9.0.0/16" { via = "10.13.0.1" }.`)
		return false
	}
	r.family()
	if track && untracked && r.b.Get("interface") != nil {
		r.b.Set("track", importer.Bool(false), r.s.Place)
	}
	return r.leads()
}

// family has a default route of IPv6 say so where nothing else does, and takes the scope from
// routes of IPv6, which have none.
func (r *pathReader) family() {
	via := valueOf(r.b, "via") + valueOf(r.b, "source")
	if r.b.Labels[0] == "default" && r.six && !strings.Contains(via, ":") {
		r.b.Labels[0] = "::/0"
	}
	if r.b.Get("scope") != nil && strings.Contains(r.b.Labels[0]+via, ":") {
		r.loseText(importer.Note, r.s, "scope "+valueOf(r.b, "scope"), "a route of IPv6 has no scope, and the kernel passes over it", "")
		r.b.Remove("scope")
	}
}

// to is the destination, as the kernel knows it.
func (r *pathReader) to() string {
	if r.b.Labels[0] == "default" && strings.Contains(valueOf(r.b, "via")+valueOf(r.b, "source"), ":") {
		return "::/0"
	}
	return r.b.Labels[0]
}

// metric is the metric that the kernel gives a route.
func (r *pathReader) metric() string {
	m := valueOf(r.b, "metric")
	if strings.Contains(r.b.Labels[0]+valueOf(r.b, "via"), ":") && (m == "" || m == "0") {
		return "1024"
	}
	return cmp.Or(m, "0")
}

// leads reports whether a route leads anywhere.
func (r *pathReader) leads() bool {
	if r.b.Get("via") == nil && r.b.Get("interface") == nil && r.b.Get("type") == nil {
		r.lose(importer.Lost, r.s, "the route has neither a next router nor an interface", `Write route "`+r.b.Labels[0]+`" { via = "10.13.0.1" }.`)
		return false
	}
	if r.b.Get("onlink") != nil && (r.b.Get("via") == nil || r.b.Get("interface") == nil) {
		r.loseText(importer.Lost, r.s, "onlink", "it says that the next router is on the interface, and both are needed for that", "")
		r.b.Remove("onlink")
	}
	if r.b.Get("type") != nil {
		for _, name := range [...]string{"via", "interface", "source", "scope", "onlink", "mtu", "advertised_mss", "hop_limit", "window", "track"} {
			if r.b.Get(name) != nil {
				r.loseText(importer.Note, r.s, name, "a route that sends no packets has none", "")
				r.b.Remove(name)
			}
		}
	}
	return true
}

// routeOption reads one option of a route, or its destination.
func (r *pathReader) routeOption(word, value string) {
	switch word {
	case "via", "gw":
		if value == "inet" || value == "inet6" {
			r.at++
			value = r.s.Arg(r.at + 1)
		}
		r.address("via", value)
	case "src":
		r.address("source", value)
	case "dev", "oif":
		r.b.Set("interface", importer.String(value), r.s.Place)
		r.at += 2
	case "table":
		r.table(value)
	case "metric", "priority", "preference":
		r.number("metric", value)
	case "hoplimit":
		r.number("hop_limit", value)
	case "advmss":
		r.locked("advertised_mss")
	case "mtu", "window":
		r.locked(word)
	case "scope":
		r.scope(value)
	case "protocol", "proto":
		r.loseText(importer.Note, r.s, word+" "+value, "routes of lvsd have protocol 112, by which it knows its own", "")
		r.at += 2
	default:
		r.destination(word)
	}
}

// address sets an option to an address.
func (r *pathReader) address(name, value string) {
	p, _, ok := prefixOf(value)
	if !ok {
		r.lost(2)
		return
	}
	r.b.Set(name, importer.String(p.Addr().String()), r.s.Place)
	r.at += 2
}

// locked reads a number after which "lock" may stand.
func (r *pathReader) locked(name string) {
	if r.s.Arg(r.at+1) == "lock" {
		r.loseText(importer.Differs, r.s, spaced(r.s.Words[r.at:min(r.at+3, len(r.s.Words))]), "lvsd sets the number, and does not lock it against what the kernel learns", "")
		r.at++
	}
	r.number(name, r.s.Arg(r.at+1))
}

// table sets the routing table.
func (r *pathReader) table(value string) {
	value = cmp.Or(tableNames[value], value)
	if _, err := strconv.ParseUint(value, 0, 32); err != nil {
		r.loseText(importer.Lost, r.s, "table "+value, "lvsd knows routing tables by their numbers", "Write table = 100, with the number that /etc/iproute2/rt_tables has for it.")
		r.at += 2
		return
	}
	r.number("table", value)
}

// scope sets the scope of a route.
func (r *pathReader) scope(value string) {
	names := map[string]string{"0": "global", "200": "site", "253": "link", "254": "host"}
	value = cmp.Or(names[value], value)
	if !strings.Contains(" global site link host ", " "+value+" ") {
		r.lost(2)
		return
	}
	r.b.Set("scope", importer.String(value), r.s.Place)
	r.at += 2
}

// destination takes a word as the destination, if there is none yet.
func (r *pathReader) destination(word string) {
	p, _, ok := prefixOf(word)
	switch {
	case r.b.Labels[0] != "" || !ok && word != "default":
		n := 1
		if _, value, _ := r.next(); value != "" && !takesNothing(word) {
			n = 2
		}
		r.lost(n)
	case word == "default" || p.Bits() == 0 && p.Addr().Is4():
		r.b.Labels[0] = "default"
		r.at++
	default:
		r.b.Labels[0] = p.Masked().String()
		r.at++
	}
}

// takesNothing reports whether a word of ip-route(8) has no value.
func takesNothing(word string) bool {
	return strings.Contains(" nexthop fastopen_no_cookie quickack or l3mdev not ", " "+word+" ")
}

// network writes a network as lvsd does; "" for all.
func networkText(word string) (text string, ok bool) {
	p, _, ok := prefixOf(word)
	if word == "all" || word == "any" || word == "default" || ok && p.Bits() == 0 {
		return "", true
	}
	return p.Masked().String(), ok
}

// ruleBlocks makes blocks rule of lines. Without a priority, keepalived counts down from 16384.
func (c *section) ruleBlocks(into *importer.Block, list []*Statement) {
	for _, s := range list {
		r := &pathReader{section: c, s: s, b: importer.NewBlock("rule").Of(s.Place).Note(comments(s)...)}
		if !r.rule() {
			continue
		}
		if r.b.Get("priority") == nil {
			r.b.Set("priority", importer.Number(c.nextRule()))
			c.lose(importer.Note, s, "the rule has no priority, and keepalived counts down from 16384, as is done here", "")
		}
		if !c.isNew("rule" + ruleKey(r.b)) {
			c.lose(importer.Lost, s, "there is the same rule already, and the kernel has it once", "")
			continue
		}
		into.Items = append(into.Items, r.b)
	}
}

// ruleKey is all that distinguishes a rule.
func ruleKey(b *importer.Block) (key string) {
	for _, name := range [...]string{"priority", "from", "to", "iif", "oif", "firewall_mark", "firewall_mask", "protocol", "source_port", "destination_port", "suppress_prefix_length", "table", "family"} {
		key += " " + valueOf(b, name)
	}
	return key
}

// nextRule returns the priority of the next rule without one.
func (w *walk) nextRule() int {
	w.ruled++
	return 16385 - w.ruled
}

// rule reads the line of a rule, in the grammar of ip-rule(8).
func (r *pathReader) rule() bool {
	six := false
	for {
		word, value, more := r.next()
		if !more {
			break
		}
		if word == "inet6" || word == "inet" {
			six = word == "inet6"
			r.at++
			continue
		}
		r.ruleOption(word, value)
	}
	if six && r.b.Get("from") == nil && r.b.Get("to") == nil {
		r.b.Set("family", importer.String("ipv6"), r.s.Place)
	}
	if r.b.Get("table") == nil {
		r.lose(importer.Lost, r.s, "the rule leads to no routing table that lvsd knows by its number", "Write a rule with table = 100, with the number of the table.")
		return false
	}
	return true
}

// ruleOption reads one option of a rule.
func (r *pathReader) ruleOption(word, value string) {
	names := map[string]string{"iif": "iif", "dev": "iif", "oif": "oif", "sport": "source_port", "dport": "destination_port"}
	switch word {
	case "from", "to":
		text, ok := networkText(value)
		if !ok {
			r.lost(2)
			return
		}
		if text != "" {
			r.b.Set(word, importer.String(text), r.s.Place)
		}
		r.at += 2
	case "iif", "dev", "oif", "sport", "dport":
		r.b.Set(names[word], importer.String(value), r.s.Place)
		r.at += 2
	case "table", "lookup":
		r.table(value)
	case "priority", "preference", "order", "pref":
		r.number("priority", value)
	case "fwmark":
		r.mark(value)
	case "ipproto", "ip_proto":
		r.protocol(value)
	case "suppress_prefixlength", "suppress_prefixlen":
		r.number("suppress_prefix_length", value)
	case "protocol", "proto":
		r.loseText(importer.Note, r.s, word+" "+value, "rules of lvsd have protocol 112, by which it knows its own", "")
		r.at += 2
	case "no_track", "add":
		r.at++
	default:
		n := 2
		if takesNothing(word) || value == "" {
			n = 1
		}
		r.lost(n)
	}
}

// mark reads a mark, and the bits of it that count.
func (r *pathReader) mark(value string) {
	mark, mask, masked := strings.Cut(value, "/")
	m, err1 := strconv.ParseUint(mark, 0, 32)
	k, err2 := strconv.ParseUint(mask, 0, 32)
	if err1 != nil || masked && err2 != nil {
		r.lost(2)
		return
	}
	r.b.Set("firewall_mark", importer.Number(int64(m)), r.s.Place)
	if masked {
		r.b.Set("firewall_mask", importer.Number(int64(k)), r.s.Place)
	}
	r.at += 2
}

// protocol reads the protocol of packets.
func (r *pathReader) protocol(value string) {
	names := map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "icmpv6", "132": "sctp"}
	value = strings.ToLower(cmp.Or(names[value], value))
	for _, known := range names {
		if known == value {
			r.b.Set("protocol", importer.String(value), r.s.Place)
			r.at += 2
			return
		}
	}
	r.lost(2)
}
