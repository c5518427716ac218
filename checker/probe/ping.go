package probe

import (
	"context"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Ping{}, compilePing) }

// compilePing returns the run that passes when an ICMP echo request is
// answered.
func compilePing(p *Prober, _ checker.Ping) (run, error) {
	return func(ctx context.Context, t checker.Target) error {
		if t.Addr.Is4() {
			return p.ping4.ping(ctx, t.Addr)
		}
		return p.ping6.ping(ctx, t.Addr)
	}, nil
}
