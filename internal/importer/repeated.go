package importer

import (
	"net/netip"
	"strconv"
	"unicode/utf8"
)

// few is how many real servers that differ in their address alone are written one by one.
const few = 2

// repeated makes real servers that follow each other, take several lines each and differ in
// their address alone one dynamic block. Those that take one line stay as they are: their
// weights and comments are what changes over the years.
func (b *Block) repeated() {
	var items []Item
	for i := 0; i < len(b.Items); {
		n := 0
		for i+n < len(b.Items) && alikeServers(b.Items[i], b.Items[i+n]) {
			n++
		}
		d := (*Block)(nil)
		if n > few {
			d = dynamicServers(b.Items[i : i+n])
		}
		if d != nil {
			items = append(items, d)
		} else {
			n = max(n, 1)
			items = append(items, b.Items[i:i+n]...)
		}
		i += n
	}
	b.Items = items
}

// alikeServers reports whether two items are real servers of several lines each that say the same
// but for their labels.
func alikeServers(x, y Item) bool {
	p, is := x.(*Block)
	q, too := y.(*Block)
	if !is || !too || p.Kind != "real_server" || len(p.Comment)+len(p.Only) > 0 || !tall(p, "  ") || len(q.Labels) != len(p.Labels) {
		return false
	}
	other := *q
	other.Labels = p.Labels
	return p.Alike(&other)
}

// dynamicServers returns the block that makes real servers, with a list of their labels where that
// has room in a line, or a range of their last numbers; nil if neither is so.
func dynamicServers(list []Item) *Block {
	first := list[0].(*Block)
	content := &Block{Kind: "content", Items: first.Items}
	d := &Block{Kind: "dynamic", Labels: []string{first.Kind}}
	var labels []string
	for i, it := range list {
		server := it.(*Block)
		labels = append(labels, server.Labels[0])
		d.Of(server.From...)
		if i > 0 {
			content.Absorb(&Block{Items: server.Items})
		}
	}
	each, label := Strings(labels...), Expr("[real_server.value]")
	if utf8.RuneCountInString(expression(each)) > maxInline-len("    for_each = ") {
		var consecutive bool
		if each, label, consecutive = lastNumbers(labels); !consecutive {
			return nil
		}
	}
	d.Set("for_each", each)
	d.Set("labels", label)
	d.Items = append(d.Items, content)
	return d
}

// lastNumbers writes IPv4 addresses that follow each other within a /24 by their last numbers.
func lastNumbers(labels []string) (each, label Value, consecutive bool) {
	begin, err := netip.ParseAddr(labels[0])
	if err != nil || !begin.Is4() {
		return each, label, false
	}
	network := netip.PrefixFrom(begin, 24)
	next := begin
	for _, l := range labels {
		a, err := netip.ParseAddr(l)
		if err != nil || a != next || !network.Contains(a) {
			return each, label, false
		}
		next = a.Next()
	}
	four := begin.As4()
	from := int(four[3])
	prefix := strconv.Itoa(int(four[0])) + "." + strconv.Itoa(int(four[1])) + "." + strconv.Itoa(int(four[2])) + "."
	return Expr("range(" + strconv.Itoa(from) + ", " + strconv.Itoa(from+len(labels)) + ")"), Expr(`["` + prefix + `${real_server.value}"]`), true
}
