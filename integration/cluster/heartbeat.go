package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Heartbeat is Debian's Heartbeat, which has the virtual addresses without VRRP. One
// that cannot release an address reboots its machine, so here it runs without the
// capability to.
type Heartbeat struct{}

var _ Software = Heartbeat{}

// ownFolders gives a director an /etc/ha.d in the folder $0 and a state of its own, and
// makes what systemd-tmpfiles does.
const ownFolders = `[ ! -e "$0/ha.d" ] || exit 0
cp -a /etc/ha.d "$0"
mount --bind "$0/ha.d" /etc/ha.d
mount -t tmpfs heartbeat /var/lib/heartbeat
mkdir -p /run/lock/subsys /run/resource-agents
install -d -m 750 -o hacluster -g haclient /run/heartbeat /run/heartbeat/ccm /run/heartbeat/crm /run/heartbeat/dopd`

// ServicePath is haresources, which has everything that Heartbeat starts.
func (Heartbeat) ServicePath(h *Host) string { return filepath.Join(h.Dir, "ha.d", "haresources") }

// Configure writes ha.cf, authkeys and haresources.
func (b Heartbeat) Configure(h *Host, s Setup) error {
	_, err := h.Run(context.Background(), "sh", "-ec", ownFolders, h.Dir)
	for name, text := range map[string]string{
		"authkeys": "auth 1\n1 crc\n", "ha.cf": s.HeartbeatRouter(), "haresources": s.HeartbeatResources(),
	} {
		if err == nil {
			err = os.WriteFile(filepath.Join(h.Dir, "ha.d", name), []byte(text), 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("configuring Heartbeat for %s: %w", h.Name, err)
	}
	return nil
}

// Start starts Heartbeat as its unit does.
func (Heartbeat) Start(h *Host) (*Process, error) {
	return h.Start("heartbeat", "setpriv", "--bounding-set=-sys_boot", "/usr/libexec/heartbeat/heartbeat", "-f")
}

// Resources says which resources Heartbeat has on the director: "all", "local" for its
// own, "none", or "transition" while that is not settled. Before it can be asked, that
// is an error.
func (Heartbeat) Resources(ctx context.Context, h *Host) (string, error) {
	out, err := h.Run(ctx, "cl_status", "rscstatus")
	return strings.TrimSpace(out), err
}

// HeartbeatRouter is ha.cf, the same for both directors. It leaves alone what is the
// whole machine's.
func (s Setup) HeartbeatRouter() string {
	const unit = time.Millisecond
	return fmt.Sprintf("keepalive %dms\nwarntime %dms\ndeadtime %dms\ninitdead %dms\n",
		s.Advert/4/unit, 2*s.Advert/unit, 3*s.Advert/unit, 4*s.Advert/unit) +
		"bcast eth0\nauto_failback on\ncrm off\nnode lvs1 lvs2\n" +
		"use_logd off\nlogfile /run/ha.log\ncoredumps off\nrealtime off\n"
}

// HeartbeatResources is haresources: the addresses are lvs1's. The first ones are
// written as Heartbeat's own manual has them, for the agent IPaddr, and the gateways
// for IPaddr2.
func (s Setup) HeartbeatResources() string {
	var b strings.Builder
	b.WriteString("lvs1")
	for _, a := range s.Addresses {
		fmt.Fprintf(&b, " %s/eth0", a)
	}
	for _, g := range s.Gateways {
		fmt.Fprintf(&b, " IPaddr2::%s/eth1", g)
	}
	b.WriteString("\n")
	return b.String()
}
