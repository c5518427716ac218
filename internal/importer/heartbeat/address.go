package heartbeat

import (
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// maxListed is how many addresses an advert has room for.
const maxListed = 255

// An address is one that moves.
type address struct {
	*line
	text      string // as it stands there
	ip        netip.Addr
	bits      int    // -1: nobody knows
	device    string // the same with ""
	label     string
	broadcast string
	guess     string // by what the device or the bits are known: a sentence
}

// addressOf reads ADDRESS[/MASK][/INTERFACE[:LABEL]][/BROADCAST].
func addressOf(l *line, s string) (*address, error) {
	parts := strings.Split(s, "/")
	ip, err := netip.ParseAddr(parts[0])
	if err != nil || ip.Zone() != "" {
		return nil, refuse(l.Place, "%q: an address, and after a / its mask, its interface or its broadcast address was expected", bounded(s))
	}
	a := &address{line: l, text: s, ip: ip.Unmap(), bits: -1}
	for i, p := range parts[1:] {
		if !a.part(i, p) {
			return nil, refuse(l.Place, "%q was not expected in %q: after the address come its mask, its interface and its broadcast address", bounded(p), bounded(s))
		}
	}
	return a, nil
}

// part reads what stands behind a slash, and reports whether it belongs there.
func (a *address) part(i int, p string) bool {
	bits, isMask := prefix(p, a.ip)
	other, err := netip.ParseAddr(p)
	switch {
	case p == "":
	case isMask && i == 0:
		a.bits = bits
	case err == nil && other.Is4() && a.ip.Is4() && a.broadcast == "":
		a.broadcast = p
	case strings.Trim(p, "0123456789.") != "" && a.device == "" && len(p) < 16:
		a.device = p
		if name, _, ok := strings.Cut(p, ":"); ok {
			a.device, a.label = name, p
		}
	default:
		return false
	}
	return true
}

// prefix reads a mask: the length of a prefix, or four numbers.
func prefix(s string, ip netip.Addr) (n int, ok bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 1 && n <= ip.BitLen()
	}
	m, err := netip.ParseAddr(s)
	if err != nil || !m.Is4() || !ip.Is4() {
		return 0, false
	}
	four := m.As4()
	mask := uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])
	n = bits.LeadingZeros32(^mask)
	return n, n > 0 && bits.TrailingZeros32(mask) == (32-n)%32
}

// String is the address with its mask, as lvsd has it.
func (a *address) String() string {
	if a.bits < 0 {
		return a.ip.String()
	}
	return a.ip.String() + "/" + strconv.Itoa(a.bits)
}

// guess completes an address by this machine's networks, or by those of addresses that are.
func (w *walk) guess(a *address, others []*address) {
	if a.device != "" && a.bits >= 0 {
		return
	}
	if w.Network != nil {
		if device, bits, ok := w.Network(a.ip); ok {
			a.take(device, bits, "what is not said of an address, its interface or its mask, is that of this machine's network on "+device)
			return
		}
	}
	for _, o := range others {
		if o.guess == "" && o.device != "" && o.bits > 0 && netip.PrefixFrom(o.ip, o.bits).Contains(a.ip) {
			a.take(o.device, o.bits, "what is not said of an address, its interface or its mask, is that of "+o.text)
			return
		}
	}
}

// take completes an address, unless it is said to be elsewhere.
func (a *address) take(device string, bits int, how string) {
	if a.device != "" && a.device != device {
		return
	}
	a.device, a.guess = device, how
	if a.bits < 0 {
		a.bits = bits
	}
}

// addresses adds addresses to their virtual router. Its adverts have those of IPv4 on its own
// interface.
func (w *walk) addresses(b *importer.Block, list []*address, device string) {
	var plain []importer.Value
	var from []importer.Place
	var blocks []*importer.Block
	for _, a := range list {
		w.guessed(a, device)
		elsewhere := a.device != "" && a.device != device
		switch {
		case !a.ip.Is4() || elsewhere || len(plain)+len(blocks) >= maxListed:
			inner := a.block("extra_address")
			if elsewhere {
				inner.Set("interface", importer.String(a.device), a.Place)
			}
			blocks = append(blocks, inner)
		case a.label != "" || a.broadcast != "":
			blocks = append(blocks, a.block("address"))
		default:
			plain, from = append(plain, importer.String(a.String())), append(from, a.Place)
		}
	}
	advertised := slices.ContainsFunc(blocks, func(inner *importer.Block) bool { return inner.Kind == "address" })
	if len(plain) > 0 || !advertised { // What moves may be extra addresses alone.
		b.Set("addresses", importer.List(plain...), from...)
	}
	for _, inner := range blocks {
		b.Items = append(b.Items, inner)
	}
}

// guessed tells what haresources leaves to the machine.
func (w *walk) guessed(a *address, device string) {
	if a.guess != "" {
		w.once(importer.Note, a.line, a.text, a.guess, "")
	}
	if a.bits < 0 {
		w.lose(importer.Differs, a.line, a.text, "Heartbeat takes the mask of the route to it, which is not known here, and lvsd takes the address alone", "Write its mask, such as "+a.ip.String()+map[bool]string{true: "/24", false: "/64"}[a.ip.Is4()]+", or import on a director.")
	}
	if a.device == "" {
		w.once(importer.Differs, a.line, a.text, "Heartbeat takes the interface of the route to it, which is not known here; it is "+device+" now", "Write the interface that has the network, or import on a director.")
	}
}

// block is an address with what is special about it.
func (a *address) block(kind string) *importer.Block {
	inner := importer.NewBlock(kind, a.String()).Of(a.Place)
	if a.label != "" && a.ip.Is4() {
		inner.Set("label", importer.String(a.label), a.Place)
	}
	if a.broadcast != "" {
		inner.Set("broadcast", importer.String(a.broadcast), a.Place)
	}
	return inner
}
