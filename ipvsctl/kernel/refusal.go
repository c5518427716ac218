//go:build linux

package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/ipvsctl"
)

// errNoService is the error for a service that does not exist.
var errNoService = fmt.Errorf("the kernel has no such virtual service: %w", fs.ErrNotExist)

// errNoDaemon is the error for a sync daemon that does not run.
var errNoDaemon = fmt.Errorf("none runs: %w", fs.ErrNotExist)

// explainRead puts the kernel's error number into words. Only a missing service
// is fs.ErrNotExist: the kernel also answers ENOENT when the whole family is
// gone.
func explainRead(err error) error {
	switch {
	case errors.Is(err, syscall.ESRCH):
		return errNoService
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: reading the IPVS table needs the capability CAP_NET_ADMIN", err)
	case errors.Is(err, syscall.ENOENT):
		return fault.New(fault.NoIPVS, fmt.Errorf("the netlink family %s is gone, was the module unloaded? (%v)", familyName, err))
	default:
		return err
	}
}

// explain puts into words why the kernel refused op (net/netfilter/ipvs/
// ip_vs_ctl.c). The result is fs.ErrExist or fs.ErrNotExist, as the reconciler
// needs it, where a row was there or was not.
func explain(op ipvsctl.Op, err error) error {
	ofService := op.Kind == ipvsctl.AddService || op.Kind == ipvsctl.SetService
	switch {
	case errors.Is(err, syscall.ESRCH):
		return errNoService
	case errors.Is(err, syscall.ENOENT) && ofService:
		return fault.New(fault.NoModule, fmt.Errorf("the kernel cannot find %s: is the module missing?", modules(op.Config)))
	case errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("the service has no such real server: %w", err)
	case errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("it is in the kernel's table already: %w", err)
	case errors.Is(err, syscall.ERANGE):
		return fmt.Errorf("%w: the lower threshold is above the upper one, or the weight is above 2147483647", err)
	case errors.Is(err, syscall.EINVAL) && !ofService:
		return fmt.Errorf("%w: a real server needs a unicast address, the family of its service unless it is reached by tunnel without the sync daemon, and a port for a GUE tunnel", err)
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w: writing the IPVS table needs the capability CAP_NET_ADMIN", err)
	default:
		return err
	}
}

// explainOrder puts into words why the kernel refused what is not of one service.
func explainOrder(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("%w: writing the kernel's IPVS needs the capability CAP_NET_ADMIN", err)
	}
	return err
}

// modules names what the kernel needs for a service, and the modules for it.
func modules(s ipvsctl.Service) string {
	text := fmt.Sprintf("the scheduler %q (module ip_vs_%s)", s.Scheduler, s.Scheduler)
	if s.Engine != "" {
		text += fmt.Sprintf(" or the persistence engine %q (module ip_vs_pe_%s)", s.Engine, s.Engine)
	}
	return text
}
