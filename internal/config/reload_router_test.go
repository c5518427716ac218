package config_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	"missed_adverts":  {`missed_adverts = 5`, false, ""},
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
		if o.Name == "on" || o.Name == "stream" || o.Name == "resource" { // They have tests of their own.
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
