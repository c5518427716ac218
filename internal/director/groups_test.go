package director

import (
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

func TestStateOfASyncGroup(t *testing.T) {
	const split = `sync group "nat" has been split for 5s: this director is Master of outside, but not of inside (following): look at what the others wait for; a director on which they are in no sync_group may have them`
	for _, tt := range []struct {
		name    string
		states  []vrrp.State
		lasted  time.Duration
		want    api.State
		finding string
	}{
		{"Master of all", []vrrp.State{vrrp.Master, vrrp.Master}, 0, api.Master, ""},
		{"Backup of all", []vrrp.State{vrrp.Backup, vrrp.Backup}, 0, api.Backup, ""},
		{"in the middle of a move", []vrrp.State{vrrp.Master, vrrp.Backup}, 0, api.Split, ""},
		{"split for longer than Master_Down", []vrrp.State{vrrp.Master, vrrp.Backup}, 5*time.Second + 49*time.Millisecond, api.Split, split},
		{"of three, the last one is Master", []vrrp.State{vrrp.Initialize, vrrp.Backup, vrrp.Master}, 0, api.Split, ""},
		{"of three, the first one is Master", []vrrp.State{vrrp.Master, vrrp.Backup, vrrp.Backup}, 0, api.Split, ""},
		{"one has not started", []vrrp.State{vrrp.Backup, vrrp.Initialize}, 0, api.Initialize, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			routers := []*vrrp.Status{{Name: "alone", State: vrrp.Master}}
			for i, s := range tt.states {
				phase := map[vrrp.State]vrrp.Phase{vrrp.Master: vrrp.Advertising, vrrp.Backup: vrrp.Following}[s]
				routers = append(routers, &vrrp.Status{Name: []string{"outside", "inside", "third"}[i], SyncGroup: "nat", State: s, Phase: phase, Split: tt.lasted})
			}
			s := &api.Status{SyncGroups: groupStatuses(routers, Edges{})}
			for i := range routers {
				s.Routers = append(s.Routers, routerStatus(routers[i], 0))
			}
			if g := s.SyncGroups; len(g) != 1 || g[0].Name != "nat" || g[0].State != tt.want || len(g[0].Routers) != len(tt.states) {
				t.Errorf("%+v", g)
			}
			var all findings
			all.groups(s)
			got := ""
			for _, f := range all {
				got += f.Text + ": " + f.Remedy
			}
			if got != tt.finding {
				t.Errorf("finding %q", got)
			}
		})
	}
}
