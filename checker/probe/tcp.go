package probe

import (
	"context"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

// probeTCP passes when a connection is established.
func probeTCP(ctx context.Context, t checker.Target) error {
	c, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), true)
	if err != nil {
		return err
	}
	return c.Close()
}
