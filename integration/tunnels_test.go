package integration

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A tunneled is a service behind tunnels whose servers are asked at its address.
type tunneled struct {
	name, virtual, tunnel string
	// servers are two, and device where they have the virtual address.
	servers [2]string
	device  string
	// source is from where it is asked, by the director's number; empty: the families are the same.
	source string
}

var tunneledServices = []tunneled{
	{"gue", "10.13.0.201", "type = \"gue\"\n    port = 5555", four, "tunl0", ""},
	{"gue-with-checksum", "10.13.0.202", "type = \"gue\"\n    port = 5555\n    checksum = \"plain\"", four, "tunl0", ""},
	{"gre", "10.13.0.203", `type = "gre"`, four, "gre0", ""},
	{"four-in-six", "10.13.0.204", `type = "ipip"`, six, "ip6tnl0", "192.168.1.1%d"},
	{"six", "2001:db8:13::200", `type = "ipip"`, six, "ip6tnl0", ""},
	{"six-by-gue", "2001:db8:13::201", "type = \"gue\"\n    port = 6666", six, "ip6tnl0", ""},
	{"six-by-gre", "2001:db8:13::202", `type = "gre"`, six, "ip6gre0", ""},
	{"six-in-four", "2001:db8:13::203", `type = "ipip"`, four, "sit0", "2001:db8:1::1%d"},
}

var four, six = [2]string{"192.168.1.4", "192.168.2.2"}, [2]string{"2001:db8:1::4", "2001:db8:2::2"}

func (s *tunneled) hcl() string {
	source := ""
	if s.source != "" {
		source = fmt.Sprintf("source    = { lvs1 = %q, lvs2 = %q }[node.name]", fmt.Sprintf(s.source, 5), fmt.Sprintf(s.source, 6))
	}
	return fmt.Sprintf(`
virtual_service %q {
  address = %q
  port    = 80
  forward = "tunnel"
  tunnel {
    %s
  }
  check "tcp" {
    interval = "500ms"
    timeout  = "400ms"
    fall     = 2
    via {
      forwarded = true
      %s
    }
  }
  real_server "web1" { address = %q }
  real_server "web3" { address = %q }
}
`, s.name, s.virtual, s.tunnel, source, s.servers[0], s.servers[1])
}

// prefix is the virtual address as it is on a server.
func (s *tunneled) prefix() string {
	if strings.Contains(s.virtual, ":") {
		return s.virtual + "/128"
	}
	return s.virtual + "/32"
}

// TestAServerThatLostTheAddressOfATunnelIsNoticed by Master and Backup, whatever the packets
// are wrapped in.
func TestAServerThatLostTheAddressOfATunnelIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("TestAServerThatLostTheVirtualAddressIsNoticed asks the same of ipip")
	}
	text := moreRouters
	for i := range tunneledServices {
		text += tunneledServices[i].hcl()
	}
	p := newPair(t, map[string]string{"director.hcl": outside, "tunnels.hcl": text})
	for _, module := range []string{"fou", "fou6"} {
		if out, err := exec.Command("modprobe", module).CombinedOutput(); err != nil {
			t.Fatalf("modprobe %s: %v: %s", module, err, out)
		}
	}
	web1 := p.Servers[0]
	servers := []*cluster.Host{web1, p.Servers[2]}
	for _, h := range servers {
		_, err := cluster.StartWeb(h)
		p.must(err)
	}
	p.prepared(servers, "up")
	p.startBoth(cluster.VIP)
	p.waitDown("all is well")
	var down []string
	for i := range tunneledServices {
		s := &tunneledServices[i]
		p.on(web1, "ip", "address", "del", s.prefix(), "dev", s.device)
		down = append(down, s.name+"/web1")
	}
	p.waitDown("without the addresses", down...)
	for i := range tunneledServices {
		p.on(web1, "ip", "address", "add", tunneledServices[i].prefix(), "dev", tunneledServices[i].device)
	}
	p.waitDown("with the addresses")
}
