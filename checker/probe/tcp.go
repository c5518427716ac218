package probe

import (
	"context"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.TCP{}, compileTCP) }

// compileTCP returns the run that passes when a connection is established.
func compileTCP(*Prober, checker.TCP) (run, error) {
	return func(ctx context.Context, t checker.Target) error {
		c, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), true)
		if err != nil {
			return err
		}
		return c.Close()
	}, nil
}
