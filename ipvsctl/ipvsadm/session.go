package ipvsadm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/ipvsctl"
)

// A Kernel is the IPVS of one network namespace, as ipvsctl/kernel speaks with it.
type Kernel interface {
	Info(context.Context) (ipvsctl.Info, error)
	// ListServices and ListDestinations list in the kernel's order.
	ListServices(context.Context) ([]ipvsctl.ListedService, error)
	ListService(context.Context, ipvsctl.ServiceKey) (ipvsctl.ListedService, error)
	ListDestinations(context.Context, ipvsctl.ServiceKey) ([]ipvsctl.ListedDestination, error)
	Apply(context.Context, []ipvsctl.Op) ([]ipvsctl.Failure, error)
	Flush(context.Context) error
	Zero(context.Context, ipvsctl.ServiceKey) error
	ZeroAll(context.Context) error
	Timeouts(context.Context) (ipvsctl.Timeouts, error)
	SetTimeouts(context.Context, ipvsctl.Timeouts) error
	Daemons(context.Context) ([]ipvsctl.SyncDaemon, error)
	StartDaemon(context.Context, ipvsctl.SyncDaemon) error
	StopDaemon(context.Context, ipvsctl.SyncRole) error
}

// An Owner is a daemon that keeps services of this table as it has them configured.
type Owner struct {
	Name string // as messages call it: "the lvsd that runs as process 7"
	Owns func(ipvsctl.ServiceKey) bool
}

// A guard keeps rows that belong to a running daemon from being changed.
type guard struct {
	asked  bool
	owner  *Owner
	err    error // why it is not known whether there is one
	warned bool
}

// A Session carries commands out.
type Session struct {
	Program string // its name in messages
	Version string // what -v prints
	Names   Names
	In      io.Reader
	Out     *bufio.Writer
	Err     io.Writer
	// Open connects to the kernel, when that is needed first.
	Open func() (Kernel, error)
	// Connections opens /proc/net/ip_vs_conn.
	Connections func() (io.ReadCloser, error)
	// Owner finds the daemon that runs in this network namespace; nil: there is none. Its
	// state directory is the given one, or where it usually is.
	Owner func(stateDir string) (*Owner, error)

	kernel Kernel
	info   ipvsctl.Info
	guard  guard
}

// connect connects to the kernel and asks for its version.
func (s *Session) connect(ctx context.Context) (Kernel, error) {
	if s.kernel != nil {
		return s.kernel, nil
	}
	k, err := s.Open()
	if err == nil {
		s.info, err = k.Info(ctx)
	}
	if err != nil {
		return nil, &Error{StatusUsage, err}
	}
	s.kernel = k
	return k, nil
}

// say tells of an error, and returns the exit status for it; of none it says nothing.
func (s *Session) say(line int, err error) int {
	if err == nil {
		return StatusDone
	}
	_ = s.Out.Flush() // so that what was printed before stands before it
	place := ""
	if line > 0 {
		place = fmt.Sprintf("line %d: ", line)
	}
	fmt.Fprintf(s.Err, "%s: %s%v\n", s.Program, place, err)
	if known := (*Error)(nil); errors.As(err, &known) {
		return known.Status
	}
	return StatusRefused
}
