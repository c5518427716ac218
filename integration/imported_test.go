package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/importer"
	peer "github.com/lvsd/lvsd/internal/importer/keepalived"
)

// imported are configurations of keepalived whose Master sets all kinds of things on a
// director. Version 3 is for the time that a test takes.
var imported = map[string]string{
	"addresses, routes and rules": `
global_defs {
  vrrp_version 3
}
vrrp_instance outside {
  interface eth0
  virtual_router_id 51
  priority 250
  advert_int 0.1
  virtual_ipaddress {
    10.13.0.200/24
    10.13.0.201/24 label eth0:web
    10.13.0.202
    10.13.0.203/24 brd +
    10.13.0.204/24 brd 10.13.0.250
    10.13.5.1/32 peer 10.13.5.2
  }
  virtual_ipaddress_excluded {
    192.168.1.77/24 dev eth1
    2001:db8:5::1/64 dev eth1
  }
  virtual_routes {
    10.99.0.0/16 via 10.13.0.1 dev eth0
    src 10.13.0.200 10.98.0.0/16 via 10.13.0.1 dev eth0 metric 50
    blackhole 10.97.0.0/16
    default via 10.13.0.1 dev eth0 table 77
    10.96.0.0/16 dev eth1 scope link mtu 1300
  }
  virtual_rules {
    from 10.99.0.0/16 table 77
    to 10.98.0.0/16 lookup 77 priority 200
    fwmark 3/7 table 77 preference 201
    iif eth1 table main priority 202
  }
  track_interface {
    eth1
  }
}
vrrp_instance six {
  interface eth1
  virtual_router_id 52
  priority 250
  advert_int 0.1
  virtual_ipaddress {
    fe80::52/64
    2001:db8::52/64
    2001:db8::53
  }
  virtual_routes {
    2001:db8:9::/48 via 2001:db8::1 dev eth1
  }
}
static_ipaddress {
  10.55.0.1/24 dev eth1
}
static_routes {
  10.54.0.0/16 via 10.55.0.9 dev eth1
}
`,
	"a group, a virtual MAC address and loops": `
$NET=10.13.0
vrrp_sync_group both {
  group {
    outside
    inside
  }
}
vrrp_instance outside {
  interface eth0
  virtual_router_id 51
  version 3
  priority 250
  advert_int 0.1
  nopreempt
  use_vmac
  virtual_ipaddress {
    ~SEQ(N, 200, 204) ${NET}.${N}/24
  }
}
vrrp_instance inside {
  interface eth1
  virtual_router_id 52
  version 3
  priority 250
  advert_int 0.1
  @lvs1 virtual_ipaddress {
  @lvs2 virtual_ipaddress_excluded {
    192.168.1.254/24 dev eth1
    ~LST({A,B}, {10,1}, {11,2}) 172.16.${A}.${B}
  }
}
`,
}

// TestWhatIsImportedFromKeepalivedIsSetAsByKeepalived runs keepalived on a director, and
// then lvsd there with what the importer made of the same configuration: all addresses,
// routes and rules are the same.
func TestWhatIsImportedFromKeepalivedIsSetAsByKeepalived(t *testing.T) {
	if cluster.InLab() {
		t.Skip("needs no IPVS")
	}
	needPeer(t, cluster.Keepalived{})
	for name, text := range imported {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pair{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}
			h := p.Directors[0]
			path := cluster.Keepalived{}.ServicePath(h)
			p.must(os.WriteFile(path, []byte(text), 0o644))
			before := state(t, h)

			d, err := cluster.Keepalived{}.Start(h)
			p.must(err)
			want := settled(p, h)
			p.must(d.Stop(patience))
			if rest := cmp.Diff(before, state(t, h)); rest != "" {
				t.Logf("keepalived leaves (-before +after):\n%s", rest)
			}

			r, err := peer.Import(onDisk{}, path, peer.Options{ID: "lvs1"})
			p.must(err)
			importer.Tidy(r.Blocks)
			p.must(os.MkdirAll(p.lvsd.ConfigPath(h), 0o755))
			p.must(os.WriteFile(filepath.Join(p.lvsd.ConfigPath(h), "lvsd.hcl"), []byte(importer.Write(r.Blocks)), 0o644))
			p.start(0)
			var got []string
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err = cluster.Until(ctx, "the same to be set", func() (bool, error) {
				got = state(t, h)
				return slices.Equal(want, got), nil
			})
			if err != nil {
				t.Errorf("%v (-keepalived +lvsd):\n%s\n%s", err, cmp.Diff(want, got), importer.Write(r.Blocks))
			}
		})
	}
}

// onDisk is the files of this machine.
type onDisk struct{}

func (onDisk) Open(name string) ([]byte, error)      { return os.ReadFile(name) }
func (onDisk) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// settled is what a director has once it is Master of both virtual routers, and nothing
// has changed for a while.
func settled(p *pair, h *cluster.Host) (list []string) {
	p.t.Helper()
	p.waitHolder(0, cluster.VIP)
	p.until("the second virtual router, and nothing to change any more", func() (bool, error) {
		before := list
		time.Sleep(300 * time.Millisecond)
		list = state(p.t, h)
		second := slices.ContainsFunc(list, func(s string) bool {
			return strings.Contains(s, "inet6 2001:db8::52/") || strings.Contains(s, "inet 192.168.1.254/")
		})
		return second && slices.Equal(before, list), nil
	})
	return list
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
