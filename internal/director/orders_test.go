package director

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// Only what a Backup hears of a Master tells that the other director got worse.
func TestWhenARouterHoldsBackNoMore(t *testing.T) {
	backup := func(priority uint8) vrrp.Status {
		return vrrp.Status{State: vrrp.Backup, Master: lvs2, MasterPriority: priority}
	}
	failed, alone := backup(100), backup(100)
	failed.State, alone.Master = vrrp.Initialize, vrrp.Status{}.Master
	for _, tt := range []struct {
		name string
		is   vrrp.Status
		why  string // empty: it holds back
	}{
		{"the other one is as good as before", backup(150), ""},
		{"the other one gets better", backup(160), ""},
		{"the other one got worse", backup(149), "has fallen from 150 to 149"},
		{"the other one leaves", backup(0), ""},
		{"this one cannot run", failed, ""},
		{"nobody is heard", alone, ""},
		{"this one is Master again", vrrp.Status{State: vrrp.Master, Master: lvs2, MasterPriority: 200}, "is Master again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o orders
			o.hold("outside", api.Held{})
			first := backup(150)
			if why := o.over("outside", &first); why != "" {
				t.Fatalf("at first: %q", why)
			}
			if why := o.over("outside", &tt.is); (why == "") != (tt.why == "") || !strings.Contains(why, tt.why) {
				t.Errorf("%q, want %q", why, tt.why)
			}
		})
	}
}
