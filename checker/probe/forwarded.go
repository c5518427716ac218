package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
)

// A Forwarder knows how the kernel forwards packets to real servers.
type Forwarder interface {
	// Mark returns the firewall mark of the packets that the kernel forwards to one real
	// server by a path; an error says why there is none at this moment. It returns when
	// ctx is done at the latest.
	Mark(ctx context.Context, server netip.Addr, f checker.Forwarding) (uint32, error)
	// Deaf returns why this director would not hear what a real server answers from a
	// virtual address; nil: it would, as far as is known.
	Deaf(virtual, server netip.Addr) error
}

// hops is how many networks a packet crosses to a server by direct routing: IPVS counts
// as a router, and the server must not be able to pass on what it does not take.
const hops = 2

// forwarded returns the probe that asks a server at the virtual address, by the path that
// clients' packets take. It is NotRun unless the kernel forwards to this server alone:
// any other packet to the virtual address would be answered by whatever server serves.
func forwarded(f Forwarder, v checker.Via, probe func(context.Context, checker.Target) (found, error)) func(context.Context, checker.Target) (found, error) {
	return func(ctx context.Context, t checker.Target) (found, error) {
		server := t.Addr
		by, err := pathTo(ctx, f, v, server)
		if err != nil {
			return found{}, notRun(err)
		}
		t.Addr = v.Forwarded.Virtual
		seen, err := probe(withForwarded(ctx, by), t)
		if verdict(ctx, t, err).Silent {
			if deaf := f.Deaf(t.Addr, server); deaf != nil {
				return seen, notRun(deaf)
			}
		}
		return seen, err
	}
}

// pathTo returns the way of a probe's packets to one server at the virtual address.
func pathTo(ctx context.Context, f Forwarder, v checker.Via, server netip.Addr) (by *checker.Via, err error) {
	if f == nil {
		return nil, errors.New("nothing is forwarded here")
	}
	if v.Mark, err = f.Mark(ctx, server, v.Forwarded); err != nil {
		return nil, err
	}
	switch {
	case v.TTL != 0:
		v.TTL = min(v.TTL, 254) + 1
	case v.Forwarded.Method == checker.Direct:
		v.TTL = hops
	}
	if !v.Source.IsValid() {
		// The kernel would choose the virtual address itself where this director has it.
		if v.Source, err = sourceOf(netip.AddrPortFrom(server, 1)); err != nil {
			return nil, fmt.Errorf("finding this director's address towards %v: %w", server, err)
		}
	}
	if v.Source == v.Forwarded.Virtual {
		return nil, fmt.Errorf("this director reaches %v from the virtual address alone, to which no server can send an answer: give the check a source", server)
	}
	if t := tracerOf(ctx); t != nil {
		t("forwarded", fmt.Sprintf("by the kernel's IPVS (%s) to %v alone, with the firewall mark %d", v.Forwarded.Method, server, v.Mark))
	}
	return &v, nil
}
