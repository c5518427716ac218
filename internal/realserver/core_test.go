package realserver

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

var addr = netip.MustParseAddr

// service is a virtual service on port 80 with one real server.
func service(name, virtual, server string, d ipvsctl.Destination) config.Service {
	return config.Service{
		Name: name, Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: addr(virtual), Port: 80},
		Servers: []config.Server{{Name: server, Key: ipvsctl.DestinationKey{Addr: addr(server), Port: 80}, Destination: d}},
	}
}

func marked(mark uint32, virtual, server string) config.Service {
	s := service("marked", virtual, server, direct)
	s.Key = ipvsctl.ServiceKey{Mark: mark, Addr: addr(virtual)}
	return s
}

// several is a service whose packets to addresses lvsd marks.
func several(s config.Service, first, last string) config.Service {
	all := ipvsctl.Select([]ipvsctl.AddressRange{{First: addr(first), Last: addr(last)}}, []ipvsctl.Protocol{ipvsctl.TCP}, nil)
	s.Packets = &all
	return s
}

var (
	direct = ipvsctl.Destination{Forward: ipvsctl.Direct}
	ipip   = ipvsctl.Destination{Forward: ipvsctl.Tunnel}
	gre    = ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGRE}
	gue    = ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGUE, TunnelPort: 5555}
	nat    = ipvsctl.Destination{Forward: ipvsctl.NAT}
)

// facts are those of a machine with these addresses, each with a network or alone, on which
// all parameters are 0 but for some: "net.ipv4.conf.all.rp_filter=1".
func facts(own string, values ...string) *Facts {
	f := &Facts{Parts: make(map[Part]string)}
	for a := range strings.FieldsSeq(own) {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			p = netip.PrefixFrom(addr(a), addr(a).BitLen())
		}
		f.Own = append(f.Own, p)
	}
	for _, s := range Parameters()[:3] {
		f.Parts[ParameterOf(s)] = "0"
	}
	for _, text := range values {
		name, value, _ := strings.Cut(text, "=")
		p, err := Parse(name)
		if err != nil {
			panic(err)
		}
		f.Parts[p] = value
	}
	return f
}

const silent = "net.ipv4.conf.all.arp_announce=2 web\nnet.ipv4.conf.all.arp_ignore=1 web\n"

func TestNeeds(t *testing.T) {
	const v4, v6, own4, own6 = "10.13.0.200", "2001:db8::200", "192.168.1.4", "2001:db8:1::4"
	for _, tt := range []struct {
		name     string
		services []config.Service
		facts    *Facts
		want     string
	}{
		{"direct routing has the virtual address on lo, of which no ARP request is answered", []config.Service{service("web", v4, own4, direct)}, facts(own4),
			silent + "address 10.13.0.200/32 on lo=present web\n"},
		{"IPv6 has no ARP, and a neighbour is answered only on the interface that has the address", []config.Service{service("web", v6, own6, direct)}, facts(own6),
			"address 2001:db8::200/128 on lo=present web\n"},
		{"IP in IP comes out of tunl0, from clients to whom the way is another one", []config.Service{service("web", v4, own4, ipip)}, facts(own4),
			"device tunl0=up web\n" + silent + "net.ipv4.conf.tunl0.rp_filter=0 web\naddress 10.13.0.200/32 on tunl0=present web\n"},
		{"where rp_filter is strict for all interfaces it is loose on tunl0, and all stays", []config.Service{service("web", v4, own4, ipip)}, facts(own4, "net.ipv4.conf.all.rp_filter=1"),
			"device tunl0=up web\n" + silent + "net.ipv4.conf.tunl0.rp_filter=2 web\naddress 10.13.0.200/32 on tunl0=present web\n"},
		{"GUE has a port besides", []config.Service{service("web", v4, own4, gue)}, facts(own4),
			"device tunl0=up web\nudp port 5555=gue web\n" + silent + "net.ipv4.conf.tunl0.rp_filter=0 web\naddress 10.13.0.200/32 on tunl0=present web\n"},
		{"GRE comes out of gre0", []config.Service{service("web", v4, own4, gre)}, facts(own4),
			"device gre0=up web\n" + silent + "net.ipv4.conf.gre0.rp_filter=0 web\naddress 10.13.0.200/32 on gre0=present web\n"},
		{"IPv6 in IPv6 comes out of ip6tnl0", []config.Service{service("web", v6, own6, ipip)}, facts(own6),
			"device ip6tnl0=up web\naddress 2001:db8::200/128 on ip6tnl0=present web\n"},
		{"IPv4 in IPv6 comes out of ip6tnl0, if that is told to unwrap it", []config.Service{service("web", v4, own6, ipip)}, facts(own6, "device ip6tnl0=down", "mode of ip6tnl0=ip6ip6"),
			"device ip6tnl0=up web\nmode of ip6tnl0=any web\n" + silent + "net.ipv4.conf.ip6tnl0.rp_filter=0 web\naddress 10.13.0.200/32 on ip6tnl0=present web\n"},
		{"IPv6 in IPv4 comes out of sit0", []config.Service{service("web", v6, own4, ipip)}, facts(own4),
			"device sit0=up web\naddress 2001:db8::200/128 on sit0=present web\n"},
		{"IPv6 in GUE over IPv6 has a port of IPv6", []config.Service{service("web", v6, own6, gue)}, facts(own6),
			"device ip6tnl0=up web\nudp6 port 5555=gue web\naddress 2001:db8::200/128 on ip6tnl0=present web\n"},
		{"a service of others needs nothing here", []config.Service{service("web", v4, "192.168.1.5", direct)}, facts(own4), ""},
		{"two services with one address need it once", []config.Service{service("web", v4, own4, direct), service("dns", v4, own4, direct)}, facts(own4),
			strings.ReplaceAll(silent+"address 10.13.0.200/32 on lo=present web\n", " web", " web dns")},
		{"a firewall mark does not say for which addresses it is", []config.Service{marked(7, "0.0.0.0", own4)}, facts(own4),
			strings.ReplaceAll(silent, "web", "marked")},
		{"a mark that lvsd gives itself does, and a service with several addresses has each",
			[]config.Service{several(marked(7, "0.0.0.0", own4), "10.13.0.200", "10.13.0.201")}, facts(own4),
			strings.ReplaceAll(silent, "web", "marked") + "address 10.13.0.200/32 on lo=present marked\naddress 10.13.0.201/32 on lo=present marked\n"},
		{"a stricter arp_ignore stays", []config.Service{service("web", v4, own4, direct)}, facts(own4, "net.ipv4.conf.all.arp_ignore=2"),
			strings.Replace(silent, "ignore=1", "ignore=2", 1) + "address 10.13.0.200/32 on lo=present web\n"},
		{"a virtual address on lo makes nobody a real server of a service that has it as one",
			[]config.Service{service("web", v4, own4, direct), service("odd", "10.13.0.9", v4, direct)}, facts(own4 + " " + v4),
			silent + "address 10.13.0.200/32 on lo=present web\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			role := RoleOf(of(tt.services...), tt.facts)
			got := ""
			for _, n := range role.Needs {
				got += fmt.Sprintf("%v=%s %s\n", n.Part, n.Value, strings.Join(n.Services, " "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("needs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheWayToTheDirector(t *testing.T) {
	const inside = "192.168.1.4/24"
	by := func(gateway string) string { return "default route=" + gateway + " web" }
	v6 := func(c *Cluster) {
		c.Services[0] = service("web", "2001:db8:13::200", "2001:db8:1::4", nat)
		c.Routers = append(c.Routers, vrrp.Config{Addresses: []netip.Prefix{netip.MustParsePrefix("2001:db8:13::200/64")},
			Extra: []vrrp.InterfaceAddress{{Prefix: netip.MustParsePrefix("2001:db8:1::254/64")}}})
	}
	for _, tt := range []struct {
		name   string
		facts  *Facts
		change func(*Cluster, *Facts)
		// want is what is needed, or what the note says.
		want string
	}{
		{"is by the address in its network that moves with the virtual one", facts(inside), nil, by("192.168.1.254")},
		{"is so although the machine has another default route, which stays", facts(inside), func(_ *Cluster, f *Facts) { f.Gateways = []netip.Addr{addr("192.168.1.1")} }, by("192.168.1.254")},
		{"is there already", facts(inside), func(_ *Cluster, f *Facts) { f.Gateways = []netip.Addr{addr("192.168.1.254")} }, ""},
		{"is lvsd's, and so it stays although the machine's own leads there, too", facts(inside, "default route=192.168.1.254"),
			func(_ *Cluster, f *Facts) { f.Gateways = []netip.Addr{addr("192.168.1.254")} }, by("192.168.1.254")},
		{"is by the virtual address itself in its own network", facts("10.13.0.4/24"), func(c *Cluster, _ *Facts) { c.Services[0] = service("web", "10.13.0.200", "10.13.0.4", nat) }, by("10.13.0.200")},
		{"is by the virtual router that has the virtual address, of several", facts(inside), func(c *Cluster, _ *Facts) {
			other := vrrp.Config{Extra: []vrrp.InterfaceAddress{{Prefix: netip.MustParsePrefix("192.168.1.253/24")}}}
			c.Routers = []vrrp.Config{other, c.Routers[0], other}
		}, by("192.168.1.254")},
		{"is by another virtual router if that one is not there", facts(inside), func(c *Cluster, _ *Facts) {
			c.Routers = append([]vrrp.Config{{Addresses: c.Routers[0].Addresses}}, vrrp.Config{Extra: c.Routers[0].Extra})
		}, by("192.168.1.254")},
		{"is the user's where no address moves in its network", facts("192.168.1.4"), nil, "add an extra_address there"},
		{"is one for all services", facts(inside + " 192.168.2.4/24"), func(c *Cluster, _ *Facts) {
			c.Routers[0].Extra = append(c.Routers[0].Extra, vrrp.InterfaceAddress{Prefix: netip.MustParsePrefix("192.168.2.254/24")})
			c.Services = append(c.Services, service("other", "10.13.0.200", "192.168.2.4", nat))
		}, by("192.168.1.254") + "\nthere is one default route, which those of virtual service \"web\" need"},
		{"is no matter where servers see the director as the client", facts(inside), func(c *Cluster, _ *Facts) { c.Services[0].SourceNAT.Masquerade = true }, ""},
		{"is needed by nobody who is Master", facts(inside + " 192.168.1.254/24"), nil, ""},
		{"is needed by no director", facts(inside), func(c *Cluster, _ *Facts) { c.Director = true }, "this director keeps its default route"},
		{"is needed by no Master that serves itself", facts("192.168.1.15/24 192.168.1.254/24"), func(c *Cluster, _ *Facts) {
			c.Director, c.Services[0] = true, service("web", "10.13.0.200", "192.168.1.254", nat)
		}, ""},
		{"is another one for IPv6", facts("2001:db8:1::4/64"), func(c *Cluster, _ *Facts) { v6(c) }, "IPv6 " + by("2001:db8:1::254")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := of(service("web", "10.13.0.200", "192.168.1.4", nat))
			if tt.change != nil {
				tt.change(c, tt.facts)
			}
			role := RoleOf(c, tt.facts)
			got := ""
			for _, n := range role.Needs {
				got += fmt.Sprintf("%v=%s %s\n", n.Part, n.Value, strings.Join(n.Services, " "))
			}
			for _, s := range role.Services {
				got += s.Note
			}
			want, note, _ := strings.Cut(tt.want, "\n")
			if !strings.Contains(got, want) || !strings.Contains(got, note) || want == "" && got != "" {
				t.Errorf("it is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFallbackIsARealServerToo(t *testing.T) {
	s := service("web", "10.13.0.200", "192.168.1.5", direct)
	s.Fallback = &config.Fallback{Key: ipvsctl.DestinationKey{Addr: addr("192.168.1.4"), Port: 80}, Destination: direct}
	role := RoleOf(of(s), facts("192.168.1.4"))
	if len(role.Services) != 1 || len(role.Needs) != 3 {
		t.Errorf("it is %+v", role)
	}
}

func TestWhatIsLeftToTheUserIsSaid(t *testing.T) {
	role := RoleOf(of(service("web", "10.13.0.200", "192.168.1.4", nat), marked(7, "0.0.0.0", "192.168.1.4")), facts("192.168.1.4"))
	for i, word := range []string{"default route", "firewall mark 7"} {
		if !strings.Contains(role.Services[i].Note, word) {
			t.Errorf("%s: %q does not say %q", role.Services[i].Service, role.Services[i].Note, word)
		}
	}
}

// A fake is a machine, and what is remembered of it. Some parts cannot be changed.
type fake struct {
	mu      sync.Mutex // what a test does meanwhile
	facts   Facts
	memory  Memory
	refuses func(Part) bool
	unsaved error
	done    []string
}

func (f *fake) Look(map[Kind]bool) (Facts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	facts := f.facts
	facts.Parts = maps.Clone(facts.Parts)
	return facts, nil
}

var errRefused = errors.New("refused")

func (f *fake) Set(p Part, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuses != nil && f.refuses(p) {
		return errRefused
	}
	f.done = append(f.done, p.String()+"="+value)
	if value == "" {
		delete(f.facts.Parts, p)
	} else {
		f.facts.Parts[p] = value
	}
	// The parameters of a device come and go with it.
	if p.Kind == Device {
		if p.Interface == SixEnd && value == "" {
			delete(f.facts.Parts, ModeOf(SixEnd))
		} else if p.Interface == SixEnd && f.facts.Parts[ModeOf(SixEnd)] == "" {
			f.facts.Parts[ModeOf(SixEnd)] = SixAlone
		}
		filter := ParameterOf(machine.RPFilter(p.Interface))
		if value == "" {
			delete(f.facts.Parts, filter)
		} else if f.facts.Parts[filter] == "" {
			f.facts.Parts[filter] = "0"
		}
	}
	return nil
}

func (f *fake) Load() (Memory, error) { return f.memory, nil }
func (f *fake) Save(m Memory) error {
	if f.unsaved == nil {
		f.memory = m
	}
	return f.unsaved
}

// of is a cluster with these services, whose director has 10.13.0.200 outside and 192.168.1.254
// inside.
func of(services ...config.Service) *Cluster {
	return &Cluster{Config: &config.Config{Services: services, Routers: []vrrp.Config{{
		Addresses: []netip.Prefix{netip.MustParsePrefix("10.13.0.200/24")},
		Extra:     []vrrp.InterfaceAddress{{Interface: "eth1", Prefix: netip.MustParsePrefix("192.168.1.254/24")}},
	}}}}
}

func TestNothingIsAnsweredForBeforeTheParametersAreSet(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4"), refuses: func(p Part) bool { return p.Kind == Parameter && p.Setting == machine.ARPIgnore(all) }}
	c := of(service("web", "10.13.0.200", "192.168.1.4", direct))
	_, r := Pass(f, f, c)
	if !errors.Is(r.Err, errRefused) || len(r.Left) != 2 {
		t.Errorf("left %+v: %v", r.Left, r.Err)
	}
	vip := AddressOn(Loopback, addr("10.13.0.200"))
	if f.facts.Parts[vip] != "" {
		t.Error("the address was added")
	}
	// The operator does it by hand: it is not lvsd's, then.
	f.facts.Parts[vip] = Present
	if _, r = Pass(f, f, nil); r.Err != nil || f.facts.Parts[vip] != Present {
		t.Errorf("somebody else's address is %q: %v", f.facts.Parts[vip], r.Err)
	}
}

func TestAServiceThatCannotBeServedKeepsNoOtherFromIt(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4"), refuses: func(p Part) bool { return p.Kind == Port }}
	_, r := Pass(f, f, of(service("web", "10.13.0.200", "192.168.1.4", direct), service("gue", "10.13.0.201", "192.168.1.4", gue)))
	if !errors.Is(r.Err, errRefused) || f.facts.Parts[AddressOn(Loopback, addr("10.13.0.200"))] != Present || f.facts.Parts[AddressOn("tunl0", addr("10.13.0.201"))] != "" {
		t.Errorf("it did %v: %v", f.done, r.Err)
	}
}

func TestWhatCannotBeRememberedIsNotChanged(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4"), unsaved: errors.New("the disk is full")}
	_, r := Pass(f, f, of(service("web", "10.13.0.200", "192.168.1.4", direct)))
	if r.Err == nil || len(f.done) > 0 || len(r.Left) != 3 {
		t.Errorf("it did %v: %v", f.done, r.Err)
	}
}

func TestAnAddressThatWasThereStaysAtTheEnd(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4", "address 10.13.0.200/32 on lo=present")}
	before := maps.Clone(f.facts.Parts)
	c := of(service("web", "10.13.0.200", "192.168.1.4", direct))
	if _, r := Pass(f, f, c); r.Err != nil {
		t.Fatal(r.Err)
	}
	if _, r := Pass(f, f, nil); r.Err != nil || !maps.Equal(f.facts.Parts, before) {
		t.Errorf("it is %v, and was %v: %v", f.facts.Parts, before, r.Err)
	}
}

func TestATunnelThatSomebodyElseHasAnAddressOnStaysUp(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4", "device tunl0=down")}
	if _, r := Pass(f, f, of(service("web", "10.13.0.200", "192.168.1.4", ipip))); r.Err != nil {
		t.Fatal(r.Err)
	}
	f.facts.Parts[AddressOn("tunl0", addr("172.16.0.1"))] = Present
	if _, r := Pass(f, f, nil); r.Err != nil || f.facts.Parts[DeviceNamed("tunl0")] != Up || len(f.memory) > 0 {
		t.Errorf("tunl0 is %s, and remembered is %v: %v", f.facts.Parts[DeviceNamed("tunl0")], f.memory, r.Err)
	}
}

func TestAServiceThatMovesToATunnelLosesItsAddressLast(t *testing.T) {
	f := &fake{facts: *facts("192.168.1.4", "device tunl0=down", "net.ipv4.conf.tunl0.rp_filter=1")}
	Pass(f, f, of(service("web", "10.13.0.200", "192.168.1.4", direct)))
	f.done = nil
	if _, r := Pass(f, f, of(service("web", "10.13.0.200", "192.168.1.4", ipip))); r.Err != nil {
		t.Fatal(r.Err)
	}
	want := []string{"device tunl0=up", "net.ipv4.conf.tunl0.rp_filter=0", "address 10.13.0.200/32 on tunl0=present", "address 10.13.0.200/32 on lo="}
	if diff := cmp.Diff(want, f.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

// randomConfig has services of random kinds, with one of two machines among their servers.
func randomConfig(r *rand.Rand) *Cluster {
	c := of()
	c.Director = r.IntN(5) == 0
	for i := range r.IntN(5) {
		virtual := []string{"10.13.0.200", "10.13.0.201", "2001:db8::200"}[r.IntN(3)]
		server := []string{"192.168.1.4", "192.168.1.5", "2001:db8:1::4"}[r.IntN(3)]
		d := []ipvsctl.Destination{direct, ipip, gre, gue, nat}[r.IntN(5)]
		if d.Forward == ipvsctl.Direct && addr(virtual).Is4() != addr(server).Is4() {
			continue
		}
		c.Services = append(c.Services, service(fmt.Sprintf("s%d", i), virtual, server, d))
	}
	return c
}

// randomMachine is one on which some things are as they should be already.
func randomMachine(r *rand.Rand) *fake {
	f := &fake{facts: *facts("192.168.1.4/24 2001:db8:1::4/64")}
	if r.IntN(3) == 0 {
		f.facts.Gateways = []netip.Addr{addr([]string{"192.168.1.1", "192.168.1.254"}[r.IntN(2)])}
	}
	for _, s := range Parameters()[:3] {
		f.facts.Parts[ParameterOf(s)] = []string{"0", "1", "2"}[r.IntN(3)]
	}
	for _, e := range Ends {
		if state := []string{"", Up, Down}[r.IntN(3)]; state != "" {
			f.facts.Parts[DeviceNamed(e.Name)] = state
			f.facts.Parts[ParameterOf(machine.RPFilter(e.Name))] = []string{"0", "1", "2"}[r.IntN(3)]
			if e.Name == SixEnd {
				f.facts.Parts[ModeOf(SixEnd)] = []string{SixAlone, Any}[r.IntN(2)]
			}
		}
	}
	if r.IntN(3) == 0 {
		f.facts.Parts[AddressOn(Loopback, addr("10.13.0.200"))] = Present
	}
	return f
}

// TestAnythingIsUndoneExactly: of any machine, through any configurations and failures, the
// pass after the last failure ends as it should be, the next has nothing to do, and in
// the end all is as it was.
func TestAnythingIsUndoneExactly(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 10))
		f := randomMachine(r)
		before := maps.Clone(f.facts.Parts)
		for range 1 + r.IntN(4) {
			c := randomConfig(r)
			f.refuses = func(Part) bool { return r.IntN(4) == 0 }
			if r.IntN(2) == 0 {
				Pass(f, f, c)
			}
			f.refuses = nil
			if _, result := Pass(f, f, c); result.Err != nil || len(result.Left) > 0 {
				t.Fatalf("seed %d: left %v: %v", seed, result.Left, result.Err)
			}
			f.done = nil
			if _, result := Check(f, f, c); len(result.Left) > 0 {
				t.Fatalf("seed %d: after a pass %v is left", seed, result.Left)
			}
			if Pass(f, f, c); len(f.done) > 0 {
				t.Fatalf("seed %d: a second pass did %v", seed, f.done)
			}
		}
		if _, result := Pass(f, f, nil); result.Err != nil {
			t.Fatalf("seed %d: %v", seed, result.Err)
		}
		if diff := cmp.Diff(texts(before), texts(f.facts.Parts)); diff != "" || len(f.memory) > 0 {
			t.Fatalf("seed %d: remembered is %v, and the machine is (-before +after):\n%s", seed, f.memory, diff)
		}
	}
}

func texts(parts map[Part]string) []string {
	var all []string
	for p, value := range parts {
		all = append(all, p.String()+"="+value)
	}
	slices.Sort(all)
	return all
}

// FuzzParse: what is read from a file is a part of those that lvsd changes, or refused.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"default route", "IPv6 default route", "device tunl0", "device eth0", "udp port 5555", "udp6 port 0", "address 10.13.0.200/32 on lo", "address 10.13.0.200/24 on lo",
		"address 10.13.0.200/32 on eth0", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.forwarding", "tcp port 1", "address ::1%1/128 on lo", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			if p != (Part{}) {
				t.Errorf("%q is refused, and %v", text, p)
			}
			return
		}
		if p.String() != text {
			t.Errorf("%q is %v", text, p)
		}
	})
}

func TestParseRefusesWhatLvsdDoesNotChange(t *testing.T) {
	for text, want := range map[string]bool{
		"default route": true, "mode of ip6tnl0": true, "mode of tunl0": false, "IPv6 default route": true, "device tunl0": true, "udp port 5555": true, "udp6 port 5555": true, "address 10.13.0.200/32 on lo": true, "net.ipv4.conf.all.arp_ignore": true,
		"device eth0": false, "udp port 0": false, "tcp port 1": false, "address 10.13.0.200/24 on lo": false, "address 10.13.0.200/32 on eth0": false,
		"net.ipv4.ip_forward": false, "address 10.13.0.200/32  on lo": false, "": false,
	} {
		if _, err := Parse(text); (err == nil) != want {
			t.Errorf("Parse(%q) = %v", text, err)
		}
	}
}
