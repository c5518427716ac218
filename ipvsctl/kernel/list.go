//go:build linux

package kernel

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"

	"github.com/lvsd/lvsd/ipvsctl"
)

// ListServices reads all services, in the kernel's order.
func (c *Conn) ListServices(ctx context.Context) (all []ipvsctl.ListedService, err error) {
	var question request
	question.command(cmdGetService)
	err = c.ask(ctx, netlink.Dump, question, func(body []byte) error {
		s, err := decodeListed(body)
		all = append(all, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the virtual services: %w", err)
	}
	return all, nil
}

// ListService reads one service. The error is fs.ErrNotExist where there is no such one.
func (c *Conn) ListService(ctx context.Context, key ipvsctl.ServiceKey) (s ipvsctl.ListedService, err error) {
	err = c.ask(ctx, 0, question(cmdGetService, key), func(body []byte) (err error) {
		s, err = decodeListed(body)
		return err
	})
	if err != nil {
		return s, fmt.Errorf("reading the service %v: %w", key, err)
	}
	return s, nil
}

// ListDestinations reads the real servers of a service, in the kernel's order: the one that
// was added last comes first. Of a service that does not exist there are none.
func (c *Conn) ListDestinations(ctx context.Context, key ipvsctl.ServiceKey) (all []ipvsctl.ListedDestination, err error) {
	err = c.ask(ctx, netlink.Dump, question(cmdGetDest, key), func(body []byte) error {
		s, err := decodeDestination(body, key.Addr)
		a := nested(body, attrDest)
		rates, rerr := a.rates(destStats64, destStats)
		all = append(all, ipvsctl.ListedDestination{Key: s.key, Config: s.dest, Counters: s.counters, Rates: rates})
		return errors.Join(err, rerr)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the real servers of %v: %w", key, err)
	}
	return all, nil
}

func decodeListed(body []byte) (ipvsctl.ListedService, error) {
	a := nested(body, attrService)
	total, terr := a.stats(svcStats64, svcStats)
	rates, rerr := a.rates(svcStats64, svcStats)
	key, config, err := a.service()
	return ipvsctl.ListedService{Key: key, Config: config, Counters: total, Rates: rates}, errors.Join(err, terr, rerr)
}

// Flush deletes all services with their real servers, whoever made them.
func (c *Conn) Flush(ctx context.Context) error {
	var r request
	r.command(cmdFlush)
	if err := c.order(ctx, r, explainOrder); err != nil {
		return fmt.Errorf("clearing the table: %w", err)
	}
	return nil
}

// ZeroAll sets all counters to zero.
func (c *Conn) ZeroAll(ctx context.Context) error {
	var r request
	r.command(cmdZero)
	if err := c.order(ctx, r, explainOrder); err != nil {
		return fmt.Errorf("zeroing the counters: %w", err)
	}
	return nil
}

// Zero sets those of one service and its real servers to zero. The error is fs.ErrNotExist
// where there is no such service.
func (c *Conn) Zero(ctx context.Context, key ipvsctl.ServiceKey) error {
	err := c.order(ctx, question(cmdZero, key), func(err error) error {
		if err := explainRead(err); errors.Is(err, errNoService) {
			return err
		}
		return explainOrder(err)
	})
	if err != nil {
		return fmt.Errorf("zeroing the counters of %v: %w", key, err)
	}
	return nil
}
