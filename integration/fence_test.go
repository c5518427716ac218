package integration

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// fencing is a router whose new Master fences the one before it, in half a second.
const fencing = `
virtual_router "outside" {
  interface       = "eth0"
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]
  on "master" {
    run    = ["HOOKS/fence", "HOOKS/${node.name}"]
    before = true
  }
}
`

// fence notes whom it fences, and whether this director has the address by then.
const fence = `#!/bin/sh
echo "fences $LVSD_PEER" >>"$1"
ip address show | grep -q 10.13.0.200 && echo "has the address already" >>"$1"
sleep 0.5
touch "$1.done"
`

// TestAMasterThatFellSilentIsFencedFirst hands over in peace, which fences nobody, and then
// stops all processes of the Master, which then says nothing and keeps the address: the other
// director fences it before it says a word, or takes the address.
func TestAMasterThatFellSilentIsFencedFirst(t *testing.T) {
	if cluster.InLab() {
		t.Skip("needs no IPVS")
	}
	t.Parallel()
	c := cluster.Start(t)
	p := &pair{Cluster: c, t: t, config: filepath.Join(c.Dir, "etc"), lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}
	p.lvsd.Config = p.config
	p.must(os.Mkdir(p.config, 0o755))
	p.must(os.WriteFile(filepath.Join(p.config, "fence"), []byte(fence), 0o755))
	p.write("director.hcl", strings.ReplaceAll(fencing, "HOOKS", p.config))

	p.start(0)
	p.waitHolder(0, cluster.VIP)
	p.start(1)
	p.until("it to hear its Master", func() (bool, error) {
		s, err := p.status(1)
		return err == nil && s.Routers[0].Master.IsValid(), nil
	})
	if out, err := p.order(0, "failover"); err != nil || !strings.Contains(out, "outside: handed over to ") {
		t.Fatalf("failover: %v\n%s", err, out)
	}
	p.waitHolder(1, cluster.VIP)
	if fenced := p.fenced(0) + p.fenced(1); fenced != "" {
		t.Fatalf("a director that handed over, or was not there yet, was fenced: %s", fenced)
	}

	adverts, err := cluster.StartCapture(p.Directors[1], "eth0", unix.ETH_P_IP)
	p.must(err)
	t.Cleanup(adverts.Close)
	p.must(p.Directors[1].SignalAll(syscall.SIGSTOP))
	p.until("the other director to take over", func() (bool, error) { return p.Directors[0].Holds(cluster.VIP) })
	if got, want := p.fenced(0), "fences 10.13.0.16\n"; got != want {
		t.Errorf("the program of fencing noted %q, want %q", got, want)
	}
	done, err := os.Stat(filepath.Join(p.config, "lvs1.done"))
	p.must(err)
	time.Sleep(100 * time.Millisecond)
	heard := 0
	p.must(adverts.Each(func(at time.Time, packet []byte) {
		if _, ok := cluster.VRID(packet); !ok {
			return
		}
		if heard++; at.Before(done.ModTime()) {
			t.Errorf("an advert was sent %v before the program of fencing had ended", done.ModTime().Sub(at))
		}
	}))
	if heard == 0 {
		t.Error("no advert was heard")
	}
}

// fenced is what the program of fencing noted on director i.
func (p *pair) fenced(i int) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.config, p.Directors[i].Name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	return string(text)
}
