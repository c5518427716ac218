package director

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/vrrp"
)

// counted are the counters of one virtual router.
func counted(c vrrp.Counters) map[string]vrrp.Counters {
	return map[string]vrrp.Counters{"outside": c}
}

func TestAdvertWarnings(t *testing.T) {
	type reasons = map[vrrp.Reason]uint64
	for _, tt := range []struct {
		name      string
		then, now map[string]vrrp.Counters
		want      []string
	}{
		{"nothing was ever counted", nil, counted(vrrp.Counters{AdvertsReceived: 7, Discarded: reasons{"ttl": 0}}), nil},
		{"what was counted long ago is over", counted(vrrp.Counters{OtherMasters: 3, Discarded: reasons{"ttl": 5}, Mismatched: reasons{"owner": 1}}),
			counted(vrrp.Counters{OtherMasters: 3, Discarded: reasons{"ttl": 5}, Mismatched: reasons{"owner": 1}}), nil},
		{"a peer of another version", counted(vrrp.Counters{Discarded: reasons{"version": 3}}), counted(vrrp.Counters{Discarded: reasons{"version": 60}}),
			[]string{`virtual router "outside" refused adverts in the last minute: 57 for version (configure the same version on both directors)`}},
		{"several reasons, the most frequent first", nil, counted(vrrp.Counters{Discarded: reasons{"authentication": 2, "not_a_peer": 9}}),
			[]string{`virtual router "outside" refused adverts in the last minute: 9 for not_a_peer (configure each director's address in the other one's peers, or none on both), ` +
				`2 for authentication (remove the authentication from the peer's configuration)`}},
		{"a peer with another interval", nil, counted(vrrp.Counters{Mismatched: reasons{"interval": 60}}),
			[]string{`virtual router "outside" heard adverts in the last minute that disagree with its configuration: 60 for interval (configure the same advert_interval on both directors)`}},
		{"two Masters", counted(vrrp.Counters{OtherMasters: 1}), counted(vrrp.Counters{OtherMasters: 4}),
			[]string{`virtual router "outside" was Master and heard another Master in the last minute (3 adverts): each had the addresses; ` +
				`does the other director hear this one's adverts (a firewall, a switch), and has it the same id?`}},
		{"a keeper that was started again counts from zero", counted(vrrp.Counters{Discarded: reasons{"version": 100}}),
			counted(vrrp.Counters{Discarded: reasons{"version": 4}}),
			[]string{`virtual router "outside" refused adverts in the last minute: 4 for version (configure the same version on both directors)`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, advertWarnings(tt.then, tt.now)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryReasonHasARemedy(t *testing.T) {
	c := vrrp.NewRouter(vrrp.Config{}).Status().Counters
	for _, reasons := range []map[vrrp.Reason]uint64{c.Discarded, c.Mismatched} {
		for reason := range reasons {
			// The router looks for those itself: no packet reaches it that has them.
			if reason != vrrp.ReasonVRID && reason != vrrp.ReasonFamily && remedies[reason] == "" {
				t.Errorf("nothing says what to do about %q", reason)
			}
		}
	}
}

func TestTalliesGoBackAMinute(t *testing.T) {
	tallies := []tally{{at: start}}
	for i := 1; i <= 1000; i++ {
		now := start.Add(time.Duration(i) * 10 * time.Second)
		tallies = remember(tallies, tally{at: now})
		if age, limit := now.Sub(tallies[0].at), min(now.Sub(start), time.Minute); age != limit {
			t.Fatalf("after %v the first tally is %v old, want %v", now.Sub(start), age, limit)
		}
	}
	if len(tallies) > 7 {
		t.Errorf("%d tallies are kept, want 7", len(tallies))
	}
}

// A warning is there while there is a reason, and a minute longer.
func TestRefusedAdvertsAreInTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		d, stop, ended := begin(t, f, clusterOf(), nil)
		refused := func(n uint64) bool {
			f.mu.Lock()
			f.statuses = []vrrp.Status{{Name: "outside", Counters: vrrp.Counters{Discarded: map[vrrp.Reason]uint64{"version": n}}}}
			f.mu.Unlock()
			f.changed <- struct{}{}
			synctest.Wait()
			return strings.Contains(strings.Join(warningsOf(t, d), "\n"), "refused adverts")
		}
		if refused(0) {
			t.Error("warned of nothing")
		}
		for n := range uint64(300) {
			time.Sleep(time.Second)
			if !refused(1 + n) {
				t.Fatalf("no warning after %d seconds with an advert each that was refused", n)
			}
		}
		time.Sleep(80 * time.Second)
		if refused(300) {
			t.Error("warned of what is over since more than a minute")
		}
		stop()
		<-ended
	})
}

func warningsOf(t *testing.T, d *Director) []string {
	t.Helper()
	return statusOf(t, d).Warnings
}
