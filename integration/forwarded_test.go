package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// forwarded are services whose servers are asked at the virtual address, by each method and
// family, and one whose servers are asked at their own addresses.
const forwarded = `
defaults {
  check "*" {
    interval = "500ms"
    timeout  = "400ms"
    rise     = 1
    fall     = 2
  }
}

virtual_service "direct" {
  address = "10.13.0.200"
  port    = 80
  forward = "direct"
  check "http" {
    via { forwarded = true }
  }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
}

virtual_service "tunnel" {
  address = "10.13.0.201"
  port    = 80
  forward = "tunnel"
  check "tcp" {
    via { forwarded = true }
  }
  real_server "web2" { address = "192.168.1.5" }
  real_server "web3" { address = "192.168.2.2" }
}

virtual_service "six" {
  address = "2001:db8:13::200"
  port    = 80
  forward = "direct"
  check "tcp" {
    via { forwarded = true }
  }
  real_server "web1" { address = "2001:db8:1::4" }
  real_server "web2" { address = "2001:db8:1::5" }
}

virtual_service "plain" {
  address = "10.13.0.200"
  port    = 8080
  forward = "direct"
  check "tcp" { port = 80 }
  real_server "web1" { address = "192.168.1.4" }
  real_server "web2" { address = "192.168.1.5" }
  real_server "web3" { address = "192.168.2.2" }
}

virtual_router "six" {
  interface       = "eth0"
  id              = 56
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["2001:db8:13::200/64"]
}
`

// take gives the servers the virtual addresses, for packets by every method.
func (p *pair) take() {
	p.t.Helper()
	for i, s := range p.Servers {
		for name, value := range map[string]string{"net/ipv4/conf/all/arp_ignore": "1", "net/ipv4/conf/all/arp_announce": "2", "net/ipv4/conf/all/rp_filter": "0"} {
			p.must(s.Sysctl(name, value))
		}
		p.on(s, "ip", "link", "add", "ipvs", "type", "ipip", "local", []string{"192.168.1.4", "192.168.1.5", "192.168.2.2"}[i])
		p.on(s, "ip", "link", "set", "ipvs", "up")
		p.must(s.Sysctl("net/ipv4/conf/ipvs/rp_filter", "0"))
		p.on(s, "ip", "address", "add", "10.13.0.200/32", "dev", "lo")
		p.on(s, "ip", "address", "add", "10.13.0.201/32", "dev", "ipvs")
		p.on(s, "ip", "address", "add", "2001:db8:13::200/128", "dev", "lo")
	}
}

// on runs a command on a host.
func (p *pair) on(h *cluster.Host, command ...string) {
	p.t.Helper()
	if out, err := h.Run(p.t.Context(), command...); err != nil {
		p.t.Fatalf("%s: %v: %s", strings.Join(command, " "), err, out)
	}
}

// waitDown waits until exactly these servers are down on both directors: "direct/web1".
func (p *pair) waitDown(when string, down ...string) {
	p.t.Helper()
	for i := range p.Directors {
		if p.daemons[i].Ended() != nil {
			continue
		}
		p.until(fmt.Sprintf("%s: %v to be down on %s, and nothing else", when, down, p.Directors[i].Name), func() (bool, error) {
			s, err := p.status(i)
			if err != nil {
				return false, nil
			}
			is := []string{}
			for _, service := range s.Services {
				for _, server := range service.Servers {
					if name := service.Name + "/" + server.Name; server.Health != "up" {
						is = append(is, name)
					}
				}
			}
			if got := strings.Join(is, " "); got != strings.Join(down, " ") {
				return false, nil
			}
			return true, nil
		})
	}
}

// TestAServerThatLostTheVirtualAddressIsNoticed by the Master, which hears answers from an
// address of its own, and by the Backup.
func TestAServerThatLostTheVirtualAddressIsNoticed(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": strings.Replace(outside, `["10.13.0.200/24"]`, `["10.13.0.200/24", "10.13.0.201/24"]`, 1), "web.hcl": forwarded})
	p.take()
	p.startWebs()
	for _, d := range p.Directors {
		p.must(d.Sysctl("net/ipv4/conf/eth1/rp_filter", "1"))
	}
	p.startBoth(cluster.VIP)
	p.waitDown("all is well")

	web1, web3 := p.Servers[0], p.Servers[2]
	p.must(web1.Sysctl("net/ipv4/ip_forward", "1")) // What it does not take goes to the Master again.
	for _, step := range []struct {
		name        string
		server      *cluster.Host
		address, on string
		down        string
	}{
		{"direct routing", web1, "10.13.0.200/32", "lo", "direct/web1"},
		{"tunnel", web3, "10.13.0.201/32", "ipvs", "tunnel/web3"},
		{"direct routing of IPv6", web1, "2001:db8:13::200/128", "lo", "six/web1"},
	} {
		p.on(step.server, "ip", "address", "del", step.address, "dev", step.on)
		p.waitDown(step.name, step.down)
		p.on(step.server, "ip", "address", "add", step.address, "dev", step.on)
		p.waitDown(step.name + ", it is back")
	}
	p.wantConf(0, "1", "2")
	p.untilCheck("is explained", "forwarded by the kernel's IPVS (direct) to 192.168.1.4 alone", "passed")
	p.terminate(0)
	p.waitEnd(0)
	p.wantConf(0, "0", "1")
	p.run(0, "ipvsadm", "-C")
	p.untilCheck("has no daemon any more", "could not be run", "no private service")
	p.waitDown("the Backup is Master")
}

// untilCheck waits until lvsd check says such things of a server.
func (p *pair) untilCheck(what string, says ...string) {
	p.t.Helper()
	p.until("the check that "+what, func() (bool, error) {
		out, err := p.Directors[0].Run(p.t.Context(), p.lvsd.Binary, "check", "direct", "web1", "--config", p.config)
		text := fmt.Sprint(out, err)
		for _, want := range says {
			if !strings.Contains(text, want) {
				return false, nil
			}
		}
		return true, nil
	})
}

// wantConf fails the test unless these are what director i accepts on eth1.
func (p *pair) wantConf(i int, acceptLocal, rpFilter string) {
	p.t.Helper()
	p.must(p.Directors[i].In(func() error {
		for key, want := range map[string]string{"accept_local": acceptLocal, "rp_filter": rpFilter} {
			if is, err := os.ReadFile("/proc/sys/net/ipv4/conf/eth1/" + key); err != nil || strings.TrimSpace(string(is)) != want {
				p.t.Errorf("%s of eth1 is %q, want %s: %v", key, is, want, err)
			}
		}
		return nil
	}))
}
