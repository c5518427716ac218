package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A fleet is many services with many real servers, each with an address of its
// own, in the words of either daemon.
type fleet struct {
	services int
	interval time.Duration // of the TCP checks
	// changed: every third server has another weight.
	changed bool
}

const (
	serversPerService = 10
	fleetPort         = 80
	// fleetNetwork holds the servers of every fleet.
	fleetNetwork = "172.16.0.0/12"
)

// large is the fleet of the figures: 1,000 × 10.
var large = fleet{services: 1000, interval: time.Hour}

// port is the service's, all of which are on the cluster's virtual address.
func (f fleet) port(i int) int { return 1000 + i }

func (f fleet) server(i, j int) string { return fmt.Sprintf("172.16.%d.%d", i/25, i%25*10+j+1) }

func (f fleet) weight(i, j int) int {
	if f.changed && (i*serversPerService+j)%3 == 0 {
		return j + 101
	}
	return j + 1
}

// sum is what /proc/net/ip_vs has when the fleet is in the table.
func (f fleet) sum() tableSum {
	s := tableSum{services: f.services, servers: f.services * serversPerService}
	for i := range f.services {
		for j := range serversPerService {
			s.weights += f.weight(i, j)
		}
	}
	return s
}

// rows are the lines of "ipvsadm -Sn", sorted.
func (f fleet) rows() []string {
	var rows []string
	for i := range f.services {
		service := fmt.Sprintf("-t %s:%d", cluster.VIP, f.port(i))
		rows = append(rows, fmt.Sprintf("-A %s -s wrr", service))
		for j := range serversPerService {
			rows = append(rows, fmt.Sprintf("-a %s -r %s:%d -m -w %d", service, f.server(i, j), fleetPort, f.weight(i, j)))
		}
	}
	slices.Sort(rows)
	return rows
}

// writeHCL writes lvsd's configuration into a new or known folder.
func (f fleet) writeHCL(dir string, oneEach bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var all strings.Builder
	for i := range f.services {
		if !oneEach {
			all.WriteString(f.serviceHCL(i))
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("s%04d.hcl", i)), []byte(f.serviceHCL(i)), 0o644); err != nil {
			return err
		}
	}
	if oneEach {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "services.hcl"), []byte(all.String()), 0o644)
}

func (f fleet) serviceHCL(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `virtual_service "s%d" {
  address   = "%s"
  port      = %d
  scheduler = "wrr"
  forward   = "nat"
  initial   = "up"

  check "tcp" {
    interval = "%s"
    timeout  = "1s"
  }

`, i, cluster.VIP, f.port(i), f.interval)
	for j := range serversPerService {
		fmt.Fprintf(&b, "  real_server \"node-%d\" {\n    address = \"%s\"\n    port    = %d\n    weight  = %d\n  }\n",
			j, f.server(i, j), fleetPort, f.weight(i, j))
	}
	b.WriteString("}\n\n")
	return b.String()
}

// keepalived is the same in keepalived's words.
func (f fleet) keepalived() string {
	var b strings.Builder
	for i := range f.services {
		fmt.Fprintf(&b, "virtual_server %s %d {\n  delay_loop %d\n  lb_algo wrr\n  lb_kind NAT\n  protocol TCP\n",
			cluster.VIP, f.port(i), int(f.interval.Seconds()))
		for j := range serversPerService {
			fmt.Fprintf(&b, "  real_server %s %d {\n    weight %d\n    TCP_CHECK {\n      connect_timeout 1\n    }\n  }\n",
				f.server(i, j), fleetPort, f.weight(i, j))
		}
		b.WriteString("}\n\n")
	}
	return b.String()
}
