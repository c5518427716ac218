package probe

import (
	"context"

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
		plain, secure, seen, err := connect(ctx, t, client)
		if err != nil {
			return seen, err
		}
		defer plain.Close()
		if seen.asked {
			return seen, accepted(plain, secure, nil)
		}
		plain.part(ctx, secure, nil)
		return seen, nil
	}, nil
}
