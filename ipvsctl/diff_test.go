package ipvsctl_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

var addrs = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

func service(port uint16) ipvsctl.ServiceKey {
	return ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.200"), Port: port}
}

func server(host byte) ipvsctl.DestinationKey {
	return ipvsctl.DestinationKey{Addr: netip.AddrFrom4([4]byte{192, 168, 1, host}), Port: 80}
}

func balanced(scheduler string, weights map[byte]uint32) ipvsctl.VirtualService {
	vs := ipvsctl.VirtualService{Service: ipvsctl.Service{Scheduler: scheduler, Netmask: 32}}
	for host, w := range weights {
		vs.Destinations.Set(server(host), ipvsctl.Destination{Weight: w})
	}
	return vs
}

type weights = map[byte]uint32

func all(ipvsctl.ServiceKey) bool { return true }

func TestDiff(t *testing.T) {
	web, mail := service(80), service(25)
	tests := []struct {
		name       string
		have, want ipvsctl.Table
		foreign    ipvsctl.ServiceKey
		ops        string
	}{
		{
			name: "equal tables need nothing",
			have: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 1})},
			want: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 1})},
		},
		{
			name: "no map of destinations is an empty one",
			have: ipvsctl.Table{web: {Service: ipvsctl.Service{Scheduler: "wrr", Netmask: 32}}},
			want: ipvsctl.Table{web: balanced("wrr", nil)},
		},
		{
			name: "a service comes before its destinations, and both in order",
			want: ipvsctl.Table{web: balanced("wrr", weights{5: 1, 4: 3}), mail: balanced("rr", weights{4: 1})},
			ops: `
-A -t 10.13.0.200:25 -s rr
-a -t 10.13.0.200:25 -r 192.168.1.4:80 -m -w 1
-A -t 10.13.0.200:80 -s wrr
-a -t 10.13.0.200:80 -r 192.168.1.4:80 -m -w 3
-a -t 10.13.0.200:80 -r 192.168.1.5:80 -m -w 1`,
		},
		{
			name: "one changed weight is one edit in place",
			have: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 1})},
			want: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 0})},
			ops:  "\n-e -t 10.13.0.200:80 -r 192.168.1.5:80 -m -w 0",
		},
		{
			name: "another scheduler leaves the destinations alone",
			have: ipvsctl.Table{web: balanced("wrr", weights{4: 3, 5: 1})},
			want: ipvsctl.Table{web: balanced("wlc", weights{4: 3, 5: 1})},
			ops:  "\n-E -t 10.13.0.200:80 -s wlc",
		},
		{
			name: "all that is added comes before all that is deleted",
			have: ipvsctl.Table{mail: balanced("rr", weights{4: 1}), web: balanced("wrr", weights{4: 1})},
			want: ipvsctl.Table{web: balanced("wrr", weights{6: 1}), service(443): balanced("wrr", weights{6: 1})},
			ops: `
-a -t 10.13.0.200:80 -r 192.168.1.6:80 -m -w 1
-A -t 10.13.0.200:443 -s wrr
-a -t 10.13.0.200:443 -r 192.168.1.6:80 -m -w 1
-d -t 10.13.0.200:80 -r 192.168.1.4:80
-D -t 10.13.0.200:25`,
		},
		{
			name:    "rows of others are not deleted, not edited and not added",
			have:    ipvsctl.Table{mail: balanced("rr", weights{4: 1, 5: 1})},
			want:    ipvsctl.Table{mail: balanced("wrr", weights{4: 2, 6: 1})},
			foreign: mail,
		},
		{
			name: "a deleted service takes its destinations along",
			have: ipvsctl.Table{web: balanced("wrr", weights{4: 1, 5: 1, 6: 1})},
			want: ipvsctl.Table{},
			ops:  "\n-D -t 10.13.0.200:80",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			owned := func(k ipvsctl.ServiceKey) bool { return k != tt.foreign }
			if diff := cmp.Diff(tt.ops, lines(ipvsctl.Diff(tt.have, tt.want, owned))); diff != "" {
				t.Errorf("operations (-want +got)\n%s", diff)
			}
		})
	}
}

func lines(ops []ipvsctl.Op) string {
	var b strings.Builder
	for _, op := range ops {
		fmt.Fprintf(&b, "\n%v", op)
	}
	return b.String()
}

// randomTable is a small table over few keys, so that two of them have much in
// common.
func randomTable(r *rand.Rand) ipvsctl.Table {
	t := ipvsctl.Table{}
	for range r.IntN(5) {
		key := service(uint16(1 + r.IntN(5)))
		if r.IntN(4) == 0 {
			key = ipvsctl.ServiceKey{Mark: key.Mark + 1 + uint32(r.IntN(2)), Addr: netip.IPv4Unspecified()}
		}
		vs := balanced([]string{"rr", "wrr"}[r.IntN(2)], nil)
		for range r.IntN(5) {
			vs.Destinations.Set(server(byte(r.IntN(5))), ipvsctl.Destination{
				Forward: []ipvsctl.Forward{ipvsctl.NAT, ipvsctl.Direct}[r.IntN(2)],
				Weight:  uint32(r.IntN(3)),
			})
		}
		t[key] = vs
	}
	return t
}

// Whatever the two tables are, the operations turn one into the other on a
// kernel that refuses what the kernel refuses, and no row is deleted to be
// added again.
func FuzzDiff(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(0))
	f.Add(uint64(3), uint64(3), uint8(7))
	f.Fuzz(func(t *testing.T, a, b uint64, foreign uint8) {
		have := randomTable(rand.New(rand.NewPCG(a, 0)))
		want := randomTable(rand.New(rand.NewPCG(b, 0)))
		owned := func(k ipvsctl.ServiceKey) bool { return foreign == 0 || k.Port != uint16(foreign) }
		checkDiff(t, have, want, owned)
	})
}

func checkDiff(t *testing.T, have, want ipvsctl.Table, owned func(ipvsctl.ServiceKey) bool) {
	t.Helper()
	k := sim.NewIPVS()
	if err := k.ByHand(ipvsctl.Diff(nil, have, all)...); err != nil {
		t.Fatal(err)
	}
	ops := ipvsctl.Diff(have, want, owned)
	if err := k.ByHand(ops...); err != nil {
		t.Fatalf("%v\nof%s", err, lines(ops))
	}
	goal := ipvsctl.Table{}
	maps.Copy(goal, want)
	maps.DeleteFunc(goal, func(k ipvsctl.ServiceKey, _ ipvsctl.VirtualService) bool { return !owned(k) })
	for key, vs := range have {
		if !owned(key) {
			goal[key] = vs
		}
	}
	if diff := cmp.Diff(goal, k.Table(), addrs); diff != "" {
		t.Errorf("after%s\nthe table is not as wanted (-want +got)\n%s", lines(ops), diff)
	}
	if again := ipvsctl.Diff(k.Table(), want, owned); len(again) > 0 {
		t.Errorf("a second time there is still%s", lines(again))
	}
	noRowTwice(t, ops)
}

func noRowTwice(t *testing.T, ops []ipvsctl.Op) {
	t.Helper()
	type row struct {
		s ipvsctl.ServiceKey
		d ipvsctl.DestinationKey
	}
	seen, deleted := map[row]ipvsctl.OpKind{}, false
	for _, op := range ops {
		if k, twice := seen[row{op.Service, op.Destination}]; twice {
			t.Errorf("%v after %v of the same row", op, k)
		}
		seen[row{op.Service, op.Destination}] = op.Kind
		deletes := op.Kind == ipvsctl.DeleteService || op.Kind == ipvsctl.DeleteDestination
		if deleted && !deletes {
			t.Errorf("%v after something was deleted", op)
		}
		deleted = deleted || deletes
	}
}

func TestDiffOfRandomTables(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		foreign := uint16(r.IntN(6))
		checkDiff(t, randomTable(r), randomTable(r), func(k ipvsctl.ServiceKey) bool { return k.Port != foreign })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func BenchmarkDiff(b *testing.B) {
	have := ipvsctl.Table{}
	for port := range uint16(1000) {
		vs := balanced("wrr", nil)
		for host := range byte(10) {
			vs.Destinations.Set(server(host), ipvsctl.Destination{Weight: 1})
		}
		have[service(port)] = vs
	}
	want := have.Clone()
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			ipvsctl.Diff(have, want, all)
		}
	})
	b.Run("everything", func(b *testing.B) {
		for b.Loop() {
			ipvsctl.Diff(nil, want, all)
		}
	})
}
