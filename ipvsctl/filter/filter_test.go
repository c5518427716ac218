package filter_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/filter"
)

func TestMain(m *testing.M) { netnstest.Main(m) }

func addresses(texts ...string) (all []ipvsctl.AddressRange) {
	for _, text := range texts {
		first, last, ranged := strings.Cut(text, "-")
		if !ranged {
			last = first
		}
		all = append(all, ipvsctl.AddressRange{First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last)})
	}
	return all
}

// ports are ranges, by the first and the last one of each.
func ports(bounds ...uint16) (all []ipvsctl.PortRange) {
	for i := 0; i < len(bounds); i += 2 {
		all = append(all, ipvsctl.PortRange{First: bounds[i], Last: bounds[i+1]})
	}
	return all
}

// rules are one service of each kind.
func rules() ipvsctl.Ruleset {
	return ipvsctl.Ruleset{
		{Service: "web", Mark: 7, Selection: ipvsctl.Select(addresses("10.13.0.200"), []ipvsctl.Protocol{ipvsctl.TCP}, ports(80, 80, 443, 443))},
		{Service: "rtp", Mark: 8, Selection: ipvsctl.Select(addresses("10.13.0.201", "10.13.0.210-10.13.0.219"), []ipvsctl.Protocol{ipvsctl.TCP, ipvsctl.UDP}, ports(5060, 5061, 16384, 65535)),
			SourceNAT: ipvsctl.SourceNAT{Masquerade: true}},
		{Service: "six", Mark: 9, Selection: ipvsctl.Select(addresses("2001:db8::200-2001:db8::20f"), []ipvsctl.Protocol{ipvsctl.SCTP}, ports(9, 10)),
			SourceNAT: ipvsctl.SourceNAT{To: netip.MustParseAddr("2001:db8::15")}},
		{Service: "every port", Mark: 0x80000000, Selection: ipvsctl.Select(addresses("10.13.0.202"), []ipvsctl.Protocol{ipvsctl.TCP}, nil),
			SourceNAT: ipvsctl.SourceNAT{To: netip.MustParseAddr("10.13.0.15")}},
	}
}

// needs skips a test where nft is not installed, or this kernel has no NAT of its.
func needs(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("nft is not installed")
	}
	c := exec.Command("nft", "-f", "-")
	c.Stdin = strings.NewReader("table inet probe {\n chain c { type nat hook postrouting priority 100; masquerade; }\n}\ndelete table inet probe\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("this kernel has no NAT of nftables: %v: %s", err, out)
	}
}

func replace(t *testing.T, f *filter.Filter, want ipvsctl.Ruleset) {
	t.Helper()
	if err := f.Replace(want); err != nil {
		t.Fatal(err)
	}
}

func intact(t *testing.T, f *filter.Filter, want bool, when string) {
	t.Helper()
	if is, err := f.Intact(); err != nil || is != want {
		t.Errorf("%s: intact is %v (%v), want %v", when, is, err, want)
	}
}

// nft(8) reads the table as people would write it.
func TestTheTableReadsAsItWasMeant(t *testing.T) {
	needs(t)
	var f filter.Filter
	replace(t, &f, rules())
	t.Cleanup(func() { replace(t, &f, nil) })
	intact(t, &f, true, "at first")
	got := strings.Join(strings.Fields(netnstest.Run(t, "nft list table inet lvsd-services")), " ")
	for _, want := range []string{
		`ip daddr { 10.13.0.201, 10.13.0.210-10.13.0.219 } meta l4proto { tcp, udp } th dport { 5060-5061, 16384-65535 } meta mark set 0x00000008 comment "rtp"`,
		`ip6 daddr 2001:db8::200-2001:db8::20f sctp dport 9-10 meta mark set 0x00000009 comment "six"`,
		`ip daddr 10.13.0.202 meta l4proto tcp meta mark set 0x80000000 comment "every port"`,
		`meta mark set ip daddr . meta l4proto . th dport map { 10.13.0.200 . tcp . 80 comment "web" : 0x00000007, 10.13.0.200 . tcp . 443 comment "web" : 0x00000007 } }`,
		`chain arriving { type filter hook prerouting priority mangle; policy accept; jump marks }`,
		`chain leaving { type filter hook output priority mangle; policy accept; jump marks }`,
		`chain sources { type nat hook postrouting priority srcnat; policy accept; meta nfproto ipv4 meta mark { 0x00000008 comment "rtp" } masquerade meta nfproto ipv4 snat ip to meta mark map { 0x80000000 comment "every port" : 10.13.0.15 } meta nfproto ipv6 snat ip6 to meta mark map { 0x00000009 comment "six" : 2001:db8::15 } }`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %s:\n%s", want, got)
		}
	}
}

// Whatever somebody does to the table is seen, and what they do beside it is theirs.
func TestWhatOthersDoToTheTableIsSeen(t *testing.T) {
	needs(t)
	var f filter.Filter
	t.Cleanup(func() { replace(t, &f, nil) })
	netnstest.Run(t, "nft add table inet other")
	for _, line := range []string{
		"nft flush ruleset",
		"nft delete table inet lvsd-services",
		"nft flush chain inet lvsd-services arriving",
		"nft flush chain inet lvsd-services marks",
		"nft add rule inet lvsd-services arriving drop",
		"nft insert rule inet lvsd-services sources accept",
		"nft add chain inet lvsd-services mine { type filter hook input priority 0 ; }",
		"nft chain inet lvsd-services leaving { policy drop ; }",
	} {
		replace(t, &f, rules())
		intact(t, &f, true, "after it was made")
		netnstest.Run(t, line)
		intact(t, &f, false, line)
	}
	netnstest.Run(t, "nft add table inet other")
	replace(t, &f, rules())
	netnstest.Run(t, "nft add chain inet other mine { type filter hook input priority 0 ; }")
	intact(t, &f, true, "after something beside it")

	var next filter.Filter // of a process after one that was killed
	intact(t, &next, false, "what an earlier process has left")
	replace(t, &next, rules()[:1])
	if got := netnstest.Run(t, "nft list ruleset"); strings.Contains(got, "masquerade") || !strings.Contains(got, `comment "web"`) {
		t.Errorf("the table is not what was wanted last:\n%s", got)
	}
	replace(t, &next, nil)
	replace(t, &next, nil)
	if got := netnstest.Run(t, "nft list tables"); strings.TrimSpace(got) != "table inet other" {
		t.Errorf("there are other tables than that of somebody else:\n%s", got)
	}
}

// random is a ruleset as some administrator may need it: of a few services, or of so many
// that ranges are looked up.
func random(r *rand.Rand) (all ipvsctl.Ruleset) {
	n := r.IntN(6)
	if r.IntN(2) == 0 {
		n = 60 + r.IntN(100)
	}
	for i := range n {
		m := ipvsctl.Marking{Service: fmt.Sprint("service ", i), Mark: r.Uint32() | 1}
		at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 13, byte(i), byte(n)}) }
		if r.IntN(3) == 0 {
			at = func(n int) netip.Addr {
				return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(i), 15: byte(n)})
			}
		}
		var addresses []ipvsctl.AddressRange
		var all16 []ipvsctl.PortRange
		for range 1 + r.IntN(4) {
			first := 7 * r.IntN(35) // nft prints what is a network as one, which three addresses are not.
			addresses = append(addresses, ipvsctl.AddressRange{First: at(first), Last: at(first + 2*r.IntN(2))})
			port := uint16(1 + r.IntN(65500))
			all16 = append(all16, ipvsctl.PortRange{First: port, Last: port + uint16(r.IntN(2)*r.IntN(36))})
		}
		m.Selection = ipvsctl.Select(addresses, []ipvsctl.Protocol{ipvsctl.TCP, ipvsctl.UDP, ipvsctl.SCTP}[:1+r.IntN(3)], all16[:r.IntN(len(all16)+1)])
		switch r.IntN(3) {
		case 0:
			m.Masquerade = true
		case 1:
			m.To = at(251)
		}
		all = append(all, m)
	}
	return all
}

// For any two rulesets, the second replaces the first, nft(8) reads it as it is told of by a
// plan, and the next look has nothing to do.
func TestAnyRulesetReplacesAnyOther(t *testing.T) {
	needs(t)
	var f filter.Filter
	t.Cleanup(func() { replace(t, &f, nil) })
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 25 {
		want := random(r)
		replace(t, &f, want)
		if len(want) == 0 {
			continue
		}
		intact(t, &f, true, fmt.Sprint("ruleset ", n))
		got, told := netnstest.Run(t, "nft list chain inet lvsd-services marks"), []string{}
		ranged := 0
		for i := range want {
			if hasRanges(&want[i]) {
				ranged++
			}
		}
		for i := range want {
			told = append(told, inNFT(want[i], ranged > 32)...)
		}
		read := ruleLine.FindAllString(got, -1)
		for i := range read {
			read[i] = strings.Join(strings.Fields(read[i]), " ")
		}
		slices.Sort(read)
		slices.Sort(told)
		if !slices.Equal(read, told) {
			t.Errorf("ruleset %d: nft reads\n%s\nand it should be\n%s\nin\n%s", n, strings.Join(read, "\n"), strings.Join(told, "\n"), got)
		}
	}
}

// ruleLine is what nft prints of one service's: a rule, or an element of a map.
var ruleLine = regexp.MustCompile(`ip6? daddr [^\n]* meta mark set 0x[0-9a-f]{8}|[0-9a-f.:-]+ \. (tcp|udp|sctp) \. [0-9-]+\s+comment "service [0-9]+" : 0x[0-9a-f]{8}`)

// hasRanges reports whether a marking has more than single addresses and ports.
func hasRanges(m *ipvsctl.Marking) bool {
	return len(m.Ports) == 0 || slices.ContainsFunc(m.Addresses, func(r ipvsctl.AddressRange) bool { return r.First != r.Last }) ||
		slices.ContainsFunc(m.Ports, func(r ipvsctl.PortRange) bool { return r.First != r.Last })
}

// inNFT is a marking as nft prints it, where ranges are looked up or not. The services are
// all known by numbers.
func inNFT(m ipvsctl.Marking, lookedUp bool) (all []string) {
	if hasRanges(&m) && !lookedUp {
		m.SourceNAT = ipvsctl.SourceNAT{}
		text, _, _ := strings.Cut(m.String(), " meta mark set ")
		return []string{fmt.Sprintf("%s meta mark set 0x%08x", text, m.Mark)}
	}
	if len(m.Ports) == 0 {
		m.Ports = ports(0, 65535)
	}
	for _, a := range m.Addresses {
		for _, protocol := range m.Protocols {
			for _, p := range m.Ports {
				all = append(all, fmt.Sprintf("%v . %v . %v comment %q : 0x%08x", a, protocol, p, m.Service, m.Mark))
			}
		}
	}
	return all
}

// Packets that arrive get the mark of their service, and no others do.
func TestPacketsAreMarked(t *testing.T) {
	needs(t)
	t.Run("ranges by rules", func(t *testing.T) { packetsAreMarked(t, nil) })
	var more ipvsctl.Ruleset
	for i := range 40 {
		more = append(more, ipvsctl.Marking{Service: fmt.Sprint("more ", i), Mark: 100,
			Selection: ipvsctl.Select(addresses(fmt.Sprintf("10.16.%d.1-10.16.%d.9", i, i), fmt.Sprint("10.17.0.", i)), []ipvsctl.Protocol{ipvsctl.UDP}, ports(100, 199))})
	}
	t.Run("ranges by a map", func(t *testing.T) { packetsAreMarked(t, more) })
}

func packetsAreMarked(t *testing.T, more ipvsctl.Ruleset) {
	var f filter.Filter
	t.Cleanup(func() { replace(t, &f, nil) })
	udp := []ipvsctl.Protocol{ipvsctl.UDP}
	all := append(append(many(300, pairs), more...),
		ipvsctl.Marking{Service: "ranges", Mark: 1, Selection: ipvsctl.Select(addresses("10.14.0.1-10.14.0.9"), udp, ports(100, 199))},
		ipvsctl.Marking{Service: "two ranges", Mark: 5, Selection: ipvsctl.Select(addresses("10.14.0.9", "10.14.0.12-10.14.0.14"), udp, ports(300, 310, 65530, 65535))},
		ipvsctl.Marking{Service: "ranges of six", Mark: 6, Selection: ipvsctl.Select(addresses("2001:db8::10-2001:db8::1f"), udp, ports(5000, 5999, 7000, 7000))},
		ipvsctl.Marking{Service: "every port", Mark: 2, Selection: ipvsctl.Select(addresses("10.14.0.10"), udp, nil)},
		ipvsctl.Marking{Service: "six", Mark: 3, Selection: ipvsctl.Select(addresses("2001:db8::1", "2001:db8::5"), udp, ports(80, 80, 443, 443))},
		ipvsctl.Marking{Service: "tcp", Mark: 4, Selection: ipvsctl.Select(addresses("10.14.0.11"), []ipvsctl.Protocol{ipvsctl.TCP}, ports(80, 80))})
	replace(t, &f, all)
	packets := []struct {
		to   string
		port uint16
		mark uint32
	}{
		{"10.13.0.0", 80, 0x6c770000}, {"10.13.0.255", 443, 0x6c7700ff}, {"10.13.1.43", 80, 0x6c77012b},
		{"10.14.0.5", 150, 1}, {"10.14.0.10", 7, 2}, {"2001:db8::1", 443, 3}, {"2001:db8::5", 80, 3},
		{"10.14.0.1", 100, 1}, {"10.14.0.9", 199, 1}, {"10.14.0.10", 0, 2}, {"10.14.0.10", 65535, 2},
		{"10.14.0.9", 300, 5}, {"10.14.0.14", 65535, 5}, {"2001:db8::10", 5000, 6}, {"2001:db8::1f", 5999, 6}, {"2001:db8::17", 7000, 6},
		{"10.14.0.9", 299, 0}, {"10.14.0.1", 300, 0}, {"10.14.0.14", 65529, 0}, {"2001:db8::20", 5000, 0}, {"2001:db8::17", 6000, 0},
		{"10.13.0.1", 81, 0}, {"10.14.0.5", 200, 0}, {"10.14.0.11", 80, 0}, {"2001:db8::2", 80, 0}, {"10.15.0.1", 80, 0},
	}
	text, want := "table inet probe {\n chain c {\n type filter hook prerouting priority -140; meta l4proto != udp return; udp sport != 4000 return\n", map[uint32]int{}
	for _, p := range packets {
		if want[p.mark]++; want[p.mark] == 1 {
			text += fmt.Sprintf("meta mark 0x%08x counter\n", p.mark)
		}
	}
	c := exec.Command("nft", "-f", "-")
	c.Stdin = strings.NewReader(text + "}\n}\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { netnstest.Run(t, "nft delete table inet probe") })
	w := newWire(t)
	for _, p := range packets {
		if _, err := unix.Write(w.fd, w.datagram(netip.MustParseAddr(p.to), p.port)); err != nil {
			t.Fatal(err)
		}
	}
	lacks := func(got string) (lines []string) {
		for mark, n := range want {
			if line := fmt.Sprintf("meta mark 0x%08x counter packets %d ", mark, n); !strings.Contains(got, line) {
				lines = append(lines, line)
			}
		}
		return lines
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) { // A busy kernel takes them later.
		got := netnstest.Run(t, "nft list table inet probe")
		missing := lacks(got)
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %q in\n%s", missing, got)
		}
	}
}

// However many services there are, the kernel takes them.
func TestThousandsOfServices(t *testing.T) {
	needs(t)
	var f filter.Filter
	t.Cleanup(func() { replace(t, &f, nil) })
	all := many(2000, pairs)
	for i := range all {
		all[i].Masquerade = i%3 == 0
	}
	long := addresses("2001:db8::-2001:db8::ffff") // The longest name and addresses with it make the longest messages.
	for i := range uint16(300) {
		all = append(all, ipvsctl.Marking{Service: strings.Repeat("x", 200), Mark: uint32(i + 1), Selection: ipvsctl.Select(long, []ipvsctl.Protocol{ipvsctl.TCP}, ports(2*i, 2*i))})
	}
	replace(t, &f, all)
	intact(t, &f, true, "with 2,300 services")
	got := netnstest.Run(t, "nft list chain inet lvsd-services marks")
	if n := strings.Count(got, " comment "); n != 4*2000+300 {
		t.Errorf("the chain has %d elements, want %d", n, 4*2000+300)
	}
}
