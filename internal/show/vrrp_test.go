package show

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
)

func TestWriteVRRP(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(r *api.Router)
	}{
		{"vrrp-master", func(*api.Router) {}},
		{"vrrp-backup", func(r *api.Router) {
			r.State, r.Since, r.Priority, r.Held, r.Phase = api.Backup, before(90*time.Minute), 130, 0, "following"
			r.HeldBack = &api.Held{By: api.User{Name: "alice", UID: 1000}, Since: before(90 * time.Minute)}
			r.AdvertGaps = api.Histogram{Bounds: []float64{1.1, 2}, Buckets: []uint64{5399, 1, 0}, Sum: 5401, Max: 1.8}
			r.Counters.AdvertsLate, r.Counters.Stalls = 1, 2
			r.Conditions = []api.Condition{
				{Name: "interface eth1", Met: true, Hard: true},
				{Name: "ping gateway", Weight: -20, Effect: -20, Reason: "10.13.0.1 does not answer"},
			}
		}},
		{"vrrp-standby", func(r *api.Router) {
			r.State, r.Held, r.Fault, r.Phase = api.Initialize, 0, "standby, ordered by root (uid 0)", "waiting"
			r.Conditions = []api.Condition{{Name: "operator", Hard: true, Reason: "standby, ordered by root (uid 0)"}}
			r.Transitions = nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := healthy()
			tt.edit(&st.Routers[0])
			var out strings.Builder
			if err := (Terminal{}).WriteVRRP(&out, st, []string{"outside"}, false); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, "testdata/"+tt.name+".txt", out.String())
		})
	}
	var out strings.Builder
	if err := (Terminal{}).WriteVRRP(&out, healthy(), []string{"outsite"}, false); err == nil || !strings.Contains(err.Error(), `no virtual router or sync group "outsite"`) {
		t.Errorf("a name that is not configured: %v", err)
	}
	if err := (Terminal{}).WriteVRRP(&out, healthy(), nil, true); err != nil || !strings.HasPrefix(out.String(), `[{"name":"outside"`) {
		t.Errorf("JSON: %v, %.40s", err, out.String())
	}
	st := healthy()
	st.Routers = nil
	if out.Reset(); (Terminal{}).WriteVRRP(&out, st, nil, false) != nil || !strings.HasPrefix(out.String(), "No virtual router") {
		t.Errorf("without one: %q", out.String())
	}
}
