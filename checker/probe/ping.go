package probe

import (
	"context"
	"errors"
	"syscall"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Ping{}, compilePing) }

// compilePing returns the run that passes when an ICMP echo request is
// answered.
func compilePing(p *Prober, o checker.Ping) (run, error) {
	return func(ctx context.Context, t checker.Target) (found, error) {
		pinger := &p.ping6
		if t.Addr.Is4() {
			pinger = &p.ping4
		}
		err := pinger.ping(ctx, t.Addr)
		if o.OwnRoute && unreachable(err) {
			return found{}, errNoRoute
		}
		return found{}, err
	}, nil
}

var errNoRoute = errors.New("this director has no route to it")

// unreachable reports whether the kernel knows no way to an address.
func unreachable(err error) bool {
	for _, errno := range []error{syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
