package integration

import (
	"os"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// TestAKernelWithoutIPVS runs where the lab's kernel does not: on the kernel
// at hand, if that has no IPVS.
func TestAKernelWithoutIPVS(t *testing.T) {
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		t.Skip("this kernel has IPVS")
	}
	lvsd := cluster.LVSD{Binary: cluster.Binary(t)}
	c := cluster.Start(t)
	p := &pair{Cluster: c, t: t, lvsd: lvsd}
	h := c.Directors[0]
	if err := lvsd.Configure(h, cluster.NewSetup()); err != nil {
		t.Fatal(err)
	}
	t.Run("a virtual service: exit 1, naming the module", func(t *testing.T) {
		d, err := lvsd.Start(h)
		if err != nil {
			t.Fatal(err)
		}
		p.wantExit(t, 1, d, "modprobe ip_vs")
	})
	t.Run("routers alone run without it", func(t *testing.T) {
		if err := os.Remove(lvsd.ConfigPath(h) + "/web.hcl"); err != nil {
			t.Fatal(err)
		}
		d, err := lvsd.Start(h)
		if err != nil {
			t.Fatal(err)
		}
		p.waitHolder(0, cluster.VIP)
		if err := d.Stop(patience); err != nil {
			t.Error(err)
		}
	})
}
