//go:build linux

package kernel_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/netnstest"
	"github.com/lvsd/lvsd/ipvsctl"
)

func TestRealTimeouts(t *testing.T) {
	c := dial(t)
	before, err := c.Timeouts(ctx)
	if err != nil || before.TCP == 0 || before.TCPFin == 0 || before.UDP == 0 {
		t.Fatalf("the kernel's own timeouts: %+v, error %v", before, err)
	}
	if err := c.SetTimeouts(ctx, ipvsctl.Timeouts{TCP: 7200, UDP: 77}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Timeouts(ctx); err != nil || got != (ipvsctl.Timeouts{TCP: 7200, TCPFin: before.TCPFin, UDP: 77}) {
		t.Errorf("after setting two of three: %+v, error %v", got, err)
	}
	if info, err := c.Info(ctx); err != nil || !strings.HasPrefix(info.String(), "1.2.") || info.Size == 0 {
		t.Errorf("the version: %v %+v, error %v", info, info, err)
	}
}

func TestRealSyncDaemons(t *testing.T) {
	c := dial(t)
	for _, line := range []string{"ip link add sync0 type dummy", "ip addr add 192.0.2.9/24 dev sync0", "ip link set sync0 up"} {
		netnstest.Run(t, line)
	}
	if got, err := c.Daemons(ctx); err != nil || len(got) > 0 {
		t.Errorf("at first: %+v, error %v", got, err)
	}
	want := []ipvsctl.SyncDaemon{
		{Role: ipvsctl.SyncMaster, Interface: "sync0", ID: 7, MaxLength: 1200, Group: netip.MustParseAddr("224.0.0.99"), Port: 9000, TTL: 3},
		{Role: ipvsctl.SyncBackup, Interface: "sync0", ID: 8, Group: netip.MustParseAddr("224.0.0.81"), Port: 8848, TTL: 1},
	}
	for _, d := range want {
		if d.Role == ipvsctl.SyncBackup {
			d = ipvsctl.SyncDaemon{Role: d.Role, Interface: d.Interface, ID: d.ID} // the rest is the kernel's choice
		}
		if err := c.StartDaemon(ctx, d); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Daemons(ctx)
	if err != nil || len(got) != 2 {
		t.Fatalf("both run: %+v, error %v", got, err)
	}
	want[1].MaxLength = got[1].MaxLength // that of the interface
	if got[0] != want[0] || got[1] != want[1] || got[1].MaxLength == 0 {
		t.Errorf("both run: %+v, want %+v", got, want)
	}
	if err := c.StartDaemon(ctx, want[0]); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second master: %v", err)
	}
	for _, role := range []ipvsctl.SyncRole{ipvsctl.SyncMaster, ipvsctl.SyncBackup} {
		if err := c.StopDaemon(ctx, role); err != nil {
			t.Error(err)
		}
		if err := c.StopDaemon(ctx, role); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stopping %v again: %v", role, err)
		}
	}
	if err := c.StartDaemon(ctx, ipvsctl.SyncDaemon{Role: ipvsctl.SyncMaster, Interface: "nosuch0"}); err == nil || !strings.Contains(err.Error(), "nosuch0") {
		t.Errorf("on an interface that does not exist: %v", err)
	}
}
