package ipvsctl

import (
	"net/netip"
	"testing"
)

func TestSyncDaemonsAsText(t *testing.T) {
	for _, tt := range []struct {
		text string
		want SyncDaemon
	}{
		{"eth1 id=0", SyncDaemon{Role: SyncBackup, Interface: "eth1"}},
		{"eth1 id=51 group=224.0.0.81 port=8848 ttl=1 length=1472",
			SyncDaemon{Role: SyncBackup, Interface: "eth1", ID: 51, MaxLength: 1472, Group: netip.MustParseAddr("224.0.0.81"), Port: 8848, TTL: 1}},
		{"bond0.7 id=255 group=ff02::81 ttl=255", SyncDaemon{Role: SyncBackup, Interface: "bond0.7", ID: 255, Group: netip.MustParseAddr("ff02::81"), TTL: 255}},
	} {
		if got := tt.want.String(); got != tt.text {
			t.Errorf("%+v is written %q, want %q", tt.want, got, tt.text)
		}
		if got, err := ParseSyncDaemon(SyncBackup, tt.text); err != nil || got != tt.want {
			t.Errorf("%q is read as %+v, %v", tt.text, got, err)
		}
	}
	for _, bad := range []string{"", "eth1 id=256", "eth1 id", "eth1 group=224", "eth1 port=70000", "eth1 wings=2"} {
		if d, err := ParseSyncDaemon(SyncMaster, bad); err == nil {
			t.Errorf("%q is read as %+v", bad, d)
		}
	}
}
