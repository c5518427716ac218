package keeper

import (
	"maps"
	"strings"
	"testing"
)

// As Linux 6.1 prints them.
const raw = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  112: 00000000:0070 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41234 2 0000000000000000 0
    1: 0100007F:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41235 2 0000000000000000 0
`

const raw6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  112: 00000000000000000000000000000000:0070 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41236 2 0000000000000000 0
  112: cut short
`

func TestOnlyRawSocketsOfVRRPCount(t *testing.T) {
	got := make(map[uint64]bool)
	rawSockets(strings.NewReader(raw), 112, got)
	rawSockets(strings.NewReader(raw6), 112, got)
	if want := map[uint64]bool{41234: true, 41236: true}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
