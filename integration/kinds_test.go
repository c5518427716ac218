package integration

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// inside6 moves the IPv6 servers' gateways with outside6.
const inside6 = `
  extra_address "2001:db8:2::254/64" { interface = "eth1" }
}
`

// kinds has a service of every kind that IPVS knows, beside web.
const kinds = `
virtual_service "web6" {
  address   = "2001:db8:13::200"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"
  check "http" {}
  real_server "2001:db8:1::4" { weight = 3 }
  real_server "2001:db8:2::2" { weight = 300 }
}

virtual_service "hashed" {
  address         = "10.13.0.200"
  port            = 443
  scheduler       = "mh"
  scheduler_flags = ["fallback", "port"]
  forward         = "direct"
  persistence {
    timeout = "90s"
    netmask = 24
  }
  check "none" {}
  real_server "192.168.1.4" { upper_threshold = 100 }
}

virtual_service "syslog" {
  address    = "10.13.0.200"
  port       = 514
  protocol   = "udp"
  scheduler  = "rr"
  forward    = "nat"
  one_packet = true
  check "none" {}
  real_server "192.168.1.4" { port = 1514 }
  real_server "192.168.1.5" {}
}

virtual_service "sip" {
  address  = "2001:db8:13::200"
  port     = 5060
  protocol = "udp"
  forward  = "tunnel"
  persistence { engine = "sip" }
  tunnel {
    type = "gue"
    port = 5555
  }
  check "none" {}
  real_server "2001:db8:1::4" {}
  real_server "2001:db8:1::5" {
    tunnel { type = "gre" }
  }
}

virtual_service "signalling" {
  address  = "10.13.0.200"
  port     = 2905
  protocol = "sctp"
  forward  = "nat"
  check "none" {}
  real_server "192.168.1.4" {}
  real_server "192.168.2.2" { weight = 5 }
}

virtual_service "ftp" {
  firewall_mark = 7
  forward       = "nat"
  persistence {}
  check "none" {}
  real_server "192.168.1.4" {}
}

virtual_service "ftp6" {
  firewall_mark = 7
  family        = "ipv6"
  forward       = "tunnel"
  check "none" {}
  real_server "2001:db8:1::5" { weight = 2 }
}
`

func TestServicesOfEveryKindAreInTheTableAsPlanned(t *testing.T) {
	router6 := strings.TrimSuffix(strings.TrimSpace(outside6), "}") + inside6
	p := newPair(t, map[string]string{"director.hcl": outside, "outside6.hcl": router6, "web.hcl": web, "kinds.hcl": kinds})
	p.startAlone()
	for _, want := range []string{
		"-a -t [2001:db8:13::200]:80 -r [2001:db8:2::2]:80 -m -w 300",
		"-A -u 10.13.0.200:514 -s rr -o",
		"-a --sctp-service 10.13.0.200:2905 -r 192.168.2.2:2905 -m -w 5",
		"-A -f 7 -s wlc -p 300",
		"-a -f 7 -6 -r [2001:db8:1::5]:0 -i -w 2 --tun-type ipip",
	} {
		if !strings.Contains(p.table(0), want+"\n") && !strings.HasSuffix(p.table(0), want) {
			t.Errorf("the table has no row %q:\n%s", want, p.table(0))
		}
	}

	p.waitHolder(0, cluster.VIP6)
	p.waitHolder(0, cluster.Gateways[3])
	pages := cluster.Requests{}
	for range 5 {
		pages = append(pages, cluster.Get(p.Client, netip.AddrPortFrom(cluster.VIP6, 80), 2*time.Second))
	}
	if pages.Failed() > 0 {
		t.Errorf("%d of %d requests over IPv6 failed: %v", pages.Failed(), len(pages), pages.Errors())
	}
}
