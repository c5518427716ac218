package vrrp

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// Attack 8: adverts of sources that cannot be were accepted.
func TestImpossibleSources(t *testing.T) {
	var networks []netip.Prefix
	for _, n := range []string{"10.0.0.2/24", "10.1.0.2/31", "10.2.0.2/32", "fe80::2/64", "2001:db8::2/64"} {
		networks = append(networks, netip.MustParsePrefix(n))
	}
	single := []netip.Prefix{netip.MustParsePrefix("10.2.0.2/32")}
	peers := func(c *Config) { c.Peers = []netip.Addr{netip.MustParseAddr("10.14.0.16")} }
	six := func(c *Config) { c.Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8::100/64")} }
	global := func(c *Config) { six(c); c.Source = netip.MustParseAddr("2001:db8::2") }
	for _, tt := range []struct {
		name     string
		edit     func(c *Config)
		networks []netip.Prefix
		src, dst string
		want     Reason
	}{
		{"a neighbour", nil, networks, "10.0.0.3", "224.0.0.18", ""},
		{"nobody", nil, networks, "0.0.0.0", "224.0.0.18", ReasonSource},
		{"a group", nil, networks, "224.0.0.18", "224.0.0.18", ReasonSource},
		{"this machine", nil, networks, "127.0.0.1", "224.0.0.18", ReasonSource},
		{"nobody, where no addresses are known", nil, nil, "0.0.0.0", "224.0.0.18", ReasonSource},
		{"a group, where no addresses are known", nil, nil, "224.0.0.18", "224.0.0.18", ReasonSource},
		{"this machine, where no addresses are known", nil, nil, "127.0.0.1", "224.0.0.18", ReasonSource},
		{"everybody", nil, networks, "255.255.255.255", "224.0.0.18", ReasonSource},
		{"everybody on the network", nil, networks, "10.0.0.255", "224.0.0.18", ReasonSource},
		{"the network itself", nil, networks, "10.0.0.0", "224.0.0.18", ReasonSource},
		{"no network of the interface", nil, networks, "8.8.8.8", "224.0.0.18", ReasonSource},
		{"RFC 3021: both addresses of a /31 are hosts", nil, networks, "10.1.0.3", "224.0.0.18", ""},
		{"a single address tells of no neighbours", nil, networks, "10.2.0.3", "224.0.0.18", ReasonSource},
		{"where there are only such, any may be one", nil, single, "10.2.0.3", "224.0.0.18", ""},
		{"no addresses are known", nil, nil, "8.8.8.8", "224.0.0.18", ""},

		{"a routed peer", peers, networks, "10.14.0.16", "10.0.0.2", ""},
		{"not a peer", peers, networks, "10.0.0.3", "10.0.0.2", ReasonNotPeer},
		{"a peer, but multicast", peers, networks, "10.14.0.16", "224.0.0.18", ReasonDestination},
		{"sent to us alone, but no peers are configured", nil, networks, "10.0.0.3", "10.0.0.2", ReasonNotPeer},

		{"RFC 9568 5.1.2.1: a link-local address", six, networks, "fe80::3", "ff02::12", ""},
		{"RFC 9568 5.1.2.1: another one", six, networks, "2001:db8::3", "ff02::12", ReasonSource},
		{"nobody, of IPv6", six, networks, "::", "ff02::12", ReasonSource},
		{"another one, where such a source is configured here", global, networks, "2001:db8::3", "ff02::12", ""},
		{"another one, of another network", global, networks, "2001:db9::3", "ff02::12", ReasonSource},
		{"an IPv6 address has no broadcast", global, networks, "2001:db8::ffff:ffff:ffff:ffff", "ff02::12", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			if tt.edit != nil {
				tt.edit(&c)
			}
			r := NewRouter(c)
			r.networks = tt.networks
			r.Startup(epoch, ours)
			src, dst := netip.MustParseAddr(tt.src), netip.MustParseAddr(tt.dst)
			ad := advertOf(150)
			ad.Addresses = []netip.Addr{c.Addresses[0].Addr()}
			r.Receive(epoch, Packet{Src: src, Dst: dst, TTL: TTL, Payload: ad.Append(nil, src, dst)})
			got := Reason("")
			for reason, n := range r.counters.Discarded {
				if n > 0 {
					got = reason
				}
			}
			if got != tt.want || (got == "") != r.election.master.IsValid() {
				t.Errorf("discarded for %q, want %q; follows %s", got, tt.want, r.election.master)
			}
		})
	}
}

// RFC 9568 section 5.1.1.3: what does not have TTL 255 has passed a router, and is
// accepted only from peers, where that is configured.
func TestTTLOfAdverts(t *testing.T) {
	peers := func(least, most uint8) func(*Config) {
		return func(c *Config) { c.Peers, c.MinTTL, c.MaxTTL = []netip.Addr{higher}, least, most }
	}
	for _, tt := range []struct {
		name string
		edit func(*Config)
		ttl  int
		want Reason
	}{
		{"multicast, of this network", func(*Config) {}, 255, ""},
		{"multicast, beyond a router", func(*Config) {}, 254, ReasonTTL},
		{"multicast, and the kernel did not tell", func(*Config) {}, -1, ReasonTTL},
		{"a bound without peers bounds nothing", func(c *Config) { c.MinTTL = 254 }, 254, ReasonTTL},
		{"a peer of this network", peers(0, 0), 255, ""},
		{"a peer beyond a router", peers(0, 0), 254, ReasonTTL},
		{"a peer beyond a router, as configured", peers(254, 0), 254, ""},
		{"a peer that has moved here", peers(254, 0), 255, ""},
		{"a peer beyond two", peers(254, 0), 253, ReasonTTL},
		{"a forger on this network", peers(254, 254), 255, ReasonTTL},
		{"an unknown TTL", peers(1, 255), -1, ReasonTTL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := testConfig()
			tt.edit(&c)
			r := NewRouter(c)
			r.Startup(epoch, ours)
			dst := Group4
			if len(c.Peers) > 0 {
				dst = ours
			}
			r.Receive(epoch, Packet{Src: higher, Dst: dst, TTL: tt.ttl, Payload: advertOf(150).Append(nil, higher, dst)})
			for reason, n := range r.counters.Discarded {
				if want := tt.want == reason; want != (n > 0) {
					t.Errorf("%d discarded for %q, want %q", n, reason, tt.want)
				}
			}
			if (tt.want == "") != r.election.master.IsValid() {
				t.Errorf("follows %s", r.election.master)
			}
		})
	}
}

// keepalived sends to peers of IPv6 with the kernel's hop limit, and both are Master.
func TestThePeerOfIPv6IsKeepalivedWithoutUnicastTTL(t *testing.T) {
	peer := netip.MustParseAddr("2001:db8::16")
	own := netip.MustParseAddr("2001:db8::15")
	c := testConfig()
	c.Peers = []netip.Addr{peer}
	c.Addresses = []netip.Prefix{netip.MustParsePrefix("2001:db8::200/64")}
	ad := advertOf(150)
	ad.Addresses = []netip.Addr{c.Addresses[0].Addr()}
	for _, tt := range []struct {
		name string
		ttl  int
		min  uint8
		text string // empty: it is followed
	}{
		{"the kernel's", 64, 0, "unless it has unicast_ttl 255; set that there, or min_ttl = 64 here"},
		{"the kernel's, as configured", 64, 64, ""},
		{"another one", 63, 0, "if routers are between the directors, each of which takes 1 from 255, set min_ttl = 63"},
	} {
		c.MinTTL = tt.min
		r := NewRouter(c)
		r.Startup(epoch, own)
		acts := r.Receive(epoch, Packet{Src: peer, Dst: own, TTL: tt.ttl, Payload: ad.Append(nil, peer, own)})
		if follows := r.election.master == peer; follows != (tt.text == "") || !follows && !strings.Contains(acts[0].(Event).Text, tt.text) {
			t.Errorf("%s: it is followed: %t, and says %v", tt.name, follows, acts)
		}
	}
}

func TestAdvertsOfAnotherGroup(t *testing.T) {
	c := testConfig()
	c.Multicast = netip.MustParseAddr("224.0.0.19")
	r := NewRouter(c)
	r.Startup(epoch, ours)
	r.Receive(epoch, Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: advertOf(150).Append(nil, higher, Group4)})
	if r.counters.Discarded[ReasonDestination] != 1 || r.election.master.IsValid() {
		t.Errorf("it follows %s", r.election.master)
	}
	r.Receive(epoch, Packet{Src: higher, Dst: c.Multicast, TTL: TTL, Payload: advertOf(150).Append(nil, higher, c.Multicast)})
	if r.election.master != higher {
		t.Error("it does not follow a Master of its group")
	}
}

// In a cloud nothing but a hook moves the address: addresses = []. RFC 9568 section
// 5.2.5 has other routers ignore such adverts.
func TestRoutersWithoutAddresses(t *testing.T) {
	for _, tt := range []struct {
		name          string
		ours, theirs  bool // have addresses
		want          Reason
		wantDifferent bool
	}{
		{"both have some", true, true, "", false},
		{"neither has", false, false, "", false},
		{"the other director has none", true, false, ReasonNoAddress, false},
		{"only the other one has", false, true, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ad := testConfig(), advertOf(150)
			if !tt.ours {
				c.Addresses = nil
			}
			if !tt.theirs {
				ad.Addresses = nil
			}
			r := NewRouter(c)
			r.Startup(epoch, ours)
			r.Receive(epoch, Packet{Src: higher, Dst: Group4, TTL: TTL, Payload: ad.Append(nil, higher, Group4)})
			if n := r.counters.Discarded[ReasonNoAddress]; (n > 0) != (tt.want != "") || (n > 0) == r.election.master.IsValid() {
				t.Errorf("%d discarded, follows %s", n, r.election.master)
			}
			if n := r.counters.Mismatched[ReasonAddresses]; (n > 0) != tt.wantDifferent {
				t.Errorf("%d disagree", n)
			}
			// Master without anything to ask or announce.
			for now := r.Deadline(); now.Before(epoch.Add(5 * time.Minute)); now = r.Deadline() {
				r.Expire(now)
			}
			if r.State() != Master {
				t.Errorf("it is %s in the end", r.State())
			}
		})
	}
}

func TestFamilyOfARouterWithoutAddresses(t *testing.T) {
	six, four := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("10.0.0.1")
	for name, tt := range map[string]struct {
		c    Config
		want int
	}{
		"nothing tells":                 {Config{}, 4},
		"its peers":                     {Config{Peers: []netip.Addr{six}}, 6},
		"its group":                     {Config{Multicast: Group6}, 6},
		"its source":                    {Config{Source: six}, 6},
		"its addresses before all else": {Config{Addresses: []netip.Prefix{netip.PrefixFrom(four, 24)}, Source: six}, 4},
	} {
		if got := tt.c.Family(); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestBroadcastOf(t *testing.T) {
	for network, want := range map[string]string{"10.13.0.15/24": "10.13.0.255", "10.13.0.15/28": "10.13.0.15", "10.13.7.1/20": "10.13.15.255", "10.0.0.1/8": "10.255.255.255"} {
		if got := broadcastOf(netip.MustParsePrefix(network)); got.String() != want {
			t.Errorf("%s: %s, want %s", network, got, want)
		}
	}
}
