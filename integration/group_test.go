package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// nat is a sync group over the outside and the inside of a cluster by NAT, for lvsd and
// for keepalived.
const nat = `
virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]
}
virtual_router "inside" {
  interface       = "eth1"
  id              = 52
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["192.168.1.254/24"]
}
sync_group "nat" { routers = ["outside", "inside"] }
`

func natOfKeepalived(node string) string {
	instance := func(name, iface string, id int, address string) string {
		return fmt.Sprintf("vrrp_instance %s {\nstate BACKUP\nversion 3\ninterface %s\nvirtual_router_id %d\npriority %d\nadvert_int 0.1\nvirtual_ipaddress {\n%s dev %s\n}\n}\n",
			name, iface, id, map[string]int{"lvs1": 150, "lvs2": 100}[node], address, iface)
	}
	return "vrrp_sync_group nat {\ngroup {\noutside\ninside\n}\n}\n" +
		instance("outside", "eth0", 51, "10.13.0.200/24") + instance("inside", "eth1", 52, "192.168.1.254/24")
}

// TestASyncGroupMovesAsOneWhicheverLinkDies cuts the Master off outside and inside. Both
// addresses are with the other director then, whoever that runs.
func TestASyncGroupMovesAsOneWhicheverLinkDies(t *testing.T) {
	if cluster.InLab() {
		t.Skip("needs no IPVS")
	}
	for _, tt := range []struct {
		name string
		// ours are the directors that run lvsd; the other one runs keepalived.
		ours [2]bool
	}{
		{"two of lvsd", [2]bool{true, true}},
		{"lvsd before keepalived", [2]bool{true, false}},
		{"lvsd after keepalived", [2]bool{false, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ours != [2]bool{true, true} {
				needPeer(t, keepalived)
			}
			t.Parallel()
			g := newGroupOfTwo(t)
			g.run(1, tt.ours[1])
			g.waitAt(1)
			g.run(0, tt.ours[0])
			g.waitAt(0)
			for _, iface := range []string{"eth1", "eth0"} {
				g.move("the Master's link at "+iface+" is cut", 1, groupDown, func() { g.must(g.Directors[0].Cut(iface)) })
				g.move("it is back", 0, patience, func() { g.must(g.Directors[0].Restore(iface)) })
			}
			g.move("the Master is stopped", 1, groupDown, func() { g.must(g.daemons[0].Stop(patience)) })
		})
	}
}

// groupDown is Master_Down of the second director.
const groupDown = masterDown

// A groupOfTwo is a pair with an address outside and one inside, which belong together.
type groupOfTwo struct {
	*pair
	outside, inside *cluster.Holders
}

func newGroupOfTwo(t *testing.T) *groupOfTwo {
	t.Helper()
	g := &groupOfTwo{pair: &pair{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}}
	g.lvsd.Config = filepath.Join(g.Dir, "etc")
	g.must(os.Mkdir(g.lvsd.Config, 0o755))
	g.must(os.WriteFile(filepath.Join(g.lvsd.Config, "director.hcl"), []byte(nat), 0o644))
	var err error
	g.outside, err = g.WatchHolders(cluster.VIP)
	g.must(err)
	t.Cleanup(g.outside.Close)
	g.inside, err = g.WatchHolders(cluster.Gateways[0])
	g.must(err)
	t.Cleanup(g.inside.Close)
	return g
}

// run starts a daemon on director i.
func (g *groupOfTwo) run(i int, lvsd bool) {
	g.t.Helper()
	if lvsd {
		g.start(i)
		return
	}
	g.must(os.WriteFile(keepalived.ServicePath(g.Directors[i]), []byte(natOfKeepalived(g.Directors[i].Name)), 0o644))
	var err error
	g.daemons[i], err = keepalived.Start(g.Directors[i])
	g.must(err)
}

// waitAt waits until director i alone has both addresses.
func (g *groupOfTwo) waitAt(i int) {
	g.t.Helper()
	want := [2]bool{i == 0, i == 1}
	g.until("both addresses to be with "+g.Directors[i].Name, func() (bool, error) {
		outside, err := g.outside.Now()
		if err != nil {
			return false, err
		}
		inside, err := g.inside.Now()
		return outside == want && inside == want, err
	})
}

// move lets something happen and waits until director to has both addresses for good.
func (g *groupOfTwo) move(what string, to int, within time.Duration, happen func()) {
	g.t.Helper()
	begin := time.Now()
	happen()
	g.waitAt(to)
	settled := time.Now()
	time.Sleep(2 * groupDown)
	g.waitAt(to)
	outside, inside := g.outside.FirstAt(begin, to).Sub(begin), g.inside.FirstAt(begin, to).Sub(begin)
	ms := time.Millisecond
	g.t.Logf("%s: outside after %v, inside after %v; nobody for %v and %v", what, outside.Round(ms), inside.Round(ms),
		g.outside.Longest(begin, cluster.Nobody).Round(ms), g.inside.Longest(begin, cluster.Nobody).Round(ms))
	if took := max(outside, inside); took > within+margin {
		g.t.Errorf("%s: both addresses were there after %v, want at most %v + %v", what, took, within, margin)
	}
	if apart := (outside - inside).Abs(); apart > groupDown+margin {
		g.t.Errorf("%s: one address was there %v before the other, want at most %v + %v", what, apart, groupDown, margin)
	}
	for _, h := range []*cluster.Holders{g.outside, g.inside} {
		if moved := h.Longest(settled, cluster.Nobody) + h.Longest(settled, cluster.Both); moved > 0 {
			g.t.Errorf("%s: the addresses were at their place, and then they were not", what)
		}
	}
}
