package ipvsadm

import (
	"context"
	"fmt"

	"github.com/lvsd/lvsd/ipvsctl"
)

// allow refuses a command that changes a service of the daemon's, or with --force says what
// the daemon will do. To clear the table is about all of them.
func (s *Session) allow(c Command) error {
	g := &s.guard
	if !g.asked {
		g.asked = true
		g.owner, g.err = s.Owner(c.StateDir)
	}
	if g.err != nil && !c.Force {
		return fmt.Errorf("%w; with --force it is changed nevertheless", g.err)
	}
	if g.owner == nil || c.Verb != Clear && !g.owner.Owns(c.Op.Service) {
		return nil
	}
	what := c.Op.Service.String()
	if c.Verb == Clear {
		what = "the table"
	}
	switch {
	case !c.Force:
		return fmt.Errorf("%s belongs to %s, which would repair it: change its configuration and run lvsd reload, or say --force", what, g.owner.Name)
	case !g.warned:
		g.warned = true
		fmt.Fprintf(s.Err, "%s: %s belongs to %s, which will repair it\n", s.Program, what, g.owner.Name)
	}
	return nil
}

// write carries out one command about a service or a real server.
func (s *Session) write(ctx context.Context, c Command) error {
	k, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := s.allow(c); err != nil {
		return err
	}
	refused, err := k.Apply(ctx, []ipvsctl.Op{c.Op})
	if err == nil && len(refused) > 0 {
		err = refusal(c.Op, refused[0].Err)
	}
	return err
}

// refusal says what the kernel has refused.
func refusal(op ipvsctl.Op, err error) error { return fmt.Errorf("%v: %w", op, err) }

// order carries out one of the commands that are about more than a service.
func (s *Session) order(ctx context.Context, c Command) error {
	k, err := s.connect(ctx)
	if err != nil {
		return err
	}
	switch c.Verb {
	case Clear:
		if err := s.allow(c); err != nil {
			return err
		}
		return k.Flush(ctx)
	case Zero:
		// As there, a service by no address and no port is all of them.
		if key := c.Op.Service; c.HasService && (key.Mark != 0 || key.Port != 0 || !key.Addr.IsUnspecified()) {
			return k.Zero(ctx, key)
		}
		return k.ZeroAll(ctx)
	case Set:
		return k.SetTimeouts(ctx, c.Timeouts)
	case StartDaemon:
		return k.StartDaemon(ctx, c.Daemon)
	default:
		return k.StopDaemon(ctx, c.Daemon.Role)
	}
}
