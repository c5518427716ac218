package daemon

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// "It said that it may not make /run/lvsd. Should I make that?"
func TestWithoutCapabilitiesItSaysSo(t *testing.T) {
	const both = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	for _, tt := range []struct {
		effective uint32
		want      string
	}{
		{both, ""},
		{^uint32(0), ""},
		{0, "lacks NET_ADMIN and NET_RAW: run it as root"},
		{^uint32(1 << unix.CAP_NET_RAW), "lacks NET_RAW: run it as root"},
		{1 << unix.CAP_NET_RAW, "lacks NET_ADMIN: run it as root"},
	} {
		err := lacking(tt.effective)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with %#x: %v, want %q", tt.effective, err, tt.want)
		}
	}
}
