package integration

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// inVRF are two virtual routers whose interface is in a VRF, one with a virtual MAC.
const inVRF = `
virtual_router "plain" {
  interface       = "eth0"
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]
}

virtual_router "hardware" {
  interface       = "eth0"
  id              = 52
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.201/24"]
  virtual_mac {}
}
`

// enslave puts eth0 of a director into a VRF with routes of its own.
func (p *pair) enslave(i int) {
	p.t.Helper()
	const vrf = "red"
	for _, command := range []string{
		"ip link add " + vrf + " type vrf table 10", "ip link set " + vrf + " up", "ip link set eth0 master " + vrf,
	} {
		out, err := p.Directors[i].Run(p.t.Context(), strings.Fields(command)...)
		if err != nil && strings.Contains(err.Error()+out, "Unknown device type") {
			p.t.Skip("this kernel has no VRF")
		}
		p.must(err)
	}
}

// What comes by an interface of a VRF arrives by the VRF's device, and its routes are in
// another table. The addresses answer there, and move as they do elsewhere.
func TestRoutersInAVRF(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": inVRF})
	p.enslave(0)
	p.enslave(1)
	hardware := cluster.VIP.Next()
	p.startBoth(cluster.VIP)
	p.waitHolder(0, hardware)
	var echoes []*cluster.Echo
	for _, to := range []netip.Addr{cluster.VIP, hardware} {
		e, err := cluster.StartEcho(p.Client, to)
		p.must(err)
		t.Cleanup(func() { _ = e.Stop() })
		echoes = append(echoes, e)
	}
	answers := func(what string) {
		t.Helper()
		since := time.Now()
		for _, e := range echoes {
			p.until(what, func() (bool, error) { _, ok := e.FirstAnswer(since); return ok, nil })
		}
	}
	answers("both addresses to answer within the VRF")
	p.must(p.Directors[0].SignalAll(syscall.SIGKILL))
	p.waitHolder(1, cluster.VIP)
	p.waitHolder(1, hardware)
	answers("the Backup to answer after the Master was killed")
}
