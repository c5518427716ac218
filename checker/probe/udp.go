package probe

import (
	"context"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.UDP{}, compileUDP) }

// compileUDP returns the run that passes unless a datagram is refused, or where it is
// answered as expected.
func compileUDP(_ *Prober, o checker.UDP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	expect, err := compileExpect(o.Expect)
	return func(ctx context.Context, t checker.Target) (found, error) {
		answer, err := exchange(ctx, netip.AddrPortFrom(t.Addr, t.Port), o.Send, anything)
		switch {
		case !o.Reply && isTimeout(err):
			return found{}, nil // Nobody has said that nobody listens.
		case err != nil || o.Expect.Empty():
			return found{}, err
		}
		_, err = expect.met(answer, true)
		return found{}, err
	}, err
}
