package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/lvsd/lvsd/checker"
)

// A Prober probes over the network of the network namespace that it runs in.
type Prober struct {
	http  plans
	ping4 pinger
	ping6 pinger
}

var _ checker.Prober = (*Prober)(nil)

// New returns a Prober. It opens no socket before a probe needs it.
func New() *Prober {
	return &Prober{
		http:  newPlans(),
		ping4: pinger{family: ipv4Echo},
		ping6: pinger{family: ipv6Echo},
	}
}

// Close gives back what the Prober keeps open between probes: the sockets for
// ping. Call it when no probe is in flight any more.
func (p *Prober) Close() error {
	p.ping4.close()
	p.ping6.close()
	return nil
}

// Probe runs one probe, as the target's Spec says. The deadline of ctx is that
// of the whole probe; one without a deadline may last for ever.
func (p *Prober) Probe(ctx context.Context, t checker.Target) checker.Result {
	if !t.Addr.IsValid() {
		return verdict(ctx, t, notRun(errors.New("the target has no address")))
	}
	t.Addr = t.Addr.Unmap()
	switch spec := t.Spec.(type) {
	case checker.TCP:
		return verdict(ctx, t, probeTCP(ctx, t))
	case checker.HTTP:
		return verdict(ctx, t, p.probeHTTP(ctx, t, spec))
	case checker.Ping:
		return verdict(ctx, t, p.probePing(ctx, t))
	default:
		return verdict(ctx, t, notRun(fmt.Errorf("this version has no check of kind %T", t.Spec)))
	}
}
