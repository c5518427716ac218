package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// Attack 3, 7, 9: a third host sends what it can, while both directors have one
// processor. The backup never takes over beside the Master, whatever is forged, and
// the log stays short.
func TestAFloodChangesNoRole(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	for _, h := range p.Directors {
		p.must(h.Pin(0))
	}
	p.startBoth(cluster.VIP)
	for _, tt := range []struct {
		name      string
		perSecond int
		packets   []cluster.Forgery
	}{
		{"strangers", 60_000, []cluster.Forgery{cluster.Stranger}},
		{"strangers with 255 addresses", 5_000, []cluster.Forgery{cluster.Crowded}},
		{"adverts with a wrong checksum", 11_000, []cluster.Forgery{cluster.Broken}},
		{"a Master that comes and goes", 500, []cluster.Forgery{cluster.Claimed, cluster.Left}},
		{"a Master in a hurry", 20, []cluster.Forgery{cluster.Hurried}},
	} {
		before, said := p.counters(1), strings.Count(p.daemons[1].Log(), "\n")
		f, err := cluster.StartFlood(p.Client, "eth0", tt.perSecond, tt.packets...)
		p.must(err)
		time.Sleep(3 * time.Second)
		after := p.counters(1)
		p.must(f.Stop())
		lines := strings.Count(p.daemons[1].Log(), "\n") - said
		t.Logf("%s: %d packets in %v, %d of some %d adverts, %d lines", tt.name, f.Sent, f.For,
			after.AdvertsReceived-before.AdvertsReceived, f.For/interval, lines)
		if after.BecameMaster != before.BecameMaster {
			t.Errorf("%s: the backup took over %d times", tt.name, after.BecameMaster-before.BecameMaster)
		}
		if lines > 50 {
			t.Errorf("%s: %d lines were logged", tt.name, lines)
		}
		p.waitHolder(0, cluster.VIP)
	}
	if unclaimed := p.mustStatus(1).Keeper.Unclaimed; unclaimed == 0 {
		t.Error("nobody was told of the strangers")
	}
}

// counters are those of the first virtual router of director i.
func (p *pair) counters(i int) api.RouterCounters {
	p.t.Helper()
	return p.mustStatus(i).Routers[0].Counters
}
