package config

import (
	"math"
	"net/netip"
	"strconv"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A via is which way the packets of a check go.
type via struct {
	checker.Via
	ports     vrrp.Ports
	forwarded bool // by the virtual service's own path
}

var viaTable = block.NewTable("via", portedViaOptions)

func portedViaOptions() []block.Entry[via] {
	return append(viaOptions(),
		block.Text("source_ports", "The port that the packets come from, or a range of them: \"40000-40999\".",
			vrrp.Ports{}, ports, func(v *via) *vrrp.Ports { return &v.ports }).Within("a port or a range").Unless("the kernel's choice"),
		block.Flag("forwarded", "Ask the server at the virtual address, by way of the kernel's IPVS, as clients' packets reach it. A server that has lost the virtual address on lo, or its end of the tunnel, fails then. For services with forward = \"direct\" or \"tunnel\". See \"Checks by the forwarding path\".",
			false, func(v *via) *bool { return &v.forwarded }),
	)
}

// tcpViaTable is for checks by TCP alone. Those of FTP have none of it, since it would be
// said on their second connection, too.
var tcpViaTable = block.NewTable("via", func() []block.Entry[via] {
	return append(portedViaOptions(),
		block.Choice("proxy_protocol", "The version of the PROXY protocol that each connection begins with, for servers that expect it of a load balancer before them. The check says by it that nobody is behind it (LOCAL, or UNKNOWN by version 1, which Postfix does not understand), and finishes the handshake.",
			"", []block.Word[checker.ProxyProtocol]{{Name: "v1", Value: checker.ProxyV1}, {Name: "v2", Value: checker.ProxyV2}}, func(v *via) *checker.ProxyProtocol { return &v.Proxy }).Unless("none"),
	)
})

// pingViaTable has no ports, for a ping comes from none.
var pingViaTable = block.NewTable("via", viaOptions)

func viaOptions() []block.Entry[via] {
	return []block.Entry[via]{
		block.Text("source", "The address of this director that the packets come from. The same files are for all directors, so take it from a map of theirs by node.name.",
			netip.Addr{}, func(b *block.Body, s string, at block.Place) (netip.Addr, bool) {
				a, ok := b.ParseAddress(s, at)
				return a, ok && usable(b, a, at)
			}, func(v *via) *netip.Addr { return &v.Source }).Within("an address").Unless("the kernel's choice"),
		block.Text("interface", "The network interface that the packets leave by, or that of a VRF.",
			"", networkInterface, func(v *via) *string { return &v.Interface }).Within("a name of up to 15 bytes").Unless("as the routes say"),
		block.Count("firewall_mark", "The firewall mark of the packets, which rules of routing and packet filters see.",
			0, 1, math.MaxUint32, func(v *via) *uint32 { return &v.Mark }).Unless("none"),
		block.Count("ttl", "Their time to live, or hop limit: 1 reaches the director's own networks only.",
			0, 1, 255, func(v *via) *uint8 { return &v.TTL }).Unless("the kernel's default"),
		block.Count("dscp", "Their codepoint of differentiated services, as 46 for expedited forwarding.",
			0, 0, 63, func(v *via) *uint8 { return &v.DSCP }),
	}
}

// way returns it as a probe has it.
func (v *via) way() checker.Via {
	way := v.Via
	way.FirstPort, way.LastPort = v.ports.First, v.ports.Last
	return way
}

// checkMark refuses a firewall mark by which the checks by the forwarding path are known.
func checkMark(b *block.Body, mark uint32) {
	if b.Given("firewall_mark") && ipvsctl.Private(mark) {
		b.Mistake(b.At("firewall_mark"), "Reserved firewall mark", "The marks %d to %d (0x%[1]x to 0x%[2]x) are those of checks by the forwarding path: write another one, here and in the rules of the packet filter.",
			ipvsctl.FirstPrivateMark, ipvsctl.LastPrivateMark)
	} else if b.Given("firewall_mark") && !b.Refused("firewall_mark") {
		claim(b, firewallMark, strconv.FormatUint(uint64(mark), 10), b.At("firewall_mark"))
	}
}
