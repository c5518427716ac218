package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAPairWithPeersNeedsNoMulticast has a network that carries none, where
// two directors without peers would both be Master.
func TestAPairWithPeersNeedsNoMulticast(t *testing.T) {
	peers := `peers           = [{ lvs1 = "10.13.0.16", lvs2 = "10.13.0.15" }[node.name]]` + "\n  advert_interval"
	p := newPair(t, map[string]string{"director.hcl": strings.Replace(outside, "advert_interval", peers, 1)})
	p.must(p.DropMulticast())
	p.startBoth(cluster.VIP)

	m := p.move(cluster.VIP, 1, func() { p.must(p.Directors[0].Cut("eth0")) })
	m.wantGap(t, "the master's link is cut", masterDown+50*time.Millisecond, gapMargin)

	m = p.move(cluster.VIP, 0, func() { p.must(p.Directors[0].Restore("eth0")) })
	m.wantGap(t, "it returns", handOver, handOverMargin)

	m = p.move(cluster.VIP, 1, func() { p.terminate(0) })
	m.wantGap(t, "it is stopped properly", handOver, handOverMargin)
	p.waitEnd(0)
}
