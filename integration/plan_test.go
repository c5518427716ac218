package integration

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// TestAPlanOnARealKernel plans a change, by which a connection would be cut that is open,
// and makes it. A dry run beside the daemon says what it would do, and does nothing.
func TestAPlanOnARealKernel(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startAlone()
	p.waitHolder(0, cluster.VIP)
	p.keepAlive() // to web1
	tap := p.tap(0)
	tap.writes(t)
	if plan := p.plan(); plan.Differences {
		t.Errorf("the files are those that run, and the plan has %+v", plan)
	}
	p.write("web.hcl", atOnce(strings.NewReplacer("192.168.1.4", "192.168.1.99", "weight  = 1", "weight  = 2").Replace(web)))
	plan := p.plan()
	if plan.Established != 1 || len(plan.Changes) == 0 {
		t.Errorf("the plan is %+v; want one established connection to be cut", plan)
	}
	if w := tap.writes(t); len(w) > 0 {
		t.Errorf("the plan wrote %v", w)
	}

	before, h := p.table(0), p.Directors[0]
	socket := filepath.Join(h.Dir, "dry.sock")
	dry, err := h.Start("dry", p.lvsd.Binary, "run", "--dry-run", "--config", p.config, "--socket", socket)
	p.must(err)
	p.until("the dry run to know all", func() (bool, error) {
		out, err := h.Run(context.Background(), p.lvsd.Binary, "status", "--socket", socket, "-o", "json")
		st := new(api.Status)
		return err == nil && json.Unmarshal([]byte(out), st) == nil && st.Ready && strings.Contains(dry.Log(), "would write to the IPVS table: ipvsadm "+plan.Table[0].Command), nil
	})
	p.must(dry.Signal(syscall.SIGTERM))
	p.wantExit(t, 0, dry, "dry_run=true")
	if w := tap.writes(t); len(w) > 0 || p.table(0) != before {
		t.Errorf("the dry run wrote %v; the table was\n%s\nand is\n%s", w, before, p.table(0))
	}
	if holds, err := h.Holds(cluster.VIP); err != nil || !holds {
		t.Errorf("after the dry run, the Master's address: %v, %v", holds, err)
	}
	p.reload(0)
	if plan := p.plan(); len(plan.Changes) > 0 || len(plan.Table) > 0 {
		t.Errorf("after the reload, a plan still has %+v", plan)
	}
}

// plan asks the first director for a plan, as a script would.
func (p *pair) plan() *api.Plan {
	p.t.Helper()
	out, _ := p.Directors[0].Run(p.t.Context(), p.lvsd.Binary, "plan", "-o", "json") // It exits with 4 if something differs.
	plan := new(api.Plan)
	if err := json.Unmarshal([]byte(out), plan); err != nil || !plan.OK {
		p.t.Fatalf("the plan: %v: %s", err, out)
	}
	return plan
}
