package probe

import (
	"context"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Handshake{}, compileHandshake) }

// compileHandshake returns the run that passes when TLS is negotiated with a
// certificate as it should be.
func compileHandshake(p *Prober, o checker.Handshake) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	client := newTLS(p.authorities, o.TLS, "")
	return func(ctx context.Context, t checker.Target) (found, error) {
		plain, err := dial(ctx, netip.AddrPortFrom(t.Addr, t.Port), false)
		if err != nil {
			return found{}, err
		}
		defer plain.Close()
		secure, seen, err := client.handshake(ctx, plain, t.Addr)
		if err == nil {
			plain.part(ctx, secure, nil)
		}
		return seen, err
	}, nil
}
