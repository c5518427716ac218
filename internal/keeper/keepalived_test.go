package keeper_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// keepalived starts Debian's keepalived on a host, for the same router. It is
// the process itself, in a mount namespace with a /run of its own. more is what it is
// told beside.
func (h *host) keepalived(priority int, more string) (stop func()) {
	h.t.Helper()
	path, err := exec.LookPath("keepalived")
	if err != nil {
		h.t.Skip("keepalived is not installed")
	}
	dir := h.t.TempDir()
	conf := filepath.Join(dir, "keepalived.conf")
	text := fmt.Sprintf(`vrrp_instance outside {
    version 3
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int 0.1
    virtual_ipaddress { %s/24 }
    %s
}
`, priority, h.at(200), more)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command("nsenter", "-t", h.PID, "-n", "unshare", "-m", "sh", "-c",
		"mount -t tmpfs none /run && exec "+path+" -n -l -P -f "+conf)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	}
	h.t.Cleanup(func() {
		stop()
		if b, _ := os.ReadFile(log.Name()); h.t.Failed() {
			h.t.Logf("keepalived: %s", b)
		}
	})
	return stop
}

// macs are the ways in which both know the virtual address: by the interface's MAC, or
// by the virtual router's.
var macs = []struct {
	name, keepalived string
	virtual          vrrp.VirtualMAC
}{
	{"the interface's MAC", "", vrrp.VirtualMAC{}},
	{"a virtual MAC", "use_vmac", vrrp.VirtualMAC{Device: "vrrp4-51"}},
	{"a virtual MAC, adverts from the interface", "use_vmac\nvmac_xmit_base", vrrp.VirtualMAC{Device: "vrrp4-51", AdvertsFromInterface: true}},
}

func TestKeepalivedAsBackup(t *testing.T) {
	for _, mac := range macs {
		t.Run(mac.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			ours, theirs := n.host(), n.host()
			a := ours.start(lockFile(t))
			c := n.router(150)
			c.Routers[0].VirtualMAC = mac.virtual
			a.desire(c)
			wait(t, "lvsd is Master", func() bool { return a.state() == vrrp.Master && ours.holds(n.at(200)) })
			theirs.keepalived(100, mac.keepalived)
			time.Sleep(time.Second) // More than its patience.
			if theirs.holds(n.at(200)) || a.state() != vrrp.Master {
				t.Fatal("keepalived took the address from a better Master")
			}
			for reason, n := range a.report().Statuses[0].Counters.Discarded {
				if n > 0 {
					t.Errorf("%d discarded: %s", n, reason)
				}
			}
			e := newEcho(n)
			time.Sleep(100 * time.Millisecond)
			a.stop()
			wait(t, "keepalived holds the address alone", func() bool { return theirs.holds(n.at(200)) && !ours.holds(n.at(200)) })
			checkGap(t, "proper stop, keepalived takes over", e)
			wait(t, "nothing is left of lvsd", func() bool { return !strings.Contains(ours.Run("ip link show"), "vrrp4-51") })
		})
	}
}

func TestKeepalivedAsMaster(t *testing.T) {
	for _, mac := range macs {
		t.Run(mac.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			ours, theirs := n.host(), n.host()
			stop := theirs.keepalived(200, mac.keepalived)
			wait(t, "keepalived is Master", func() bool { return theirs.holds(n.at(200)) })
			a := ours.start(lockFile(t))
			c := n.router(150)
			c.Routers[0].VirtualMAC = mac.virtual
			a.desire(c)
			wait(t, "lvsd follows it", func() bool {
				return a.state() == vrrp.Backup && a.report().Statuses[0].MasterPriority == 200
			})
			stop()
			wait(t, "lvsd holds the address alone", func() bool { return a.state() == vrrp.Master && ours.holds(n.at(200)) && !theirs.holds(n.at(200)) })
			e := newEcho(n)
			time.Sleep(100 * time.Millisecond)
			theirs.keepalived(200, mac.keepalived)
			wait(t, "keepalived holds it alone", func() bool { return a.state() == vrrp.Backup && theirs.holds(n.at(200)) && !ours.holds(n.at(200)) })
			checkGap(t, "preempted by keepalived", e)
		})
	}
}

func TestKeepalivedOnTheSameMachineIsNoticed(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	h := n.host()
	a := h.start(lockFile(t))
	a.desire(n.router(150))
	wait(t, "lvsd is Master", func() bool { return a.state() == vrrp.Master && h.holds(n.at(200)) })
	stop := h.keepalived(100, "")
	took := wait(t, "keepalived is noticed", func() bool { return a.report().Others > 0 && a.told("another daemon on this machine speaks VRRP") == 1 })
	t.Logf("noticed after %s", took.Round(time.Millisecond))
	stop()
	wait(t, "and that it is gone", func() bool { return a.report().Others == 0 })
}
