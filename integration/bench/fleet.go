package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A fleet is many services with many real servers, each with an address of its
// own, in the words of either daemon.
type fleet struct {
	services int
	servers  int           // of all services; 0: ten of each
	interval time.Duration // of the TCP checks
	// changed: every third server has another weight.
	changed bool
	// raised is of how many services the first server has a larger weight.
	raised int
	// advert is the virtual router's interval, if not the ordinary one.
	advert time.Duration
	// scraped: its metrics are at metricsAt, those of real servers too.
	scraped bool
}

// metricsAt is where a fleet is scraped.
var metricsAt = netip.MustParseAddrPort("127.0.0.1:9112")

const (
	serversPerService = 10
	fleetPort         = 80
	// fleetNetwork holds the servers of every fleet.
	fleetNetwork = "172.16.0.0/12"
)

// large is the fleet of most figures, and wide the one that keepalived's documentation calls
// the worst it knows.
var (
	large = fleet{services: 1000, interval: time.Hour}
	wide  = fleet{services: 2277, servers: 37205, interval: 24 * time.Hour}
)

// total is how many servers there are, and each how many a service has.
func (f fleet) total() int { return cmp.Or(f.servers, f.services*serversPerService) }

func (f fleet) each(i int) int {
	n := f.total() / f.services
	if i < f.total()%f.services {
		n++
	}
	return n
}

// port is the service's, all of which are on the cluster's virtual address.
func (f fleet) port(i int) int { return 1000 + i }

func (f fleet) server(i, j int) string {
	n := i*f.each(0) + j
	return fmt.Sprintf("172.%d.%d.%d", 16+n/62500, n/250%250, n%250+1)
}

func (f fleet) weight(i, j int) int {
	if f.changed && (i*serversPerService+j)%3 == 0 {
		return j + 101
	}
	if j == 0 && i < f.raised {
		return 201
	}
	return j + 1
}

// rate is how many checks a second there are to make.
func (f fleet) rate() float64 { return float64(f.total()) / f.interval.Seconds() }

// procRow is the length of a row of procRows.
const procRow = len("  -> AC100001:0050      Masq    1      ")

// procRows are the servers' lines of /proc/net/ip_vs, up to the counts of
// connections.
func (f fleet) procRows() map[string]bool {
	all := make(map[string]bool, f.total())
	for i := range f.services {
		for j := range f.each(i) {
			addr := netip.MustParseAddr(f.server(i, j)).As4()
			all[fmt.Sprintf("  -> %08X:%04X      %-7s %-6d ", addr, fleetPort, "Masq", f.weight(i, j))] = true
		}
	}
	return all
}

// rows are the lines of "ipvsadm -Sn", sorted.
func (f fleet) rows() []string {
	var rows []string
	for i := range f.services {
		service := fmt.Sprintf("-t %s:%d", cluster.VIP, f.port(i))
		rows = append(rows, fmt.Sprintf("-A %s -s wrr", service))
		for j := range f.each(i) {
			rows = append(rows, fmt.Sprintf("-a %s -r %s:%d -m -w %d", service, f.server(i, j), fleetPort, f.weight(i, j)))
		}
	}
	slices.Sort(rows)
	return rows
}

// hcl is the fleet in lvsd's words.
func (f fleet) hcl() string {
	var all strings.Builder
	if f.scraped {
		fmt.Fprintf(&all, "director {\n  http {\n    listen         = %q\n    server_metrics = true\n  }\n}\n\n", metricsAt)
	}
	for i := range f.services {
		all.WriteString(f.serviceHCL(i))
	}
	return all.String()
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
	for j := range f.each(i) {
		fmt.Fprintf(&b, "  real_server \"node-%d\" {\n    address = \"%s\"\n    port    = %d\n    weight  = %d\n  }\n",
			j, f.server(i, j), fleetPort, f.weight(i, j))
	}
	b.WriteString("}\n\n")
	return b.String()
}

// keepalived is the fleet in keepalived's words.
func (f fleet) keepalived() string {
	var b strings.Builder
	for i := range f.services {
		fmt.Fprintf(&b, "virtual_server %s %d {\n  delay_loop %d\n  lb_algo wrr\n  lb_kind NAT\n  protocol TCP\n",
			cluster.VIP, f.port(i), int(f.interval.Seconds()))
		for j := range f.each(i) {
			fmt.Fprintf(&b, "  real_server %s %d {\n    weight %d\n    TCP_CHECK {\n      connect_timeout 1\n    }\n  }\n",
				f.server(i, j), fleetPort, f.weight(i, j))
		}
		b.WriteString("}\n\n")
	}
	return b.String()
}
