package keepalived

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A serverGroup is a virtual_server_group.
type serverGroup struct {
	head    *Statement
	entries []entry
	used    bool
}

// An entry is a line of a group: addresses from the first to the last one, or a mark.
type entry struct {
	s           *Statement
	first, last netip.Addr
	port        uint16
	mark        uint32
	family      string // of a mark, if it was said
}

// readGroup reads a group; nil if there is nothing in it.
func readGroup(w *walk, s *Statement) *serverGroup {
	g := &serverGroup{head: s}
	w.extra(s, 2)
	for _, line := range s.Block {
		e, wrong := entryOf(line)
		switch {
		case wrong != "":
			w.skip(line, wrong)
			continue
		}
		w.leaf(line, e.words())
		g.entries = append(g.entries, e)
	}
	if s.Arg(1) == "" || len(g.entries) == 0 {
		w.lose(importer.Note, s, "the group has no name or no address that can be used, and keepalived passes over it as well", "")
		return nil
	}
	return g
}

// entryOf reads a line of a group, or says what is wrong with it.
func entryOf(s *Statement) (e entry, wrong string) {
	e.s = s
	if s.Words[0] == "fwmark" {
		n, err := strconv.ParseUint(s.Arg(1), 10, 32)
		family, known := map[string]string{"inet": "ipv4", "inet6": "ipv6"}[s.Arg(2)]
		if err != nil || n == 0 || s.Arg(2) != "" && !known {
			return e, "a mark is a number, behind which there may be inet or inet6, and keepalived passes over this line as well"
		}
		e.mark, e.family = uint32(n), family
		return e, ""
	}
	var ok, known bool
	e.first, ok = address(s.Words[0])
	e.port, known = portOf(s.Arg(1))
	if !ok || !known {
		return e, "a line of a group is an address and a port, or fwmark and a number, and keepalived passes over this one as well"
	}
	if e.last, ok = endOf(e.first, s.Words[0]); !ok || e.last.Less(e.first) {
		return e, "the range has no end that is behind its start, and keepalived passes over this line as well"
	}
	return e, ""
}

// words is how many words of a line count.
func (e entry) words() int {
	if e.mark != 0 {
		return 3
	}
	return 2
}

// size is how many addresses an entry stands for.
func (e entry) size() uint64 {
	if e.mark != 0 {
		return 1
	}
	a, b := e.first.As16(), e.last.As16()
	n := uint64(0)
	for i := range a {
		if n > math.MaxUint32 {
			return n
		}
		n = n<<8 + uint64(b[i]) - uint64(a[i])
	}
	return n + 1
}

// endOf returns the last address of a range: "10.0.0.1-9", "10.0.0.1-10.0.1.9", "10.0.0.0/28".
func endOf(first netip.Addr, text string) (netip.Addr, bool) {
	if _, end, isRange := strings.Cut(text, "-"); isRange {
		if strings.ContainsAny(end, ".:") {
			last, err := netip.ParseAddr(end)
			return last.Unmap(), err == nil && last.Unmap().Is4() == first.Is4()
		}
		return withLast(first, end)
	}
	_, bits, isNetwork := strings.Cut(text, "/")
	if !isNetwork {
		return first, true
	}
	n, err := strconv.Atoi(bits)
	p, wrong := first.Prefix(n)
	if err != nil || wrong != nil || n == 0 || p.Addr() != first {
		return first, false
	}
	last := first.AsSlice()
	for i := n; i < len(last)*8; i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(last)
	return a, true
}

// withLast returns an address with another last part: a decimal number of IPv4, a
// hexadecimal one of IPv6.
func withLast(first netip.Addr, end string) (netip.Addr, bool) {
	if first.Is4() {
		n, err := strconv.ParseUint(end, 10, 8)
		a := first.As4()
		if err != nil || byte(n) <= a[3] {
			return first, false
		}
		a[3] = byte(n)
		return netip.AddrFrom4(a), true
	}
	n, err := strconv.ParseUint(end, 16, 16)
	a := first.As16()
	if err != nil || n <= uint64(a[14])<<8+uint64(a[15]) {
		return first, false
	}
	a[14], a[15] = byte(n>>8), byte(n)
	return netip.AddrFrom16(a), true
}

// markFamily is the family of a service by mark: the one that was said, or else that of its servers.
func (v *virtualServer) markFamily(e entry) string {
	if e.family != "" {
		return e.family
	}
	if v.family.given {
		return v.family.value
	}
	return familyOf(v.servers[0].addr)
}

// A batch is what one block of a service stands for: a mark, or addresses of one family with
// one port.
type batch struct {
	entries []entry
	several bool // the group has other batches
	first   bool // of these
}

// maxBatch bounds how many ranges are in a list.
const maxBatch = 256

// batches divides entries into what can be one block.
func batches(entries []entry) (all []batch) {
	same := func(a, b entry) bool {
		return a.mark == 0 && b.mark == 0 && a.port == b.port && a.first.Is4() == b.first.Is4()
	}
	for _, e := range entries {
		i := slices.IndexFunc(all, func(b batch) bool { return same(b.entries[0], e) && len(b.entries) < maxBatch })
		if i < 0 {
			all, i = append(all, batch{}), len(all)
		}
		all[i].entries = append(all[i].entries, e)
	}
	for i := range all {
		all[i].several, all[i].first = len(all) > 1, i == 0
	}
	return all
}

// maxAlone is how many addresses lvsd has a service of the kernel's own for.
const maxAlone = 64

// size is how many addresses or marks a batch has, as far as that is up to the bound.
func (b batch) size() (n uint64) {
	for _, e := range b.entries {
		if n += e.size(); n > maxAlone {
			return n
		}
	}
	return n
}

// String writes an entry as lvsd reads it.
func (e entry) String() string {
	switch {
	case e.first == e.last:
		return e.first.String()
	case strings.Contains(e.s.Words[0], "/"):
		return e.s.Words[0]
	case e.first.Is4() && netip.PrefixFrom(e.first, 24).Masked().Contains(e.last):
		return e.first.String() + "-" + strconv.Itoa(int(e.last.As4()[3]))
	}
	return e.first.String() + "-" + e.last.String()
}

// overlaps reports whether two entries have an address in common.
func (e entry) overlaps(o entry) bool {
	return !e.last.Less(o.first) && !o.last.Less(e.first)
}

// listened is what is listened to at one port, or with one mark. There may be 100,000 of them.
type listened struct {
	at     map[netip.Addr]entry // single addresses; those of marks have none
	ranges []entry
}

// add adds an entry, unless another one has some of its addresses: that is the first one.
func (l *listened) add(e entry) (first entry, again bool) {
	if e.first == e.last {
		if first, again = l.at[e.first]; again {
			return first, true
		}
	} else {
		for _, o := range l.at {
			if e.overlaps(o) && (!again || o.s.Line < first.s.Line) {
				first, again = o, true
			}
		}
	}
	if i := slices.IndexFunc(l.ranges, e.overlaps); i >= 0 && !again {
		return l.ranges[i], true
	}
	switch {
	case again:
	case e.first == e.last:
		l.at[e.first] = e
	default:
		l.ranges = append(l.ranges, e)
	}
	return first, again
}

// six reports whether a service is one of IPv6.
func (v *virtualServer) six(e entry) bool {
	if e.mark != 0 {
		return v.markFamily(e) == "ipv6"
	}
	return e.first.Is6()
}
