package modules

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
)

// everything is a configuration of all that lvsd makes of IPVS.
const everything = `
director {
  connection_sync {
    router    = "outside"
    interface = "eth1"
    id        = 7
  }
  ipvs {
    udp_timeout        = "77s"
    expire_nodest_conn = true
  }
}
virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]
}
virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  forward   = "nat"
  scheduler = "wrr"
  check "none" {}
  real_server "192.168.1.4" { weight = 3 }
  real_server "192.168.1.5" {}
}
`

// ruined is a director that has IPVS taken away.
type ruined struct {
	*cluster.Cluster
	t    *testing.T
	lvsd cluster.LVSD
	at   *cluster.Host
}

// IPVS is taken out of the kernel while lvsd runs, and cannot be loaded for some seconds: the
// virtual router goes on, the failures are counted by their kind, and once IPVS is there again
// it is as it was. At the end everything is given back.
func TestIPVSLeavesTheKernelAndComesBack(t *testing.T) {
	if !cluster.InQEMU() {
		t.Skip("needs a kernel of the lab's alone that has IPVS as a module: make integration KERNEL=qemu")
	}
	config := t.TempDir()
	if err := os.WriteFile(filepath.Join(config, "lvsd.hcl"), []byte(everything), 0o644); err != nil {
		t.Fatal(err)
	}
	r := &ruined{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t), Config: config}}
	r.at = r.Directors[0]
	if out, err := exec.Command("modprobe", "ip_vs").CombinedOutput(); err != nil {
		t.Fatalf("modprobe ip_vs: %v: %s", err, out)
	}
	untouched := r.state()
	daemon, err := r.lvsd.Start(r.at)
	if err != nil {
		t.Fatal(err)
	}
	whole := func(state string) bool {
		return strings.Count(state, "-a -t 10.13.0.200:80") == 2 && strings.Contains(state, "master sync daemon (mcast=eth1, syncid=7") &&
			strings.Contains(state, "900 120 77") && strings.Contains(state, "expire_nodest_conn = 1")
	}
	r.until("everything to be there", func() bool { return whole(r.state()) })
	before := r.state()
	blocked := r.block()
	r.unload()
	r.until("the failures to be counted", func() bool { return r.status().Table.Faults["no-ipvs"] > 0 })
	r.until("the Master to have its address without IPVS", func() bool {
		holds, err := r.at.Holds(cluster.VIP)
		return err == nil && holds && r.state() == ""
	})
	blocked()
	r.until("everything to be there again", func() bool { return r.state() == before })
	if err := daemon.Stop(time.Minute); err != nil {
		t.Error(err)
	}
	if got := r.state(); !strings.HasSuffix(got, untouched) || strings.Contains(got, "sync daemon") { // The table stays.
		t.Errorf("at the end IPVS has\n%s\nand it had\n%s", got, untouched)
	}
}

// run runs a command on the director.
func (r *ruined) run(line string) string {
	r.t.Helper()
	out, err := r.at.Run(r.t.Context(), "sh", "-c", line)
	if err != nil {
		r.t.Fatalf("%s: %v", line, err)
	}
	return out
}

// state is what IPVS has, as others tell of it; empty: the kernel has none.
func (r *ruined) state() string {
	r.t.Helper()
	return r.run("test ! -e /proc/net/ip_vs || { ipvsadm -Sn; ipvsadm -L --daemon; ipvsadm -L --timeout; sysctl net.ipv4.vs.expire_nodest_conn; }")
}

// until waits until something is true.
func (r *ruined) until(what string, condition func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	if err := cluster.Until(ctx, what, func() (bool, error) { return condition(), nil }); err != nil {
		r.t.Fatalf("%v; IPVS has\n%s", err, r.state())
	}
}

func (r *ruined) status() (s api.Status) {
	r.t.Helper()
	out, err := r.lvsd.Status(r.t.Context(), r.at, "-o", "json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// block keeps IPVS from being loaded, as the kernel does when it is asked for it, until it is
// called off.
func (r *ruined) block() (off func()) {
	const options = "/run/modprobe.d/lvsd-gone.conf"
	off = func() { _ = os.Remove(options) }
	r.t.Cleanup(off)
	err := os.MkdirAll(filepath.Dir(options), 0o755)
	if err == nil {
		err = os.WriteFile(options, []byte("install ip_vs /bin/false\n"), 0o644)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return off
}

// unload takes IPVS out of the kernel, faster than lvsd puts back what holds it.
func (r *ruined) unload() {
	r.t.Helper()
	r.until("IPVS to leave the kernel", func() bool {
		_, _ = r.at.Run(r.t.Context(), "sh", "-c", `for n in 1 2 3 4 5 6 7 8 9; do
			ipvsadm --stop-daemon master; ipvsadm --stop-daemon backup; ipvsadm -C
			rmmod $(ls /sys/module/ip_vs/holders) ip_vs && break
		done`)
		_, err := os.Stat("/sys/module/ip_vs")
		return os.IsNotExist(err)
	})
}
