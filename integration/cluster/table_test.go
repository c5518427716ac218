package cluster

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A table as Linux 6.1 prints it.
const procTable = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A0D00C8:0050 wrr persistent 300 FFFFFFFF
  -> C0A80202:0050      Masq    0      0          0
  -> C0A80104:0050      Masq    3      0          7
TCP  [2001:0db8:0013:0000:0000:0000:0000:0200]:0050 wrr
  -> [2001:0db8:0001:0000:0000:0000:0000:0004]:0050      Masq    3      0          0
`

func TestParseWeights(t *testing.T) {
	got, err := parseWeights(procTable)
	if err != nil {
		t.Fatal(err)
	}
	want := map[netip.AddrPort]int{
		netip.MustParseAddrPort("192.168.2.2:80"):     0,
		netip.MustParseAddrPort("192.168.1.4:80"):     3,
		netip.MustParseAddrPort("[2001:db8:1::4]:80"): 3,
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	if _, err := parseWeights("  -> C0A802:0050      Masq    1      0          0\n"); err == nil {
		t.Error("a short address was read")
	}
}
