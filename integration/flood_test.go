package integration

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// Attack 3: a third host sends as many VRRP packets as it can, while both
// directors have one processor. The peer's adverts are heard all the same, and the
// strangers are told of.
func TestAFloodOfStrangersChangesNoRole(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	p.startBoth(cluster.VIP)
	for _, h := range p.Directors {
		p.must(h.Pin(0))
	}
	before := p.counters(1)
	f, err := cluster.StartFlood(p.Client, "eth0", 60_000, cluster.StrangersAdvert())
	p.must(err)
	time.Sleep(5 * time.Second)
	p.must(f.Stop())
	after := p.counters(1)
	p.waitHolder(0, cluster.VIP)
	heard := after.AdvertsReceived - before.AdvertsReceived
	t.Logf("%d packets in %v, and %d of some %d adverts", f.Sent, f.For, heard, f.For/interval)
	if after.BecameMaster != before.BecameMaster {
		t.Errorf("the backup took over %d times", after.BecameMaster-before.BecameMaster)
	}
	if unclaimed := p.told(1).Keeper.Unclaimed; unclaimed == 0 {
		t.Error("nobody was told of the strangers")
	}
}

// told is the status of director i.
func (p *pair) told(i int) *api.Status {
	p.t.Helper()
	st, err := p.status(i)
	p.must(err)
	return st
}

// counters are those of the first virtual router of director i.
func (p *pair) counters(i int) api.RouterCounters {
	p.t.Helper()
	return p.told(i).Routers[0].Counters
}
