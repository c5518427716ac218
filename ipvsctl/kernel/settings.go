//go:build linux

package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/mdlayher/netlink"

	"github.com/lvsd/lvsd/ipvsctl"
)

// order has the kernel carry out one command, whose refusal explained puts into words.
func (c *Conn) order(ctx context.Context, body request, explained func(error) error) error {
	return c.exchange(ctx, func() error {
		_, err := c.nl.Execute(c.message(netlink.Acknowledge, body))
		if op := (*netlink.OpError)(nil); errors.As(err, &op) {
			return explained(op.Err)
		}
		return err
	})
}

// Info reads the version of the kernel's IPVS and the size of its table of connections.
func (c *Conn) Info(ctx context.Context) (info ipvsctl.Info, err error) {
	var question request
	question.command(cmdGetInfo)
	err = c.ask(ctx, 0, question, func(body []byte) error {
		a := top(body)
		info.Version, info.Size = a.uint32(infoVersion), a.uint32(infoSize)
		return a.err
	})
	if err != nil {
		return info, fmt.Errorf("asking the kernel for the version of its IPVS: %w", err)
	}
	return info, nil
}

// Timeouts reads how long connections are remembered.
func (c *Conn) Timeouts(ctx context.Context) (t ipvsctl.Timeouts, err error) {
	var question request
	question.command(cmdGetConfig)
	err = c.ask(ctx, 0, question, func(body []byte) error {
		a := top(body)
		t = ipvsctl.Timeouts{TCP: a.uint32(attrTimeoutTCP), TCPFin: a.uint32(attrTimeoutTCPFin), UDP: a.uint32(attrTimeoutUDP)}
		return a.err
	})
	if err != nil {
		return t, fmt.Errorf("reading the timeouts: %w", err)
	}
	return t, nil
}

// SetTimeouts sets those of them that are not zero.
func (c *Conn) SetTimeouts(ctx context.Context, t ipvsctl.Timeouts) error {
	var r request
	r.command(cmdSetConfig)
	r.uint32(attrTimeoutTCP, t.TCP)
	r.uint32(attrTimeoutTCPFin, t.TCPFin)
	r.uint32(attrTimeoutUDP, t.UDP)
	if err := c.order(ctx, r, explainOrder); err != nil {
		return fmt.Errorf("setting the timeouts: %w", err)
	}
	return nil
}

// Daemons lists the sync daemons that run, the master first.
func (c *Conn) Daemons(ctx context.Context) (all []ipvsctl.SyncDaemon, err error) {
	var question request
	question.command(cmdGetDaemon)
	err = c.ask(ctx, netlink.Dump, question, func(body []byte) error {
		d, err := decodeDaemon(body)
		all = append(all, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the sync daemons: %w", err)
	}
	return all, nil
}

// StartDaemon starts a sync daemon. The error is fs.ErrExist where one of its role runs.
func (c *Conn) StartDaemon(ctx context.Context, d ipvsctl.SyncDaemon) error {
	err := c.order(ctx, encodeDaemon(cmdNewDaemon, d), func(err error) error {
		switch {
		case errors.Is(err, syscall.EEXIST):
			return fmt.Errorf("one runs already: %w", err)
		case errors.Is(err, syscall.ENODEV):
			return fmt.Errorf("there is no interface %q: %w", d.Interface, err)
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			return fmt.Errorf("the interface %q has no address of the group's family: %w", d.Interface, err)
		case errors.Is(err, syscall.EINVAL):
			return fmt.Errorf("%w: a real server of another family than its service, which the protocol cannot tell, keeps the daemon from starting, and so does an interface that is down or cannot multicast", err)
		default:
			return explainOrder(err)
		}
	})
	if err != nil {
		return fmt.Errorf("starting the sync daemon as %v: %w", d.Role, err)
	}
	return nil
}

// StopDaemon stops the sync daemon of a role. The error is fs.ErrNotExist where none runs.
func (c *Conn) StopDaemon(ctx context.Context, role ipvsctl.SyncRole) error {
	err := c.exchange(ctx, func() error { return c.stopDaemon(role) })
	if err != nil {
		return fmt.Errorf("stopping the sync daemon that runs as %v: %w", role, err)
	}
	return nil
}

// stopDaemon sends a question behind the order, since the kernel does not answer the order
// if the daemon has been started so shortly before that it has not run yet (kthread_stop
// returns EINTR, for which netlink_rcv_skb has no acknowledgement). It is stopped then.
func (c *Conn) stopDaemon(role ipvsctl.SyncRole) error {
	var question request
	question.command(cmdGetInfo)
	sent, err := c.nl.SendMessages([]netlink.Message{
		c.message(netlink.Acknowledge, encodeDaemon(cmdDelDaemon, ipvsctl.SyncDaemon{Role: role})),
		c.message(0, question),
	})
	if err != nil {
		return err
	}
	var refused error
	for {
		i, refusal, err := c.answer(sent[0].Header.Sequence)
		switch {
		case err != nil:
			return err
		case i == 0 && errors.Is(refusal, syscall.ESRCH):
			refused = errNoDaemon
		case i == 0 && refusal != nil:
			refused = explainOrder(refusal)
		case i == 1:
			return refused
		case i != 0:
			return errors.New("the kernel answered a request that was not made")
		}
	}
}

func encodeDaemon(command uint8, d ipvsctl.SyncDaemon) (r request) {
	r.command(command)
	at := r.begin(attrDaemon | attrNested)
	r.uint32(daemonState, uint32(d.Role))
	r.text(daemonInterface, d.Interface)
	r.uint32(daemonID, uint32(d.ID))
	if d.MaxLength != 0 {
		r.uint16(daemonMaxLength, d.MaxLength)
	}
	if d.Port != 0 {
		r.uint16(daemonPort, d.Port)
	}
	if d.TTL != 0 {
		r.bytes(daemonTTL, d.TTL)
	}
	switch {
	case d.Group.Is4():
		r.bytes(daemonGroup, d.Group.AsSlice()...)
	case d.Group.Is6():
		r.bytes(daemonGroup6, d.Group.AsSlice()...)
	}
	r.end(at)
	return r
}

func decodeDaemon(body []byte) (ipvsctl.SyncDaemon, error) {
	a := nested(body, attrDaemon)
	d := ipvsctl.SyncDaemon{
		Role:      ipvsctl.SyncRole(a.uint32(daemonState)),
		Interface: a.text(daemonInterface),
		ID:        uint8(a.uint32(daemonID)),
		MaxLength: a.uint16(daemonMaxLength),
		Port:      a.uint16(daemonPort),
		TTL:       a.uint8(daemonTTL),
	}
	if b := a.content[daemonGroup6]; len(b) == 16 {
		d.Group = netip.AddrFrom16([16]byte(b))
	}
	if b := a.content[daemonGroup]; len(b) == 4 && binary.NativeEndian.Uint32(b) != 0 {
		d.Group = netip.AddrFrom4([4]byte(b))
	}
	return d, a.err
}
