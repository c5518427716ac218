package config_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// unicast is what options about peers need.
const unicast = `peers = ["10.9.0.2"]`

// reloadedRouters has, for every option of a virtual_router, what a reload changes
// it to. An option that is not here fails the test.
var reloadedRouters = map[string]struct {
	text string
	// another: it is another virtual router then, which hands over and begins anew.
	another bool
	// beside is what the option needs.
	beside string
}{
	"interface":       {`interface = "eth2"`, true, ""},
	"carrier":         {`carrier = "ignore"`, false, ""},
	"link_up_delay":   {`link_up_delay = "20s"`, false, ""},
	"id":              {`id = 52`, true, ""},
	"version":         {`version = 2`, false, ""},
	"priority":        {`priority = 120`, false, ""},
	"advert_interval": {`advert_interval = "2s"`, false, ""},
	"preempt":         {`preempt = false`, false, ""},
	"preempt_delay":   {`preempt_delay = "20s"`, false, ""},
	"addresses":       {`addresses = ["10.9.0.200/24", "10.9.0.201/24"]`, false, ""},
	"address":         {`address "10.9.0.201/24" { label = "eth0:web" }`, false, ""},
	"extra_address":   {`extra_address "192.168.1.254/24" { interface = "eth1" }`, false, ""},
	"peers":           {`peers = ["10.9.0.2"]`, false, ""},
	"route":           {`route "10.77.0.0/16" { via = "10.9.0.254" }`, false, ""},
	"rule":            {"rule {\n  from     = \"10.9.0.200/32\"\n  table    = 100\n  priority = 100\n}", false, ""},
	"announce":        {"announce {\n  repeat     = 2\n  interval   = \"10ms\"\n  refresh    = \"7s\"\n  interfaces = [\"eth1\"]\n}", false, ""},
	"ttl":             {`ttl = 254`, false, unicast},
	"min_ttl":         {`min_ttl = 254`, false, unicast},
	"max_ttl":         {`max_ttl = 254`, false, unicast + "\nmin_ttl = 254"},
	"multicast_group": {`multicast_group = "224.0.0.19"`, false, ""},
	"source":          {`source = "10.9.0.7"`, false, ""},
	"track":           {`track "interface" "eth1" {}`, false, ""},
	"authentication":  {`authentication { password = "1111" }`, false, "version = 2"},
	"accept":          {`accept = false`, false, ""},
	"virtual_mac":     {`virtual_mac {}`, false, ""},
	"insist":          {`insist = true`, false, ""},
	"lease":           {`lease = false`, false, ""},
}

// A reload that changes one option of a virtual router, and nothing else, leaves it
// as one that was started so: in what it reports, in what it sends, and in what it
// has on the interfaces. So does the life that it leads afterwards.
func TestEveryOptionOfAVirtualRouterTakesEffectByReload(t *testing.T) {
	options := config.Schema()
	for _, o := range options.Options {
		if o.Name == "virtual_router" {
			options = o.Block
		}
	}
	for _, o := range options.Options {
		if o.Name == "on" { // It has a test of its own.
			continue
		}
		row, ok := reloadedRouters[o.Name]
		if !ok {
			t.Errorf("option %s has no row in this test", o.Name)
			continue
		}
		before, after := router(t, o.Name, row.beside), router(t, o.Name, row.beside+"\n"+row.text)
		for _, role := range []vrrp.State{vrrp.Master, vrrp.Backup} {
			t.Run(fmt.Sprintf("%s of a %s", o.Name, role), func(t *testing.T) { takesEffect(t, role, before, after, row.another) })
			t.Run(fmt.Sprintf("%s of a %s, and back", o.Name, role), func(t *testing.T) { takesEffect(t, role, after, before, row.another) })
		}
	}
}

// The keys of a virtual router are not in its file: their texts are given by the
// director, and may change although the file does not.
func TestKeysOfAVirtualRouterTakeEffectByReload(t *testing.T) {
	keyed := func(text, secret string) vrrp.Config {
		c := router(t, "authentication", "authentication {\n"+text+"\n}")
		for i := range c.Authentication.Keys {
			c.Authentication.Keys[i].Secret = vrrp.NewSecret(fmt.Sprint(secret, i))
		}
		return c
	}
	const one, two = `key "1" { file = "/1" }`, `key "1" { file = "/1" }
	key "2" { file = "/2" }`
	before := keyed(two+"\nsigner = 1", "a")
	for name, after := range map[string]vrrp.Config{
		"none any more":           router(t, "", ""),
		"one key less":            keyed(one, "a"),
		"the other key signs":     keyed(two+"\nsigner = 2", "a"),
		"only received":           keyed(two+"\nmode = \"receive-only\"", "a"),
		"permissive":              keyed(two+"\nsigner = 1\nmode = \"permissive\"", "a"),
		"the text of a key alone": keyed(two+"\nsigner = 1", "b"),
	} {
		for _, role := range []vrrp.State{vrrp.Master, vrrp.Backup} {
			t.Run(fmt.Sprintf("%s of a %s", name, role), func(t *testing.T) { takesEffect(t, role, before, after, false) })
			t.Run(fmt.Sprintf("%s of a %s, and back", name, role), func(t *testing.T) { takesEffect(t, role, after, before, false) })
		}
	}
}

func takesEffect(t *testing.T, role vrrp.State, before, after vrrp.Config, another bool) {
	reloaded, started := live(t, role, before, after, another), live(t, role, after, after, another)
	if diff := gocmp.Diff(started, reloaded); diff != "" {
		t.Errorf("it is not as one that was started so (-want +got):\n%s", diff)
	}
	if gocmp.Equal(live(t, role, before, before, another), reloaded) {
		t.Error("it is as if nothing had been changed, or this test does not show it")
	}
}

// router is a virtual router as a file has it, with one option replaced or added.
func router(t *testing.T, option, text string) vrrp.Config {
	t.Helper()
	lines := map[string]string{"interface": `interface = "eth0"`, "id": "id = 51", "priority": "priority = 150", "addresses": `addresses = ["10.9.0.200/24"]`}
	if strings.TrimSpace(text) != "" {
		lines[option] = text
	}
	c := parsed(t, "virtual_router \"outside\" {\n"+strings.Join(slices.Sorted(maps.Values(lines)), "\n")+"\n}\n")
	return c.Routers[0]
}

// live lets a router become Master or Backup, changes its configuration, and
// returns what is seen of it from then on.
func live(t *testing.T, role vrrp.State, before, after vrrp.Config, another bool) (seen []string) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t)
		h.other = before
		h.session.Set(vrrp.Desired{Routers: []vrrp.Config{before}})
		// The other director lives by the same files.
		rival := func(priority uint8, turns int) {
			for range turns {
				h.advert(priority)
				time.Sleep(h.other.Interval)
			}
		}
		if role == vrrp.Backup {
			rival(200, 20)
		} else {
			time.Sleep(20 * time.Second)
		}
		if st := h.session.Statuses(); len(st) != 1 || st[0].State != role {
			t.Fatalf("it is no %s: %+v", role, st)
		}
		h.session.Set(vrrp.Desired{Routers: []vrrp.Config{after}})
		h.other = after
		if another {
			if role == vrrp.Backup {
				rival(200, 20)
			}
			time.Sleep(time.Minute)
		}
		h.forget()
		h.look("reloaded")
		if h.state() == vrrp.Master {
			time.Sleep(20 * time.Second) // Until what it announces is over.
			h.advert(0)                  // It restarts Adver_Timer.
		} else {
			h.advert(200)
		}
		h.forget()
		time.Sleep(3 * time.Second)
		h.look("it goes on")
		rival(200, 5)
		h.look("the other one has priority 200")
		rival(100, 15)
		h.look("and falls back to 100")
		time.Sleep(20 * time.Second)
		h.look("and is gone")
		rival(200, 5)
		h.look("and comes back")
		h.strange(10)
		h.look("and sends what is not understood, and has the addresses")
		for _, h.ttl = range []int{254, 255} {
			rival(200, 5)
			h.look(fmt.Sprintf("and its adverts arrive with TTL %d", h.ttl))
		}
		h.ttl = 0
		rival(200, 5)
		h.set("eth1", false)
		time.Sleep(10 * time.Second)
		h.look("eth1 is down")
		h.set("eth1", true)
		time.Sleep(20 * time.Second)
		h.look("eth1 is up")
		h.set("eth0", false)
		time.Sleep(10 * time.Second)
		h.look("eth0 has no carrier")
		h.set("eth0", true)
		time.Sleep(30 * time.Second)
		h.look("and has it again")
		h.session.Set(vrrp.Desired{Ending: vrrp.Stopped})
		<-h.ended
		h.look("stopped")
		seen = h.seen
	})
	return seen
}

// A host is the machine of one virtual router, and the network that it is on.
type host struct {
	t       *testing.T
	session *vrrp.Session
	ended   chan struct{}
	wake    chan struct{}
	other   vrrp.Config // the other director's
	ttl     int         // of its adverts, if it is not as configured
	mark    time.Time   // from which the log counts
	seen    []string

	mu      sync.Mutex
	down    map[string]bool
	has     map[vrrp.InterfaceAddress]string // virtual addresses with their lifetimes
	paths   map[string]bool                  // routes and rules
	ports   map[vrrp.Port][]vrrp.Identity
	view    *vrrp.Interfaces
	arrived []vrrp.Packet
	claims  []vrrp.Claim
	refused []netip.Addr
	answers bool // the other director has the addresses
	signed  vrrp.Sequence
	log     []string
}

var own = map[string][]string{"eth0": {"10.9.0.1/24", "10.9.0.7/24"}, "eth1": {"192.168.1.1/24"}, "eth2": {"10.9.0.9/24"}, "vrrp4-51": nil}

func newHost(t *testing.T) *host {
	h := &host{t: t, ended: make(chan struct{}), wake: make(chan struct{}, 1), mark: time.Now(),
		down: map[string]bool{}, has: map[vrrp.InterfaceAddress]string{}, paths: map[string]bool{}}
	h.publish()
	h.session = vrrp.NewSession(h, h, h.event)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() { defer close(h.ended); h.session.Run(ctx) }()
	return h
}

func (h *host) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf("%9.3f ", time.Since(h.mark).Seconds())+fmt.Sprintf(format, args...))
}

// event writes down what the router becomes; what else it tells depends on what it
// has told before.
func (h *host) event(e vrrp.Event) {
	if e.Changed() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.note("%s is %s: %s", e.Router, e.To, e.Text)
	}
}

// forget forgets what was noted so far, and counts the time anew.
func (h *host) forget() {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log, h.mark = nil, time.Now()
}

// look writes down all that is there to be seen.
func (h *host) look(when string) {
	synctest.Wait()
	statuses := h.session.Statuses()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, "---- "+when)
	slices.Sort(h.log) // What happens at one moment is of two goroutines.
	h.seen = append(h.seen, h.log...)
	h.log = nil
	for _, s := range statuses {
		s.Age = 0
		s.Since, s.Counters, s.Peers, s.Rivals = time.Time{}, vrrp.Counters{}, nil, nil
		s.AdvertGaps, s.AdvertLateness = vrrp.Histogram{}, vrrp.Histogram{}
		if s.Authentication != nil {
			h.seen = append(h.seen, fmt.Sprintf("authentication %+v", *s.Authentication))
			s.Authentication = nil
		}
		delete(s.Senders, vrrp.ReasonUnsigned) // They are remembered.
		delete(s.Senders, vrrp.ReasonUnverified)
		if s.Aside != nil {
			h.seen = append(h.seen, fmt.Sprintf("stands aside for %+v", *s.Aside))
			s.Aside = nil
		}
		h.seen = append(h.seen, fmt.Sprintf("status %+v", s))
	}
	for a, lease := range h.has {
		h.seen = append(h.seen, fmt.Sprintf("%s dev %s %s", a.Prefix, a.Interface, lease))
	}
	slices.Sort(h.seen[len(h.seen)-len(h.has):])
	h.seen = append(h.seen, slices.Sorted(maps.Keys(h.paths))...)
	h.seen = append(h.seen, fmt.Sprint("listening ", h.ports), fmt.Sprint("refusing ", h.refused))
}

func (h *host) state() vrrp.State { return h.session.Statuses()[0].State }

// advert is one of the other director's.
func (h *host) advert(priority uint8) {
	c, src, dst := &h.other, netip.MustParseAddr("10.9.0.2"), vrrp.Group4
	switch {
	case len(c.Peers) > 0:
		dst = netip.MustParseAddr("10.9.0.1")
	case c.Multicast.IsValid():
		dst = c.Multicast
	}
	ad := vrrp.Advert{Version: c.Version, VRID: c.VRID, Priority: priority, Interval: c.Interval}
	if c.Version == 2 {
		copy(ad.Password[:], c.Authentication.Password)
	}
	for _, p := range c.Addresses {
		ad.Addresses = append(ad.Addresses, p.Addr())
	}
	payload := ad.Append(nil, src, dst)
	if a := &c.Authentication; a.Signer != 0 {
		h.signed++
		other := vrrp.NewRouter(*c)
		other.Startup(time.Now(), src)
		payload = other.Encode(nil, vrrp.Send{Advert: ad, Sequence: vrrp.Sequence(time.Now().Unix())<<32 + h.signed}, dst)
	}
	h.mu.Lock()
	h.arrived = append(h.arrived, vrrp.Packet{Port: vrrp.Port{Interface: c.Interface, Family: 4}, Src: src, Dst: dst, TTL: cmp.Or(h.ttl, int(c.MaxTTL)), Payload: payload})
	h.mu.Unlock()
	h.token()
	synctest.Wait()
}

// strange lets the other director advertise in another version for some turns, and
// answer for the addresses.
func (h *host) strange(turns int) {
	version := h.other.Version
	h.other.Version = 5 - version
	h.answer(true)
	for range turns {
		h.advert(200)
		time.Sleep(h.other.Interval)
	}
	h.other.Version = version
	h.answer(false)
}

// answer lets somebody else answer for the addresses, or nobody.
func (h *host) answer(yes bool) {
	h.mu.Lock()
	h.answers = yes
	h.mu.Unlock()
}

func (h *host) set(device string, up bool) {
	h.mu.Lock()
	h.down[device] = !up
	h.publish()
	h.mu.Unlock()
}

func (h *host) token() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *host) publish() {
	h.view = &vrrp.Interfaces{ByName: map[string]vrrp.Interface{}, Ports: map[vrrp.Port]string{}}
	for name, addresses := range own {
		i := vrrp.Interface{Enabled: true, Up: !h.down[name]}
		for _, a := range addresses {
			i.Addresses = append(i.Addresses, netip.MustParsePrefix(a))
		}
		for a := range h.has {
			if a.Interface == name {
				i.Addresses = append(i.Addresses, a.Prefix)
			}
		}
		h.view.ByName[name] = i
	}
	for p := range h.ports {
		h.view.Ports[p] = ""
	}
	h.token()
}

func (h *host) Wake() <-chan struct{} { return h.wake }

func (h *host) Listen(wanted map[vrrp.Port][]vrrp.Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ports = wanted
	h.publish()
}

func (h *host) Interfaces() *vrrp.Interfaces {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.view
}

func (h *host) Receive(f func(vrrp.Packet)) {
	h.mu.Lock()
	packets := h.arrived
	h.arrived = nil
	h.mu.Unlock()
	for _, p := range packets {
		f(p)
	}
}

func (h *host) Refuse(addresses []netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = addresses
}

func (h *host) Watch(map[string][]netip.Addr) {}

func (h *host) Ask(a vrrp.Ask) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answers {
		h.claims = append(h.claims, vrrp.Claim{Interface: a.Interface, Address: a.Address, MAC: "52:54:00:00:00:02"})
		h.token()
	}
	return nil
}

func (h *host) Claims(f func(vrrp.Claim)) {
	h.mu.Lock()
	claims := h.claims
	h.claims = nil
	h.mu.Unlock()
	for _, c := range claims {
		f(c)
	}
}

func (h *host) Unremovable(vrrp.Holdings) map[vrrp.InterfaceAddress]error { return nil }

func (h *host) Send(p vrrp.Packet) error {
	ad, err := vrrp.Decode(p.Payload, p.Src, p.Dst)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("on %s from %s to %s with TTL %d: %+v", p.Port.Interface, p.Src, p.Dst, p.TTL, ad)
	if ad.Signed {
		h.note("signed %x", p.Payload[len(p.Payload)-28:])
	}
	return err
}

func (h *host) Hold(want vrrp.Holdings) (added, missing vrrp.Holdings, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range want.Addresses {
		if own[a.Interface] == nil {
			err = errors.New("there is no " + a.Interface)
			continue
		}
		if h.has[a] == "" {
			added.Addresses = append(added.Addresses, a)
		}
		h.has[a] = "for ever"
		if want.Lease > 0 {
			h.has[a] = "for " + want.Lease.String()
		}
	}
	for _, p := range slices.Concat(texts(want.Routes), texts(want.Rules)) {
		h.paths[p] = true
	}
	h.publish()
	return added, missing, err
}

func (h *host) Sweep(vrrp.Holdings) error { return nil }

func texts[T fmt.Stringer](list []T) (all []string) {
	for _, v := range list {
		all = append(all, v.String())
	}
	return all
}

func (h *host) Release(all vrrp.Holdings) (removed vrrp.Holdings, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range all.Addresses {
		if h.has[a] != "" {
			removed.Addresses = append(removed.Addresses, a)
		}
		delete(h.has, a)
	}
	for _, p := range slices.Concat(texts(all.Routes), texts(all.Rules)) {
		delete(h.paths, p)
	}
	h.publish()
	return removed, nil
}

func (h *host) Announce(all vrrp.Holdings) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range all.Addresses {
		h.note("announce %s on %s", a.Prefix.Addr(), a.Interface)
	}
	return nil
}

// parsed is the configuration that a text is, whatever warnings it brings.
func parsed(t *testing.T, text string) *config.Config {
	t.Helper()
	s := config.SourcesOf(t, text)
	c, diags := config.Parse(s, config.Options{Node: "lvs1"})
	if diags.HasErrors() {
		t.Fatalf("%s%v", text, diags)
	}
	return c
}
