package ipvsctl_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/ipvsctl"
)

// What a reconciler writes to a Dry is what it would have written to the kernel, once, and
// the kernel's own table stays.
func TestADryKernelIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := sim.NewIPVS()
		for _, op := range add(mail, ipvsctl.VirtualService{Service: ipvsctl.Service{Scheduler: "rr", Netmask: 32}}) {
			if err := k.ByHand(op); err != nil {
				t.Fatal(err)
			}
		}
		before, want := k.String(), ipvsctl.Table{web: {Service: ipvsctl.Service{Scheduler: "wrr", Netmask: 32},
			Destinations: ipvsctl.Rows[ipvsctl.Destination]{{Key: ipvsctl.DestinationKey{Addr: web.Addr, Port: 80}, Value: ipvsctl.Destination{Weight: 3}}}}}
		found, _ := k.List(t.Context())
		var would []string
		r, err := ipvsctl.Open(t.Context(), ipvsctl.NewDry(found, func(op ipvsctl.Op) { would = append(would, op.String()) }), &book{keys: []ipvsctl.ServiceKey{mail}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = r.Run(ctx) }()
		r.Set(ipvsctl.Desired{Table: want})
		<-r.Applied()
		synctest.Wait()
		var ops []string
		for _, op := range ipvsctl.Diff(found, want, all) {
			ops = append(ops, op.String())
		}
		if diff := cmp.Diff(ops, would); diff != "" {
			t.Errorf("what would be written (-want +got):\n%s", diff)
		}
		r.Set(ipvsctl.Desired{Table: want, Exclusive: true}) // which lists all of it again
		<-r.Applied()
		if len(would) != len(ops) || k.String() != before || !slices.Equal(r.Snapshot().Table.Keys(), want.Keys()) {
			t.Errorf("it would write %q again; the kernel has %q, and the reconciler knows %v", would[len(ops):], k, r.Snapshot().Table)
		}
		stop()
		<-ended
	})
}
