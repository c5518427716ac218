//go:build linux

package kernel

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/netlinktest"
)

// DialBy is Dial by a way on which exchanges go wrong.
func DialBy(w *netlinktest.Wire) (*Conn, error) {
	return dialWith(func() (*netlink.Conn, error) { return w.Dial(unix.NETLINK_GENERIC) })
}
