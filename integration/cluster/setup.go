package cluster

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Setup is what the two directors are told, in the words of neither daemon:
// the virtual address with a gateway that moves along, and one web service by
// NAT on it.
type Setup struct {
	// Addresses are the virtual addresses with their prefixes, of one family.
	// The service is on the first.
	Addresses []netip.Prefix
	// Gateways move along with the addresses, on the inside.
	Gateways []netip.Prefix
	// Version is VRRP's, 2 or 3.
	Version int
	// Password is of version 2's simple authentication; empty: none.
	Password string
	// Advert is the time between two adverts.
	Advert time.Duration
	// Priority is by director.
	Priority map[string]int
	// NoPreempt leaves a Master with a lower priority in peace.
	NoPreempt bool
	// Unicast sends the adverts to the other director's own address.
	Unicast bool
	// VirtualMAC has the addresses on a device with the virtual router's MAC, by which
	// the adverts go out, too, but for AdvertsFromInterface.
	VirtualMAC, AdvertsFromInterface bool
	// Sync has the directors tell each other of connections, inside.
	Sync bool
	// Crowd is how many further virtual routers there are, each with crowdAddresses
	// of their own.
	Crowd int
	// More is what is written behind the services, in the daemon's words.
	More string
	// Servers are behind the web service; none: there is no service, which
	// needs no IPVS.
	Servers []RealServer
	// Interval, Timeout, Rise and Fall are of the servers' HTTP checks.
	Interval, Timeout time.Duration
	Rise, Fall        int
	// FastInterval is that of lvsd's checks while they are counted; 0: as ever.
	FastInterval time.Duration
}

// A RealServer is one of the servers behind the virtual address.
type RealServer struct {
	Name   string
	Addr   netip.Addr
	Weight int
}

// NewSetup is the cluster's ordinary setup over IPv4: lvs1 before lvs2, adverts
// and checks every second, web1 to web3 with weights 3, 3, 1.
func NewSetup() Setup {
	return Setup{
		Addresses: prefixes("10.13.0.200/24"),
		Gateways:  prefixes("192.168.1.254/24", "192.168.2.254/24"),
		Version:   3,
		Advert:    time.Second,
		Priority:  map[string]int{"lvs1": 150, "lvs2": 100},
		Servers: []RealServer{
			{"web1", netip.MustParseAddr("192.168.1.4"), 3},
			{"web2", netip.MustParseAddr("192.168.1.5"), 3},
			{"web3", netip.MustParseAddr("192.168.2.2"), 1},
		},
		Interval: time.Second, Timeout: time.Second / 2,
		Rise: 2, Fall: 2,
	}
}

// NewSetup6 is the same over IPv6.
func NewSetup6() Setup {
	s := NewSetup()
	s.Addresses = prefixes("2001:db8:13::200/64")
	s.Gateways = prefixes("2001:db8:1::254/64", "2001:db8:2::254/64")
	for i, addr := range []string{"2001:db8:1::4", "2001:db8:1::5", "2001:db8:2::2"} {
		s.Servers[i].Addr = netip.MustParseAddr(addr)
	}
	return s
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		list[i] = netip.MustParsePrefix(t)
	}
	return list
}

// Service is the address and port of the web service.
func (s Setup) Service() netip.AddrPort { return netip.AddrPortFrom(s.Addresses[0].Addr(), 80) }

// Weights are what the table has while these servers are out of it.
func (s Setup) Weights(out ...string) map[netip.AddrPort]int {
	weights := map[netip.AddrPort]int{}
	for _, r := range s.Servers {
		if !slices.Contains(out, r.Name) {
			weights[netip.AddrPortFrom(r.Addr, s.Service().Port())] = r.Weight
		}
	}
	return weights
}

// RouterHCL is lvsd's configuration of the virtual router, the same for both
// directors.
func (s Setup) RouterHCL() string {
	var b strings.Builder
	if s.Sync {
		b.WriteString("director {\n  connection_sync {\n    router    = \"outside\"\n    interface = \"eth1\"\n    refresh   = \"2s\"\n  }\n}\n\n")
	}
	fmt.Fprintf(&b, "virtual_router \"outside\" {\n  interface       = \"eth0\"\n  id              = 51\n")
	fmt.Fprintf(&b, "  version         = %d\n", s.Version)
	fmt.Fprintf(&b, "  priority        = { lvs1 = %d, lvs2 = %d }[node.name]\n", s.Priority["lvs1"], s.Priority["lvs2"])
	fmt.Fprintf(&b, "  advert_interval = %q\n  addresses       = [%s]\n\n", s.Advert, quoted(s.Addresses))
	for _, g := range s.Gateways {
		fmt.Fprintf(&b, "  extra_address %q { interface = \"eth1\" }\n", g)
	}
	if s.Password != "" {
		fmt.Fprintf(&b, "  authentication { password = %q }\n", s.Password)
	}
	if s.NoPreempt {
		b.WriteString("  preempt = false\n")
	}
	if s.Unicast {
		fmt.Fprintf(&b, "  peers = [{ lvs1 = %q, lvs2 = %q }[node.name]]\n", s.peer("lvs1"), s.peer("lvs2"))
	}
	if s.VirtualMAC {
		fmt.Fprintf(&b, "  virtual_mac { adverts_from_interface = %t }\n", s.AdvertsFromInterface)
	}
	b.WriteString("  track \"interface\" \"eth1\" {}\n}\n")
	for n := range s.Crowd {
		fmt.Fprintf(&b, "virtual_router \"crowd%d\" {\n  interface = \"eth0\"\n  id = %d\n  priority = { lvs1 = %d, lvs2 = %d }[node.name]\n  advert_interval = %q\n  addresses = [%s]\n}\n",
			n, crowdID(n), s.Priority["lvs1"], s.Priority["lvs2"], s.Advert, quoted(crowd(n)))
	}
	return b.String()
}

// keepalivedWays is how keepalived sends its adverts, and whether it preempts.
func (s Setup) keepalivedWays(node string) (ways string) {
	if s.NoPreempt {
		ways += "  nopreempt\n"
	}
	if s.Unicast {
		other := map[string]string{"lvs1": "lvs2", "lvs2": "lvs1"}[node]
		ways += fmt.Sprintf("  unicast_src_ip %s\n  unicast_ttl 255\n  unicast_peer {\n    %s\n  }\n", s.peer(other), s.peer(node))
	}
	if s.VirtualMAC {
		ways += "  use_vmac\n"
	}
	if s.AdvertsFromInterface {
		ways += "  vmac_xmit_base\n"
	}
	return ways
}

// peer is the own address of the other director on the outside.
func (s Setup) peer(node string) string {
	if s.Addresses[0].Addr().Is6() {
		return map[string]string{"lvs1": "2001:db8:13::16", "lvs2": "2001:db8:13::15"}[node]
	}
	return map[string]string{"lvs1": "10.13.0.16", "lvs2": "10.13.0.15"}[node]
}

// crowdAddresses is how many addresses each router of a crowd has.
const crowdAddresses = 20

// crowdID is the id of router n of a crowd.
func crowdID(n int) int { return 101 + n }

func crowdAddress(n, i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 14, byte(n), byte(i)}) }

// crowd returns the addresses of router n of a crowd.
func crowd(n int) (all []netip.Prefix) {
	for i := range crowdAddresses {
		all = append(all, netip.PrefixFrom(crowdAddress(n, 1+i), 32))
	}
	return all
}

// ServiceHCL is lvsd's configuration of the web service.
func (s Setup) ServiceHCL() string {
	if len(s.Servers) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "virtual_service \"web\" {\n  address   = %q\n  port      = %d\n  scheduler = \"wrr\"\n  forward   = \"nat\"\n\n",
		s.Service().Addr(), s.Service().Port())
	fmt.Fprintf(&b, "  check \"http\" {\n    path     = \"/index.html\"\n    interval = %q\n    timeout  = %q\n    rise     = %d\n    fall     = %d\n",
		s.Interval, s.Timeout, s.Rise, s.Fall)
	if s.FastInterval > 0 {
		fmt.Fprintf(&b, "    fast_interval = %q\n", s.FastInterval)
	}
	b.WriteString("  }\n")
	for _, r := range s.Servers {
		fmt.Fprintf(&b, "\n  real_server %q {\n    address = %q\n    weight  = %d\n  }\n", r.Name, r.Addr, r.Weight)
	}
	b.WriteString("}\n")
	return b.String()
}

// KeepalivedRouter is keepalived's configuration of the virtual router, for one
// director.
func (s Setup) KeepalivedRouter(node string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "global_defs {\n  router_id %s\n}\n\n", node)
	fmt.Fprintf(&b, "vrrp_instance outside {\n  state BACKUP\n  version %d\n  interface eth0\n  virtual_router_id 51\n  priority %d\n  advert_int %g\n",
		s.Version, s.Priority[node], s.Advert.Seconds())
	if s.Addresses[0].Addr().Is6() {
		b.WriteString("  native_ipv6\n")
	}
	if s.Password != "" {
		fmt.Fprintf(&b, "  authentication {\n    auth_type PASS\n    auth_pass %s\n  }\n", s.Password)
	}
	b.WriteString(s.keepalivedWays(node) + "  virtual_ipaddress {\n")
	for _, a := range s.Addresses {
		if s.VirtualMAC {
			fmt.Fprintf(&b, "    %s\n", a)
		} else {
			fmt.Fprintf(&b, "    %s dev eth0\n", a)
		}
	}
	b.WriteString("  }\n  virtual_ipaddress_excluded {\n")
	for _, g := range s.Gateways {
		fmt.Fprintf(&b, "    %s dev eth1\n", g)
	}
	b.WriteString("  }\n  track_interface {\n    eth1\n  }\n}\n\n")
	for n := range s.Crowd {
		fmt.Fprintf(&b, "vrrp_instance crowd%d {\n  state BACKUP\n  version 3\n  interface eth0\n  virtual_router_id %d\n  priority %d\n  advert_int %g\n  virtual_ipaddress {\n",
			n, crowdID(n), s.Priority[node], s.Advert.Seconds())
		for _, a := range crowd(n) {
			fmt.Fprintf(&b, "    %s dev eth0\n", a)
		}
		b.WriteString("  }\n}\n\n")
	}
	return b.String()
}

// KeepalivedService is keepalived's configuration of the web service. Of Rise it
// knows 1, which it calls fast_recovery, and 2.
func (s Setup) KeepalivedService() string {
	if len(s.Servers) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "virtual_server %s %d {\n  delay_loop %g\n  lb_algo wrr\n  lb_kind NAT\n  protocol TCP\n",
		s.Service().Addr(), s.Service().Port(), s.Interval.Seconds())
	for _, r := range s.Servers {
		fmt.Fprintf(&b, "\n  # %s\n  real_server %s %d {\n    weight %d\n    HTTP_GET {\n      url {\n        path /index.html\n        status_code 200\n      }\n",
			r.Name, r.Addr, s.Service().Port(), r.Weight)
		fmt.Fprintf(&b, "      connect_timeout %g\n      retry %d\n      delay_before_retry %g\n",
			s.Timeout.Seconds(), s.Fall-1, s.Interval.Seconds())
		if s.Rise == 1 {
			b.WriteString("      fast_recovery\n")
		}
		b.WriteString("    }\n  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

func quoted(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = fmt.Sprintf("%q", p)
	}
	return strings.Join(texts, ", ")
}
