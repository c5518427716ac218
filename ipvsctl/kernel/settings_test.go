//go:build linux

package kernel

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/ipvsctl"
)

func TestSettingsOnTheWire(t *testing.T) {
	daemons := []ipvsctl.SyncDaemon{
		{Role: ipvsctl.SyncMaster, Interface: "eth1", ID: 7, MaxLength: 1400, Group: netip.MustParseAddr("224.0.0.99"), Port: 9000, TTL: 3},
		{Role: ipvsctl.SyncBackup, Interface: "eth1.7", Group: netip.MustParseAddr("ff02::51")},
	}
	interrupted := false // the kernel has no answer
	w := &wire{answer: func(requests []netlink.Message) [][]netlink.Message {
		r := requests[0]
		switch r.Data[0] {
		case cmdGetDaemon:
			return dump(r, encodeDaemon(cmdNewDaemon, daemons[0]), encodeDaemon(cmdNewDaemon, daemons[1]))
		case cmdGetConfig:
			var body request
			body.command(cmdSetConfig)
			body.uint32(attrTimeoutTCP, 900)
			body.uint32(attrTimeoutTCPFin, 120)
			body.uint32(attrTimeoutUDP, 300)
			return [][]netlink.Message{{{Header: r.Header, Data: body}}}
		case cmdGetInfo:
			var body request
			body.command(cmdGetInfo)
			body.uint32(infoVersion, 0x010201)
			body.uint32(infoSize, 4096)
			return [][]netlink.Message{{{Header: r.Header, Data: body}}}
		case cmdNewDaemon:
			return [][]netlink.Message{ack(r, unix.EEXIST)}
		case cmdDelDaemon:
			if interrupted {
				return [][]netlink.Message{{{Header: requests[1].Header, Data: encodeDaemon(cmdGetInfo, ipvsctl.SyncDaemon{})}}}
			}
			return [][]netlink.Message{ack(r, unix.ESRCH), ack(requests[1], 0)}
		case cmdSetConfig:
			return [][]netlink.Message{ack(r, unix.EPERM)}
		}
		return nil
	}}
	c := open(t, w)
	got, err := c.Daemons(t.Context())
	if err != nil || len(got) != 2 || got[0] != daemons[0] || got[1] != daemons[1] {
		t.Errorf("the sync daemons: %+v, error %v, want %+v", got, err, daemons)
	}
	if got, err := c.Timeouts(t.Context()); err != nil || got != (ipvsctl.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}) {
		t.Errorf("the timeouts: %+v, error %v", got, err)
	}
	if got, err := c.Info(t.Context()); err != nil || got.String() != "1.2.1" || got.Size != 4096 {
		t.Errorf("the version: %v %+v, error %v", got, got, err)
	}
	if err := c.StartDaemon(t.Context(), daemons[0]); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second daemon: %v", err)
	}
	if err := c.StopDaemon(t.Context(), ipvsctl.SyncBackup); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("stopping what does not run: %v", err)
	}
	interrupted = true
	if err := c.StopDaemon(t.Context(), ipvsctl.SyncBackup); err != nil {
		t.Errorf("stopping what has not run yet: %v", err)
	}
	if err := c.SetTimeouts(t.Context(), ipvsctl.Timeouts{UDP: 7}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("without the capability: %v", err)
	}
}

// Whatever a message about a sync daemon holds, decoding it ends.
func FuzzDecodeDaemon(f *testing.F) {
	f.Add([]byte(encodeDaemon(cmdNewDaemon, ipvsctl.SyncDaemon{Role: ipvsctl.SyncMaster, Interface: "eth0", Group: netip.MustParseAddr("224.0.0.81")})))
	f.Add([]byte{9, 1, 0, 0, 8, 0, 3, 0x80, 5, 0, 5, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeDaemon(body)
		if err != nil {
			return
		}
		if got, err := decodeDaemon(encodeDaemon(cmdNewDaemon, d)); err != nil || got != d {
			t.Errorf("%+v became %+v, error %v", d, got, err)
		}
	})
}
