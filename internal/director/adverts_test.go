package director

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// counted are the counters of one virtual router.
func counted(c vrrp.Counters) map[string]vrrp.Counters {
	return map[string]vrrp.Counters{"outside": c}
}

var lvs2 = netip.MustParseAddr("10.13.0.16")

func TestAdvertFindings(t *testing.T) {
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
			[]string{`virtual router "outside" refused 57 adverts in the last minute (version): configure the same version on both directors`}},
		{"several reasons, the most frequent first", nil, counted(vrrp.Counters{Discarded: reasons{"authentication": 2, "not_a_peer": 9}}),
			[]string{`virtual router "outside" refused 9 adverts in the last minute (not_a_peer, the last from 10.13.0.16): if that is the other director, both are Master: ` +
				`if 10.13.0.16 is the other director, add it to the peers here, or configure no peers on either`,
				`virtual router "outside" refused 2 adverts in the last minute (authentication): configure the same authentication on both directors`}},
		{"the clocks differ, and both directors sign", nil, counted(vrrp.Counters{Discarded: reasons{"hmac_stale": 60}}),
			[]string{`virtual router "outside" refused 60 adverts in the last minute (hmac_stale; its clock is 3h0m0s behind this director's): if that is the other director, both are Master: ` +
				`synchronize the clocks of both directors (NTP); if they agree, somebody sends old adverts again`}},
		{"they differ by less so far", nil, counted(vrrp.Counters{Mismatched: reasons{"clock": 60}}),
			[]string{`virtual router "outside" received 60 adverts in the last minute that did not agree with its configuration (clock; its clock is 3h0m0s behind this director's): ` +
				`synchronize the clocks of both directors (NTP), before the window is exceeded and adverts are refused`}},
		{"a peer with another interval", nil, counted(vrrp.Counters{Mismatched: reasons{"interval": 60}}),
			[]string{`virtual router "outside" received 60 adverts in the last minute that did not agree with its configuration (interval, the last from 10.13.0.16): configure the same advert_interval on both directors`}},
		{"the same priority on both", nil, counted(vrrp.Counters{Mismatched: reasons{"priority": 60}}),
			[]string{`virtual router "outside": the director at 10.13.0.16 has priority 100 too, so which of them is Master is left to chance: give the directors different priorities`}},
		{"two Masters", counted(vrrp.Counters{OtherMasters: 1}), counted(vrrp.Counters{OtherMasters: 4}),
			[]string{`virtual router "outside" was Master and received 3 adverts of another Master (10.13.0.16) in the last minute: both held the addresses: ` +
				`make sure that the other director receives this one's adverts (check what its firewall lets in, what this one's lets out, and the switch) and has the same id`}},
		{"somebody removes the address of a Master again and again", counted(vrrp.Counters{AddressesRestored: 1}), counted(vrrp.Counters{AddressesRestored: 40}),
			[]string{`virtual router "outside" is Master, and somebody else removed its addresses: 39 removals in the last minute; they were put back: ` +
				`find out what does that (a network manager that applies its configuration, a script): clients are without the address meanwhile`}},
		{"somebody removes a route of a Master", counted(vrrp.Counters{PathsRestored: 1}), counted(vrrp.Counters{PathsRestored: 2}),
			[]string{`virtual router "outside" is Master, and somebody else removed its routes or rules: 1 removal in the last minute; they were put back: ` +
				`find out what does that (a routing daemon, a network manager, an interface that goes down and up)`}},
		{"a keeper that was started again counts from zero", counted(vrrp.Counters{Discarded: reasons{"version": 100}}),
			counted(vrrp.Counters{Discarded: reasons{"version": 4}}),
			[]string{`virtual router "outside" refused 4 adverts in the last minute (version): configure the same version on both directors`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all findings
			all.adverts(tallies{{routers: tt.then}}.since(tt.now), []*vrrp.Status{{Name: "outside", State: vrrp.Master, Priority: 100, SignedAgo: 3 * time.Hour, Peers: []vrrp.Peer{{Address: lvs2}}, Senders: map[vrrp.Reason]netip.Addr{
				vrrp.ReasonNotPeer: lvs2, vrrp.ReasonPriority: lvs2, vrrp.ReasonInterval: lvs2,
			}}})
			var got []string
			for _, f := range all {
				got = append(got, f.Text+": "+f.Remedy)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// The other clock may be behind or ahead. Only of a Master is it an error: both are Master
// then, as nothing that was right when it was configured.
func TestClocksThatHaveComeApart(t *testing.T) {
	for _, tt := range []struct {
		state    vrrp.State
		reason   vrrp.Reason
		ago      time.Duration
		severity api.Severity
		want     string
	}{
		{vrrp.Master, vrrp.ReasonHMACStale, time.Hour, api.Error, "1h0m0s behind"},
		{vrrp.Master, vrrp.ReasonHMACStale, -time.Minute, api.Error, "1m0s ahead of"},
		{vrrp.Backup, vrrp.ReasonHMACStale, time.Hour, api.Warning, "1h0m0s behind"},
		{vrrp.Master, vrrp.ReasonHMACWrong, time.Hour, api.Warning, "both are Master"},
	} {
		var all findings
		all.adverts(map[string]vrrp.Counters{"outside": {Discarded: map[vrrp.Reason]uint64{tt.reason: 5}}}, []*vrrp.Status{{Name: "outside", State: tt.state, SignedAgo: tt.ago}})
		if len(all) != 1 || all[0].Severity != tt.severity || !strings.Contains(all[0].Text, tt.want) {
			t.Errorf("%+v: %+v", tt, all)
		}
	}
}

// Heartbeat's warntime. Who became Master has found the other one dead, and not late.
func TestALateMasterIsAFindingOfItsBackup(t *testing.T) {
	counted := tallies{{routers: map[string]vrrp.Counters{"outside": {AdvertsLate: 2}}}}.since(map[string]vrrp.Counters{"outside": {AdvertsLate: 5}})
	for state, want := range map[vrrp.State]string{
		vrrp.Backup: `virtual router "outside": half of the time after which this director takes over has passed without an advert of its Master (10.13.0.16): 3 times in the last minute`,
		vrrp.Master: "",
	} {
		var all findings
		all.adverts(counted, []*vrrp.Status{{Name: "outside", State: state, Peers: []vrrp.Peer{{Address: lvs2}}}})
		var got string
		for _, f := range all {
			got += f.Text
		}
		if got != want {
			t.Errorf("as %s: %q, want %q", state, got, want)
		}
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
	tallies := tallies{{at: start}}
	for i := 1; i <= 1000; i++ {
		now := start.Add(time.Duration(i) * 10 * time.Second)
		tallies = tallies.remember(tally{at: now})
		if age, limit := now.Sub(tallies[0].at), min(now.Sub(start), time.Minute); age != limit {
			t.Fatalf("after %v the first tally is %v old, want %v", now.Sub(start), age, limit)
		}
	}
	if len(tallies) > 7 {
		t.Errorf("%d tallies are kept, want 7", len(tallies))
	}
}

// A finding is there while there is a reason, and a minute longer.
func TestRefusedAdvertsAreInTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newOutsides()
		d, stop, ended := begin(t, f, clusterOf(), nil)
		refused := func(n uint64) bool {
			f.mu.Lock()
			f.statuses = []*vrrp.Status{{Name: "outside", Counters: vrrp.Counters{Discarded: map[vrrp.Reason]uint64{"version": n}}}}
			f.mu.Unlock()
			f.changed <- struct{}{}
			synctest.Wait()
			return strings.Contains(fmt.Sprint(statusOf(t, d).Findings), "in the last minute (version)")
		}
		if refused(0) {
			t.Error("found something where there is nothing")
		}
		for n := range uint64(300) {
			time.Sleep(time.Second)
			if !refused(1 + n) {
				t.Fatalf("nothing found after %d seconds with an advert each that was refused", n)
			}
		}
		time.Sleep(80 * time.Second)
		if refused(300) {
			t.Error("found what has been over for more than a minute")
		}
		stop()
		<-ended
	})
}

func TestTheRemedyForRefusedAdvertsNamesTheirSenderWhereItIsOne(t *testing.T) {
	src := netip.MustParseAddr("10.13.0.16")
	known := &vrrp.Status{Senders: map[vrrp.Reason]netip.Addr{vrrp.ReasonNotPeer: src, vrrp.ReasonVersion: src}}
	for _, tt := range []struct {
		name   string
		router *vrrp.Status
		reason vrrp.Reason
		want   string
	}{
		{"it is not among the peers", known, vrrp.ReasonNotPeer, "if 10.13.0.16 is the other director, add it to the peers here, or configure no peers on either"},
		{"who it was is not known", &vrrp.Status{}, vrrp.ReasonNotPeer, remedies[vrrp.ReasonNotPeer]},
		{"its version is another one", known, vrrp.ReasonVersion, "configure the same version on both directors"},
	} {
		if got := remedy(tt.router, tt.reason); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What is kept of a router is kept for each kind of trouble, also where two of a kind come
// together.
func TestOnlyCountersThatTellOfTroubleAreKept(t *testing.T) {
	type reasons = map[vrrp.Reason]uint64
	for _, tt := range []struct {
		name string
		c    vrrp.Counters
		want bool
	}{
		{"nothing was counted", vrrp.Counters{}, false},
		{"all adverts were in order", vrrp.Counters{AdvertsReceived: 7, Discarded: reasons{"ttl": 0}}, false},
		{"there was another Master", vrrp.Counters{OtherMasters: 1}, true},
		{"an advert of it was late", vrrp.Counters{OtherMasters: 1, AdvertsLate: 1}, true},
		{"an address was removed", vrrp.Counters{OtherMasters: 1, AddressesRemoved: 1}, true},
		{"an address was put back", vrrp.Counters{OtherMasters: 1, AddressesRestored: 1}, true},
		{"a route was put back", vrrp.Counters{OtherMasters: 1, PathsRestored: 1}, true},
		{"an advert was refused", vrrp.Counters{OtherMasters: 1, Discarded: reasons{"ttl": 1}}, true},
		{"an advert did not agree", vrrp.Counters{OtherMasters: 1, Mismatched: reasons{"clock": 1}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := troubled(&tt.c); got != tt.want {
				t.Errorf("troubled: %v, want %v", got, tt.want)
			}
			if got := counters([]*vrrp.Status{{Name: "outside", Counters: tt.c}}); (len(got) == 1) != tt.want {
				t.Errorf("%d routers are kept", len(got))
			}
		})
	}
}

func TestTheClocksDifferByWhatWasSeen(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason vrrp.Reason
		ago    time.Duration
		want   string
	}{
		{"the other one is ahead", vrrp.ReasonClock, -1, "; its clock is 1ns ahead of this director's"},
		{"no advert was ahead", vrrp.ReasonClock, 0, "; its clock is 0s behind this director's"},
		{"the other one is behind", vrrp.ReasonHMACStale, 1, "; its clock is 1ns behind this director's"},
		{"the clocks are not the reason", vrrp.ReasonHMACWrong, -1, ""},
	} {
		if got := clocks(&vrrp.Status{SignedAgo: tt.ago}, tt.reason); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
