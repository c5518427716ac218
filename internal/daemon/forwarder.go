package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// A forwarder tells probes by which firewall marks the kernel forwards. It reads the
// kernel's table for each of them: what others did to it a moment ago would let any server
// answer in the place of the one that is asked.
type forwarder struct {
	// conn holds the connection while nobody uses it; nil in it: there is none yet.
	conn chan *kernel.Conn
}

func newForwarder() *forwarder {
	f := &forwarder{conn: make(chan *kernel.Conn, 1)}
	f.conn <- nil
	return f
}

// Mark is part of probe.Forwarder.
func (f *forwarder) Mark(ctx context.Context, server netip.Addr, by checker.Forwarding) (uint32, error) {
	var conn *kernel.Conn
	select {
	case conn = <-f.conn:
	case <-ctx.Done():
		return 0, fmt.Errorf("waiting for the kernel's IPVS table: %w", ctx.Err())
	}
	defer func() { f.conn <- conn }()
	if conn == nil {
		var err error
		if conn, err = kernel.Dial(); err != nil {
			return 0, err
		}
	}
	path := ipvsctl.PathTo(by.Virtual, server, ipvsctl.Destination{
		Forward: methods[by.Method], TunnelType: by.TunnelType, TunnelPort: by.TunnelPort, TunnelFlags: by.TunnelFlags})
	mark, err := path.MarkOf(func(key ipvsctl.ServiceKey) (ipvsctl.Rows[ipvsctl.Destination], error) {
		return conn.Destinations(ctx, key)
	})
	if errors.Is(err, ipvsctl.ErrNoPath) {
		err = fmt.Errorf("%w (%v): lvsd makes it while it runs with this check", err, path)
	}
	return mark, err
}

// methods are the forwarding methods by their names in a check.
var methods = map[string]ipvsctl.Forward{checker.Direct: ipvsctl.Direct, ipvsctl.Tunnel.String(): ipvsctl.Tunnel}

// Deaf is part of probe.Forwarder.
func (f *forwarder) Deaf(virtual, server netip.Addr) error { return machine.Deaf(virtual, server) }
