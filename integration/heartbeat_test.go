package integration

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/importer/convert"
)

// TestTheAddressesComeFromHeartbeatAndGoBack walks the way of lvsd-import(7) from a pair of
// Heartbeat to a pair of lvsd with what is imported of Heartbeat's files, and back, while the
// client asks all the time. It runs on
// the kernel at hand: there is no service, and Heartbeat's scripts start a hundred
// processes for an address, each of which takes 70 ms in user-mode Linux.
func TestTheAddressesComeFromHeartbeatAndGoBack(t *testing.T) {
	if cluster.InLab() {
		t.Skip("takes minutes on a slow kernel")
	}
	if _, err := exec.LookPath("cl_status"); err != nil {
		t.Skip("needs Heartbeat")
	}
	t.Parallel()
	setup := cluster.NewSetup()
	setup.Servers = nil
	w := &walk{pair: &pair{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}, setup: setup}
	for i := range w.Directors {
		w.launch(i, w.heartbeat, setup)
	}
	w.waitSettled(0)
	w.waitSettled(1)
	w.waitHolder(0, cluster.VIP)
	var err error
	w.echo, err = cluster.StartEcho(w.Client, cluster.VIP)
	w.must(err)
	defer func() { w.must(w.echo.Stop()) }()
	other, err := w.Directors[1].Start("monitor", "ip", "monitor", "address")
	w.must(err)

	w.step("Heartbeat is stopped on the Backup", func() { w.must(w.daemons[1].Stop(leisure)) })
	heartbeat := w.daemons[0]
	w.step("lvsd is started on the Master, beside Heartbeat", func() { w.launch(0, imported{w.lvsd}, setup); w.waitMaster(0) })
	if e := w.examined(w.Directors[0])["second-daemon"]; e.State != api.Wrong || !strings.HasPrefix(e.Findings[0].Text, "heartbeat runs") {
		t.Errorf("beside Heartbeat, lvsd doctor says %+v", e)
	}
	w.step("Heartbeat is stopped on the Master", func() { w.must(heartbeat.Stop(leisure)) })
	if e := w.examined(w.Directors[0])["second-daemon"]; e.State != api.Fine {
		t.Errorf("after Heartbeat has ended, lvsd doctor says %+v", e)
	}
	w.step("lvsd is started on the Backup", func() { w.launch(1, imported{w.lvsd}, setup); w.waitBackup(1) })

	w.step("back: lvsd is stopped on the Backup", func() { w.must(w.daemons[1].Stop(patience)) })
	w.step("lvsd is stopped on the Master, and the addresses are added", func() {
		w.must(w.daemons[0].Stop(patience))
		w.run(0, "ip", "address", "add", "10.13.0.200/24", "brd", "+", "dev", "eth0", "label", "eth0:0")
		w.run(0, "ip", "address", "add", "192.168.1.254/24", "brd", "+", "dev", "eth1", "label", "eth1:0")
		w.run(0, "ip", "address", "add", "192.168.2.254/24", "brd", "+", "dev", "eth1", "label", "eth1:1")
	})
	w.step("Heartbeat is started on the Master", func() { w.launch(0, w.heartbeat, setup); w.waitSettled(0) })
	w.step("Heartbeat is started on the Backup", func() { w.launch(1, w.heartbeat, setup); w.waitSettled(1) })

	if log := other.Log(); strings.Contains(log, cluster.VIP.String()) {
		t.Errorf("two directors held the address:\n%s", log)
	}
	// Heartbeat knows them as its own: it lets them go, and the other one has them.
	w.must(w.daemons[0].Stop(leisure))
	w.waitHolder(1, cluster.VIP)
	w.waitHolder(1, cluster.Gateways[0])
}

// imported is lvsd with what is imported of the files that Heartbeat has on the director.
type imported struct{ cluster.LVSD }

// Configure imports them. Nothing of them may be lost.
func (l imported) Configure(h *cluster.Host, _ cluster.Setup) error {
	r := convert.Request{Program: "heartbeat", Host: h.Name}
	for _, name := range []string{"ha.cf", "haresources", "authkeys"} {
		r.Files = append(r.Files, filepath.Join(h.Dir, "ha.d", name))
	}
	im, err := convert.Read(r)
	if err != nil {
		return err
	}
	if im.Lossy(false) {
		return fmt.Errorf("something of Heartbeat's is lost: %+v", im.Losses)
	}
	_, err = im.Write(l.ConfigPath(h), true)
	return err
}

// leisure is how long Heartbeat may take, which waits for ten seconds before it takes its
// resources.
const leisure = time.Minute

// A walk is a pair whose directors change their software, while the client sends echo
// requests.
type walk struct {
	*pair
	setup     cluster.Setup
	heartbeat cluster.Heartbeat
	echo      *cluster.Echo
}

// waitSettled waits until Heartbeat on director i has what it is to have.
func (w *walk) waitSettled(i int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), leisure)
	defer cancel()
	w.must(cluster.Until(ctx, "Heartbeat on "+w.Directors[i].Name+" to have its resources", func() (bool, error) {
		// It cannot be asked yet, or has ended.
		got, _ := w.heartbeat.Resources(ctx, w.Directors[i])
		return slices.Contains([]string{"all", "local", "none"}, got), w.daemons[i].Ended()
	}))
}

// waitMaster waits until lvsd on director i is Master.
func (w *walk) waitMaster(i int) {
	w.t.Helper()
	w.until(w.Directors[i].Name+" to be Master", func() (bool, error) {
		s, err := w.status(i)
		return err == nil && len(s.Routers) == 1 && s.Routers[0].State == api.Master, nil
	})
}

// step takes a step, after which the first director holds the addresses, and which the
// client hardly notices.
func (w *walk) step(what string, take func()) {
	w.t.Helper()
	const bearable = time.Second
	begin := time.Now()
	take()
	taken := time.Now()
	w.waitHolder(0, cluster.VIP)
	for _, a := range w.setup.Gateways {
		w.waitHolder(0, a.Addr())
	}
	// By then all that was asked before has an answer, or none.
	w.until("the client to get answers", func() (bool, error) { return w.echo.Answered(taken.Add(200 * time.Millisecond)), nil })
	gap := w.echo.Gap(begin)
	if gap > bearable {
		w.t.Errorf("%s: the address did not answer for %v, want at most %v", what, gap, bearable)
	}
	w.t.Logf("%s: took %v, no answers for %v", what, taken.Sub(begin).Round(10*time.Millisecond), gap.Round(time.Millisecond))
}
