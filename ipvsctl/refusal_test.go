package ipvsctl_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// What the kernel refuses is tried after 1, 2, 4 … 60 s, alone; its real
// servers are not tried without it; a mended value is tried at once.
func TestARefusedOperationIsRetriedWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var tries []time.Duration
		k := sim.NewIPVS()
		k.Refuse = func(op ipvsctl.Op) error {
			if op.Service == web {
				tries = append(tries, time.Since(begin))
			}
			return nil
		}
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("none-such", weights{4: 3}), mail: balanced("rr", weights{4: 1})}})
		after(200 * time.Second)
		wantTable(t, k, ipvsctl.Table{mail: balanced("rr", weights{4: 1})}, "with a scheduler that does not exist")
		var want []time.Duration
		for _, s := range []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183} {
			want = append(want, s*time.Second, s*time.Second) // the service and its server
		}
		if diff := cmp.Diff(want, tries); diff != "" {
			t.Errorf("tries (-want +got)\n%s", diff)
		}
		s := r.Snapshot()
		if s.Converged || s.Stats.Pending != 2 || !strings.Contains(s.Stats.LastError, "none-such") {
			t.Errorf("converged %v, %+v", s.Converged, s.Stats)
		}
		_ = k.ByHand(ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mail})
		after(2 * time.Second)
		wantTable(t, k, ipvsctl.Table{mail: balanced("rr", weights{4: 1})}, "2 s after ipvsadm -D of another service")
		mended := ipvsctl.Table{web: balanced("wrr", weights{4: 3}), mail: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: mended})
		synctest.Wait()
		wantTable(t, k, mended, "at once after the configuration was mended")
		if s := r.Snapshot(); !s.Converged || s.Stats.Pending != 0 || s.Stats.LastError != "" {
			t.Errorf("mended: converged %v, %+v", s.Converged, s.Stats)
		}
	})
}

// What was taken out of the configuration is nobody's from then on, whatever
// becomes of another row.
func TestARefusedOperationKeepsNoOtherServiceOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ledger := sim.NewIPVS(), &book{}
		r := start(t, k, ledger, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("none-such", nil), mail: balanced("rr", nil)}})
		after(time.Minute)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("none-such", nil)}})
		after(time.Minute)
		if diff := cmp.Diff([]ipvsctl.ServiceKey{web}, ledger.keys, cmpopts.EquateComparable(ipvsctl.ServiceKey{})); diff != "" {
			t.Errorf("ledger (-want +got)\n%s", diff)
		}
		byHand := ipvsctl.Table{mail: balanced("wlc", weights{9: 1})}
		if err := k.ByHand(add(mail, byHand[mail])...); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		wantTable(t, k, byHand, "after an administrator added the service that was taken out")
	})
}

// Where the exchange breaks half way, the table is listed again before more is
// written.
func TestABrokenExchangeIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		var mended atomic.Bool
		ops := 0
		k.Break = func(exchange string) error {
			if exchange == "apply" {
				ops++
			}
			if ops >= 3 && !mended.Load() {
				return errors.New("no buffer space available")
			}
			return nil
		}
		r := start(t, k, &book{}, nil)
		want := ipvsctl.Table{web: balanced("wrr", weights{4: 1, 5: 1, 6: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		after(30 * time.Second)
		if s := r.Snapshot(); s.Converged || s.Stats.LastError == "" || s.Stats.Errors < 5 || s.Stats.Errors > 12 {
			t.Errorf("while it is broken: converged %v, %+v", s.Converged, s.Stats)
		}
		mended.Store(true)
		after(10 * time.Second)
		wantTable(t, k, want, "after it is mended")
		if s := r.Snapshot(); !s.Converged || s.Stats.LastError != "" || s.Stats.Drift != 0 {
			t.Errorf("after it is mended: converged %v, %+v", s.Converged, s.Stats)
		}
	})
}

func TestDeletingWhatIsGoneIsSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", weights{4: 1, 5: 1}), mail: balanced("rr", nil)}})
		<-r.Applied()
		_ = k.ByHand(ipvsctl.Op{Kind: ipvsctl.DeleteDestination, Service: web, Destination: server(5)},
			ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mail})
		want := ipvsctl.Table{web: balanced("rr", weights{4: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		synctest.Wait()
		wantTable(t, k, want, "at once")
		if s := r.Snapshot(); !s.Converged || s.Stats.Errors != 0 {
			t.Errorf("converged %v, %+v", s.Converged, s.Stats)
		}
	})
}

// A flush between two looks shows itself when the next write is refused.
func TestARefusalLeadsToAReadAndARepairAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		r := start(t, k, &book{}, nil)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", weights{4: 1, 5: 1})}})
		<-r.Applied()
		k.Flush()
		want := ipvsctl.Table{web: balanced("rr", weights{4: 2, 5: 1, 6: 1})}
		r.Set(ipvsctl.Desired{Table: want})
		synctest.Wait()
		wantTable(t, k, want, "at once")
	})
}

// Many refusals, as without the capability to write, are a few events, once.
func TestManyRefusalsAreFewEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []ipvsctl.Event
		k := sim.NewIPVS()
		k.Refuse = func(ipvsctl.Op) error { return syscall.EPERM }
		r := start(t, k, &book{}, func(e ipvsctl.Event) { events = append(events, e) })
		want := ipvsctl.Table{}
		for port := range uint16(100) {
			want[service(port+1)] = balanced("rr", weights{4: 1})
		}
		r.Set(ipvsctl.Desired{Table: want})
		after(5 * time.Minute)
		if len(events) != 11 {
			t.Fatalf("%d events, want 11: %v", len(events), events)
		}
		for _, e := range events[:10] {
			if e.Code != ipvsctl.OperationRefused || e.Level != slog.LevelError {
				t.Errorf("event %+v", e)
			}
		}
		if e := events[10]; e.Code != ipvsctl.OperationsRefused || e.Attrs[0].String() != "operations=90" {
			t.Errorf("the last event is %+v", e)
		}
		if s := r.Snapshot(); s.Stats.Pending != 200 {
			t.Errorf("%d operations pending, want 200", s.Stats.Pending)
		}
	})
}

// At the end there is no time for pauses: Clear tries again at once.
func TestClearAfterABrokenExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, ops := sim.NewIPVS(), 0
		k.Break = func(exchange string) error {
			if exchange == "apply" {
				ops++
			}
			if exchange == "apply" && ops == 3 {
				return errors.New("no buffer space available")
			}
			return nil
		}
		r := open(t, k, &book{}, nil)
		stop := run(t, r)
		r.Set(ipvsctl.Desired{Table: ipvsctl.Table{web: balanced("rr", weights{4: 1})}})
		<-r.Applied()
		stop()
		if err := r.Clear(t.Context()); err != nil {
			t.Error(err)
		}
		wantTable(t, k, ipvsctl.Table{}, "after Clear")
	})
}

// The errors that the fake refuses with are the kernel's.
func TestTheFakeRefusesWhatTheKernelRefuses(t *testing.T) {
	k := sim.NewIPVS()
	_ = k.ByHand(add(web, balanced("rr", weights{4: 1}))...)
	dest := func(kind ipvsctl.OpKind, key ipvsctl.ServiceKey, host byte, d ipvsctl.Destination) ipvsctl.Op {
		return ipvsctl.Op{Kind: kind, Service: key, Destination: server(host), Dest: d}
	}
	for _, tt := range []struct {
		op   ipvsctl.Op
		want error
	}{
		{ipvsctl.Op{Kind: ipvsctl.AddService, Service: web, Config: ipvsctl.Service{Scheduler: "rr", Netmask: 32}}, syscall.EEXIST},
		{ipvsctl.Op{Kind: ipvsctl.DeleteService, Service: mail}, syscall.ESRCH},
		{dest(ipvsctl.AddDestination, mail, 4, ipvsctl.Destination{}), syscall.ESRCH},
		{dest(ipvsctl.AddDestination, web, 4, ipvsctl.Destination{}), syscall.EEXIST},
		{dest(ipvsctl.SetDestination, web, 5, ipvsctl.Destination{}), syscall.ENOENT},
		{dest(ipvsctl.DeleteDestination, web, 5, ipvsctl.Destination{}), syscall.ENOENT},
		{dest(ipvsctl.AddDestination, web, 5, ipvsctl.Destination{Lower: 1}), syscall.ERANGE},
		{dest(ipvsctl.AddDestination, web, 5, ipvsctl.Destination{Weight: 1 << 31}), syscall.ERANGE},
		{dest(ipvsctl.AddDestination, web, 5, ipvsctl.Destination{Forward: ipvsctl.Tunnel, TunnelType: ipvsctl.TunnelGUE}), syscall.EINVAL},
	} {
		if err := k.ByHand(tt.op); !errors.Is(err, tt.want) {
			t.Errorf("%v: %v, want %v", tt.op, err, tt.want)
		}
	}
}
