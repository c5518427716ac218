package integration

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/importer"
)

// TestWhatIsImportedFromKeepalivedIsSetAsByKeepalived runs keepalived on a director, and
// then lvsd there with what the importer made of the same configuration: all addresses,
// routes and rules are the same.
func TestWhatIsImportedFromKeepalivedIsSetAsByKeepalived(t *testing.T) {
	if cluster.InLab() && !*everyImported {
		t.Skip("needs no IPVS")
	}
	needPeer(t, cluster.Keepalived{})
	g := besideGroup{folder: "keepalived/routers"}
	for _, c := range g.read(t) {
		t.Run(c.name, func(t *testing.T) {
			if oncePerSecond.MatchString(c.text) && !*everyImported {
				t.Skip("it takes a quarter of a minute: make imported")
			}
			t.Parallel()
			p := &pair{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}
			p.routers(g, c)
		})
	}
}

// routers runs both with a configuration of virtual routers.
func (p *pair) routers(g besideGroup, c *foreign) {
	t, h := p.t, p.Directors[0]
	p.prepare()
	ids := routerID.FindAllStringSubmatch(c.text, -1)
	path := cluster.Keepalived{}.ServicePath(h)
	p.must(os.WriteFile(path, []byte(c.text), 0o644))
	before := state(t, h)
	d, err := cluster.Keepalived{}.Start(h)
	p.must(err)
	want, heard := settled(p, h, c, len(ids))
	p.must(d.Stop(patience))
	told := p.words(h)
	_, err = h.Run(t.Context(), "rm", "-f", wordsFile)
	p.must(err)
	if rest := cmp.Diff(before, state(t, h)); rest != "" {
		t.Logf("keepalived leaves (-before +after):\n%s", rest)
	}

	im, _ := g.convert(t, t.TempDir(), c.text)
	folder := p.lvsd.ConfigPath(h)
	p.must(os.MkdirAll(folder, 0o755))
	p.must(os.WriteFile(filepath.Join(folder, "lvsd.hcl"), []byte(beside(t, im, folder)), 0o644))
	daemon := p.start(0)
	var got, said []string
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = cluster.Until(ctx, "the same to be set", func() (bool, error) {
		got, said = settled(p, h, c, len(ids))
		return slices.Equal(want, got) && slices.Equal(heard, said), nil
	})
	if err != nil {
		t.Errorf("%v (-keepalived +lvsd):\n%s\nadverts:\n%s\n%s", err, cmp.Diff(want, got), cmp.Diff(heard, said), importer.Write(im.Blocks))
	}
	p.must(daemon.Stop(patience))
	if diff := cmp.Diff(told, p.words(h)); diff != "" {
		t.Errorf("programs were told other things (-keepalived +lvsd):\n%s", diff)
	}
}

// The virtual routers of a configuration, and that they send adverts of version 2.
var (
	routerID      = regexp.MustCompile(`(?m)^\s*virtual_router_id (\d+)`)
	oncePerSecond = regexp.MustCompile(`(?m)^\s*advert_int 1$`)
)

// settled is what a director has once it is Master of all its virtual routers, and what its
// adverts say, when nothing has changed for a while.
func settled(p *pair, h *cluster.Host, c *foreign, routers int) (list, adverts []string) {
	p.t.Helper()
	pause := 500 * time.Millisecond
	if oncePerSecond.MatchString(c.text) {
		pause = 1200 * time.Millisecond
	}
	captures := map[string]*cluster.Capture{}
	for _, iface := range []string{"eth0", "eth1"} {
		for name, protocol := range map[string]uint16{"4": unix.ETH_P_IP, "6": unix.ETH_P_IPV6} {
			c, err := cluster.StartCapture(p.Directors[1], iface, protocol)
			p.must(err)
			defer c.Close()
			captures[iface+name] = c
		}
	}
	same := 0
	p.until("the virtual routers to be Master, and nothing to change any more", func() (bool, error) {
		before, said := list, adverts
		time.Sleep(pause)
		list, adverts = state(p.t, h), nil
		for name, c := range captures {
			heard := map[string]bool{}
			p.must(c.Each(func(_ time.Time, packet []byte) {
				if text := advertText(packet); text != "" {
					heard[name+" "+text] = true
				}
			}))
			adverts = append(adverts, slices.Collect(maps.Keys(heard))...)
		}
		slices.Sort(adverts)
		if !slices.Equal(before, list) || !slices.Equal(said, adverts) {
			same = 0
		}
		same++
		return len(adverts) == routers && same >= 4, nil
	})
	return list, adverts
}

// advertText is what an advert says, from whom, to whom; empty: the packet is none.
func advertText(packet []byte) string {
	switch {
	case len(packet) > 48 && packet[0]>>4 == 6 && packet[6] == 112:
		return fmt.Sprintf("%x ttl %d %x", packet[8:40], packet[7], packet[40:])
	case len(packet) > 28 && packet[0]>>4 == 4 && packet[9] == 112:
		body := packet[int(packet[0]&15)*4:]
		addresses := slices.Collect(slices.Chunk(body[8:8+4*int(body[3])], 4))
		slices.SortFunc(addresses, bytes.Compare) // Their order means nothing.
		return fmt.Sprintf("%x ttl %d %x %x %x", packet[12:20], packet[8], body[:8], addresses, body[8+4*int(body[3]):])
	}
	return ""
}

// whose are the words of ip-address(8) and its like that tell whose something is, how long it
// lasts, and what an IPv6 address that moves is to the director's own connections.
var whose = regexp.MustCompile(`\b(proto|valid_lft|preferred_lft) \S+|\b(metric 256|dynamic|deprecated|nodad|secondary|noprefixroute|pref medium)\b|^\d+: |@\S+|\\`)

// state lists the addresses, routes and rules of a director.
func state(t *testing.T, h *cluster.Host) (list []string) {
	t.Helper()
	for _, command := range []string{"-o address show", "route show table all", "-6 route show table all", "rule show", "-6 rule show"} {
		out, err := h.Run(context.Background(), append([]string{"ip"}, strings.Fields(command)...)...)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			if strings.Contains(line, "proto kernel") && !strings.Contains(command, "address") {
				continue // it follows from the addresses
			}
			list = append(list, fmt.Sprint(strings.Fields(whose.ReplaceAllString(line, ""))))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
