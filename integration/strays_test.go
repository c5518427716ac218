package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// TestAVirtualAddressThatSomebodyAddsToTheBackup is the trial's D1 and D2: it stayed
// there, with whatever prefix length and on whatever interface, and all requests
// failed.
func TestAVirtualAddressThatSomebodyAddsToTheBackup(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	p.startBoth(cluster.VIP)
	const times = 3
	for i := range times {
		prefix := fmt.Sprintf("%v/%d", cluster.VIP, 32-i*4)
		begin := time.Now()
		p.run(1, "ip", "addr", "add", prefix, "dev", "eth0")
		p.until("the address to be gone", func() (bool, error) { held, err := p.Directors[1].Holds(cluster.VIP); return !held, err })
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s was there for %v", prefix, took)
		}
	}
	p.until("the status to tell it", func() (bool, error) {
		s, err := p.status(1)
		return err == nil && p.counters(1).AddressesRemoved == times && has(s, "addresses-removed", "3 removals in the last minute"), nil
	})
	log := p.daemons[1].Log()
	if n := strings.Count(log, "removed what somebody else had added"); n != 1 || !strings.Contains(log, "event=addresses-removed") {
		t.Errorf("the log tells it %d times, want once a minute:\n%s", n, log)
	}
	if held, err := p.Directors[0].Holds(cluster.VIP); err != nil || !held {
		t.Errorf("the Master has lost its own (%v)", err)
	}

	p.run(1, "ip", "addr", "add", "10.13.0.200/32", "dev", "eth1")
	p.until("the status to tell that it is on eth1", func() (bool, error) {
		s, err := p.status(1)
		return err == nil && has(s, "address-elsewhere", "eth1 has 10.13.0.200/32 too"), nil
	})
	p.run(1, "ip", "addr", "del", "10.13.0.200/32", "dev", "eth1")
	p.until("the log to tell that this is over", func() (bool, error) {
		return strings.Contains(p.daemons[1].Log(), "finding=address-elsewhere"), nil
	})
}

// has reports whether a status has a finding with such a text.
func has(s *api.Status, code, text string) bool {
	return slices.ContainsFunc(s.Findings, func(f api.Finding) bool { return f.Code == code && strings.Contains(f.Text, text) })
}
