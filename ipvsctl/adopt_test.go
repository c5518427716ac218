package ipvsctl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A second process finds its rows in the ledger: nothing is added again, what
// left the configuration meanwhile goes, and what others made stays.
func TestStartAdoptsTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ledger := sim.NewIPVS(), &book{keys: []ipvsctl.ServiceKey{web, mail}}
		_ = k.ByHand(add(web, balanced("wrr", weights{4: 3, 5: 0}))...)
		_ = k.ByHand(add(mail, balanced("rr", weights{4: 1}))...)
		_ = k.ByHand(add(dns, balanced("rr", weights{9: 9}))...)
		k.Count(web, server(4), ipvsctl.Counters{Connections: 70, Active: 7})
		r := open(t, k, ledger, nil)
		if found := r.Snapshot().Table; weight(found[web], 4) != 3 || len(found) != 3 {
			t.Fatalf("opened:\n%v", found)
		}
		run(t, r)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 2})}})
		<-r.Applied()
		after(time.Second)
		wantTable(t, k, ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 2}), dns: balanced("rr", weights{9: 9})}, "after the start")
		wantWrites(t, k, 0, 2, "one weight and one service that left")
		s := r.Snapshot()
		if got, _ := s.Counters[web].Get(server(4)); got.Connections != 70 || got.Active != 7 {
			t.Errorf("counters %+v did not survive", got)
		}
		if diff := cmp.Diff([]ipvsctl.ServiceKey{web}, ledger.keys, addrs); diff != "" {
			t.Errorf("ledger (-want +got)\n%s", diff)
		}
		if _, others := s.Foreign[dns]; !others || s.Stats.Drift != 0 {
			t.Errorf("foreign %v, drift %d", s.Foreign, s.Stats.Drift)
		}
	})
}

// Services in this configuration are ours, also where somebody else made them.
func TestAWantedServiceThatOthersMadeIsTakenOver(t *testing.T) {
	for _, seen := range []bool{true, false} {
		t.Run(fmt.Sprintf("seen by the last look %v", seen), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := sim.NewIPVS()
				r := start(t, k, &book{}, nil)
				r.Set(ipvsctl.Desired{Table: ipvsctl.Table{}})
				<-r.Applied()
				_ = k.ByHand(add(web, balanced("rr", weights{4: 1, 9: 1}))...)
				if seen {
					after(2 * time.Second)
				}
				want := ipvsctl.Table{web: balanced("wrr", weights{4: 1, 5: 1})}
				r.Set(ipvsctl.Desired{Table: want})
				synctest.Wait()
				wantTable(t, k, want, "at once")
				s := r.Snapshot()
				if !s.Converged || s.Stats.Drift != 0 || s.Stats.Pending != 0 {
					t.Errorf("converged %v, %+v", s.Converged, s.Stats)
				}
				refusals := uint64(2) // the service and the server that both have
				if seen {
					refusals = 0
				}
				if s.Stats.Errors != refusals {
					t.Errorf("%d refusals, want %d: a service that was seen is read before it is written", s.Stats.Errors, refusals)
				}
			})
		})
	}
}

// The ledger is never behind the kernel: it names what is about to be added
// before it is, and what is to go until it is gone.
func TestTheLedgerIsSavedBeforeTheFirstWriteAndAfterTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []string
		k := sim.NewIPVS()
		k.Refuse = func(op ipvsctl.Op) error {
			events = append(events, op.String())
			return nil
		}
		ledger := &book{saved: func(keys []ipvsctl.ServiceKey) { events = append(events, fmt.Sprint("save ", keys)) }}
		r := start(t, k, ledger, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", nil)}})
		<-r.Applied()
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{mail: balanced("rr", nil)}})
		<-r.Applied()
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{mail: balanced("wrr", nil)}})
		<-r.Applied()
		want := []string{
			"save [tcp 10.13.0.200:80]",
			"-A -t 10.13.0.200:80 -s rr",
			"save [tcp 10.13.0.200:25 tcp 10.13.0.200:80]",
			"-A -t 10.13.0.200:25 -s rr",
			"-D -t 10.13.0.200:80",
			"save [tcp 10.13.0.200:25]",
			"-E -t 10.13.0.200:25 -s wrr",
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("order of events (-want +got)\n%s", diff)
		}
	})
}

func TestABrokenLedgerDoesNotStopTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ledger := sim.NewIPVS(), &book{full: errors.New("no space left on device")}
		r := start(t, k, ledger, nil)
		want := ipvsctl.Table{web: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		wantTable(t, k, want, "with a full disk")
		if s := r.Snapshot(); !strings.Contains(s.Stats.LastError, "no space left") || s.Stats.Errors == 0 {
			t.Errorf("stats %+v do not tell", s.Stats)
		}
		ledger.fill(nil)
		after(2 * time.Second)
		if s := r.Snapshot(); s.Stats.LastError != "" || len(ledger.keys) != 1 {
			t.Errorf("mended: last error %q, ledger %v", s.Stats.LastError, ledger.keys)
		}
	})
}

func TestClearTakesOurRowsOutAndLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ledger := sim.NewIPVS(), &book{}
		_ = k.ByHand(add(dns, balanced("rr", weights{9: 9}))...)
		r := open(t, k, ledger, nil)
		stop := run(t, r)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", weights{4: 1})}})
		<-r.Applied()
		stop()
		wantWrites(t, k, 0, 2, "the table, which stays at the end")
		if err := r.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTable(t, k, ipvsctl.Table{dns: balanced("rr", weights{9: 9})}, "after Clear")
		if len(ledger.keys) != 0 {
			t.Errorf("the ledger still has %v", ledger.keys)
		}
	})
}
