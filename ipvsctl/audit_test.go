package ipvsctl_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// many is a table of so many services, each with these servers; those of ports that full
// is true for have a threshold.
func many(services uint16, servers weights, full func(port uint16) bool) ipvsctl.Table {
	table := ipvsctl.Table{}
	for port := range services {
		s := balanced("rr", servers)
		if full(port) {
			s.Destinations[0].Value.Upper = 10
		}
		table[service(port+1)] = s
	}
	return table
}

func noPort(uint16) bool    { return false }
func everyPort(uint16) bool { return true }

// A large table is read in slices, and a row changed by hand is still found: a
// service at the next look, a real server within a round of the audit.
func TestALargeTableIsAuditedInSlices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		want := many(3000, weights{4: 1, 5: 1}, noPort)
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		_ = k.ByHand(reweigh(service(3000), 5, 9))
		reads := k.Reads()
		after(time.Second)
		if got := k.Reads() - reads; got != 100 {
			t.Errorf("%d services read at one look, want a thirtieth of 3,000", got)
		}
		if s := r.Snapshot(); !s.Stats.Audited.IsZero() {
			t.Errorf("the whole table was compared at %v, after one look", s.Stats.Audited)
		}
		after(30 * time.Second)
		wantTable(t, k, want, "after a round of the audit")
		_ = k.ByHand(ipvsctl.Op{Kind: ipvsctl.SetService, Service: service(3000), Config: ipvsctl.Service{Scheduler: "sh", Netmask: 32}})
		after(time.Second)
		wantTable(t, k, want, "after the next look")
		if s := r.Snapshot(); s.Stats.Drift != 2 || time.Since(s.Stats.Audited) > 31*time.Second {
			t.Errorf("drift %d, audited %v ago", s.Stats.Drift, time.Since(s.Stats.Audited))
		}
	})
}

// Whether a server with a threshold is full decides who serves, so it must not be
// known half a minute late.
func TestServersWithThresholdsAreCountedAtEachLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: many(3000, weights{4: 1, 5: 1}, func(port uint16) bool { return port >= 2000 && port%2 == 0 })})
		<-r.Applied()
		after(10 * time.Second)
		k.Count(service(2001), server(4), ipvsctl.Counters{Connections: 70})
		k.Count(service(2999), server(4), ipvsctl.Counters{Connections: 71})
		reads := k.Reads()
		after(2 * time.Second)
		if got := connections(r.Snapshot().Counters[service(2001)]); got != 70 {
			t.Errorf("counted %d connections, want 70", got)
		}
		if got := connections(r.Snapshot().Counters[service(2999)]); got != 71 {
			t.Errorf("counted %d connections of the last one in turn, want 71", got)
		}
		if got, most := k.Reads()-reads, 2*(100+256); got < 600 || got > most {
			t.Errorf("%d services read at two looks, want %d at most: a thirtieth of 3,000, and 256 of 500", got, most)
		}
	})
}

// A suspicion must not be half a minute late either.
func TestServicesThatAreWatchedAreCountedAtEachLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: many(3000, weights{4: 1, 5: 1}, noPort), Watched: []ipvsctl.ServiceKey{service(7), service(2001)}})
		<-r.Applied()
		after(10 * time.Second)
		for n := range uint64(5) {
			k.Count(service(2001), server(4), ipvsctl.Counters{Connections: 70 + n})
			reads := k.Reads()
			after(time.Second)
			if got := connections(r.Snapshot().Counters[service(2001)]); got != 70+n {
				t.Errorf("counted %d connections, want %d", got, 70+n)
			}
			if got := k.Reads() - reads; got > 102 {
				t.Errorf("%d services read at a look, want a thirtieth of 3,000 and two", got)
			}
		}
	})
}

// A Backup has no clients at all, and most servers of ten thousand had none yet.
func TestWhatHasCountedNothingTakesNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", weights{4: 1, 5: 1}), mail: balanced("rr", weights{4: 1})}})
		<-r.Applied()
		k.Count(web, server(4), ipvsctl.Counters{Connections: 70})
		after(2 * time.Second)
		if got := r.Snapshot().Counters; len(got) != 1 || len(got[web]) != 1 || cap(got[web]) != 1 || connections(got[web]) != 70 {
			t.Errorf("counted %v, want only the server that had clients", got)
		}
		_ = k.ByHand(ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: web, Destination: server(4)})
		after(2 * time.Second) // It is added again, and begins anew.
		if got := r.Snapshot().Counters; len(got) != 0 {
			t.Errorf("counted %v, want nothing", got)
		}
	})
}

// A table that each look reads whole needs no turn of its own for thresholds.
func TestASmallTableIsReadOnceAtEachLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: many(8, weights{4: 1}, everyPort)})
		<-r.Applied()
		after(10 * time.Second)
		reads := k.Reads()
		after(2 * time.Second)
		if got := k.Reads() - reads; got != 16 {
			t.Errorf("%d services read at two looks, want each of 8 twice", got)
		}
	})
}

// A new configuration does not wait until a look at the kernel has come to its end,
// whether it compares services or counts those with thresholds.
func TestANewerTableInterruptsALook(t *testing.T) {
	for _, last := range []int{50, 150} {
		synctest.Test(t, func(t *testing.T) {
			k := sim.NewIPVS()
			r := open(t, k, &book{}, nil)
			newer := ipvsctl.Table{web: balanced("wrr", weights{4: 1})}
			var looking atomic.Bool
			reads, before := 0, 0
			k.Break = func(exchange string) error {
				switch {
				case looking.Load() && exchange == "read":
					if reads++; reads == last {
						r.Set(ipvsctl.Desired{Table: newer})
					}
				case looking.Load() && exchange == "apply" && before == 0:
					before = reads
				}
				return nil
			}
			run(t, r)
			r.Set(ipvsctl.Desired{Table: many(3000, weights{4: 1}, everyPort)})
			<-r.Applied()
			synctest.Wait()
			looking.Store(true)
			after(time.Second)
			wantTable(t, k, newer, "at once")
			if before != last {
				t.Errorf("%d services were read before the first write, want %d", before, last)
			}
		})
	}
}
