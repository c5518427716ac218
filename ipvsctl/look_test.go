package ipvsctl

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"
)

// A still is a kernel's table that nobody changes. What it returns is shared, so
// what is allocated is the reconciler's.
type still struct {
	Kernel
	table    Table
	counters Rows[Counters]
	lasts    int // how many services a list has before it breaks off
}

// newStill returns a table of so many services with 10 servers each.
func newStill(services int) *still {
	k := &still{table: Table{}, counters: make(Rows[Counters], 11), lasts: services}
	for i := range services {
		vs := VirtualService{Service: Service{Scheduler: "wrr", Netmask: 32}}
		for j := range 10 {
			server := DestinationKey{Addr: netip.AddrFrom4([4]byte{10, 1, byte(i / 25), byte(i%25*10 + j)}), Port: 80}
			vs.Destinations = append(vs.Destinations, Row[Destination]{Key: server, Value: Destination{Weight: 1}})
		}
		k.table[ServiceKey{Protocol: TCP, Addr: netip.AddrFrom4([4]byte{10, 0, 0, 1}), Port: uint16(1000 + i)}] = vs
	}
	return k
}

func (k *still) List(context.Context) (Table, error) { return k.table, nil }

func (k *still) Services(_ context.Context, each func(ServiceKey, Service, uint64)) error {
	left := k.lasts
	for key, vs := range k.table {
		if left--; left < 0 {
			return errors.New("it broke off")
		}
		each(key, vs.Service, 7)
	}
	return nil
}

func (k *still) Read(_ context.Context, key ServiceKey) (VirtualService, Rows[Counters], error) {
	return k.table[key], k.counters, nil
}

// A blank is a ledger that keeps nothing.
type blank struct{ Ledger }

func (blank) Load() ([]ServiceKey, error) { return nil, nil }
func (blank) Save([]ServiceKey) error     { return nil }

// A list of the services that breaks off says nothing about those that it lacks.
func TestAListThatBreaksOffTakesNoServiceForGone(t *testing.T) {
	k := newStill(3)
	r, err := Open(t.Context(), k, blank{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := k.table.Clone()
	for key := range want {
		delete(want, key) // one of the three is somebody else's
		break
	}
	r.Set(Desired{Table: want})
	now := time.Now()
	for _, k.lasts = range []int{3, 1, 0, 3} {
		now = now.Add(time.Minute)
		r.work(t.Context(), now)
		if s := r.Snapshot(); len(s.Table) != 2 || len(s.Foreign) != 1 || s.Stats.Drift != 0 {
			t.Errorf("after a list of %d services: %d are ours and %d foreign, drift %d; want 2, 1 and 0", k.lasts, len(s.Table), len(s.Foreign), s.Stats.Drift)
		}
	}
}

// They are in the list that is read anyway, but to keep them costs a map each second.
func TestPacketsAreKnownToWhoAsks(t *testing.T) {
	k := newStill(3)
	r, err := Open(t.Context(), k, blank{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, asks := range []bool{false, true, false} {
		r.Set(Desired{Table: k.table.Clone(), Packets: asks})
		now = now.Add(time.Minute)
		r.work(t.Context(), now)
		packets := r.Snapshot().Packets
		if (packets != nil) != asks {
			t.Errorf("asked %v, they are known: %v", asks, packets)
		}
		for key := range packets {
			if packets[key] != 7 || len(packets) != 3 {
				t.Errorf("%d packets of %v, want 7 of each of three", packets[key], key)
			}
		}
	}
}

// On a slow machine, looks at a large table would take all of its time.
func TestLooksTakeATwentiethOfTheTime(t *testing.T) {
	begun := time.Now()
	for _, tt := range []struct{ took, next, want time.Duration }{
		{10 * time.Millisecond, time.Second, time.Second},
		{100 * time.Millisecond, time.Second, 2 * time.Second},
		{time.Second, 2 * time.Second, 6 * time.Second},
		{3 * time.Second, 3 * time.Second, 3 * time.Second}, // an answer that never came
		{100 * time.Millisecond, time.Minute, time.Minute},
	} {
		if got := spared(begun, begun.Add(tt.took), begun.Add(tt.next)).Sub(begun); got != tt.want {
			t.Errorf("after a step of %v that wants another one after %v, that comes after %v, want %v", tt.took, tt.next, got, tt.want)
		}
	}
}

// BenchmarkLook is what a reconciler of 1,000 services with 10 servers each does
// every second while nothing happens.
func BenchmarkLook(b *testing.B) {
	k := newStill(1000)
	r, err := Open(b.Context(), k, blank{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Set(Desired{Table: k.table.Clone()})
	now := time.Now()
	step := func() {
		now = now.Add(lookInterval)
		r.work(b.Context(), now)
	}
	for range auditRounds {
		step()
	}
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	if !r.Snapshot().Converged {
		b.Error("the table is not as it was wanted")
	}
}
