package integration

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

func TestASecondDaemonIsRefused(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	first := p.daemons[0]
	tap := p.tap(0)
	tap.writes(t)
	h := p.Directors[0]
	for _, tt := range []struct {
		name  string
		state string
		args  []string
		words []string
	}{
		{"with the same state directory", "state", []string{"--socket", filepath.Join(h.Dir, "second.sock")},
			[]string{"is locked by another lvsd", fmt.Sprintf("(process %d)", first.PID()), "--state-dir"}},
		{"with the same control socket", "state2", nil, []string{"another lvsd answers on /run/lvsd/lvsd.sock", "--socket"}},
		{"with directories of its own", "state3", []string{"--socket", filepath.Join(h.Dir, "third.sock")},
			[]string{fmt.Sprintf("another lvsd (process %d) runs in this network namespace", first.PID()), "network namespace of its own"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{p.lvsd.Binary, "run", "--config", p.config, "--state-dir", filepath.Join(h.Dir, tt.state)}, tt.args...)
			second, err := h.Start("second", args...)
			p.must(err)
			p.wantExit(t, 1, second, tt.words...)
		})
	}
	if w := tap.writes(t); len(w) > 0 {
		t.Errorf("the second daemon wrote %v, want nothing", w)
	}
	if s := p.mustStatus(0); s.PID != first.PID() || !s.Ready || s.Keeper.Restarts > 0 {
		t.Errorf("the first daemon: process %d, ready %v, %d restarts of the keeper; want %d, true and none", s.PID, s.Ready, s.Keeper.Restarts, first.PID())
	}
	p.waitHolder(0, cluster.VIP)
}
