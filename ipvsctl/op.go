package ipvsctl

import (
	"context"
	"errors"
	"slices"
)

// An OpKind is what an operation does to one row of the table, as it is named in
// metrics (IPVS_CMD_* in linux/ip_vs.h).
type OpKind string

// The kinds of operation.
const (
	AddService        OpKind = "add-service"
	SetService        OpKind = "set-service"
	DeleteService     OpKind = "delete-service"
	AddDestination    OpKind = "add-destination"
	SetDestination    OpKind = "set-destination"
	DeleteDestination OpKind = "delete-destination"
)

// deletes reports whether the operation takes a row away.
func (k OpKind) deletes() bool { return k == DeleteService || k == DeleteDestination }

// An Op is one write to the kernel's table. Deleting a service deletes its
// destinations with it. An Op is comparable.
type Op struct {
	Kind    OpKind
	Service ServiceKey
	// Config is what AddService and SetService write.
	Config Service
	// Destination is the real server that the last three kinds are about, and
	// Dest what AddDestination and SetDestination write.
	Destination DestinationKey
	Dest        Destination
}

// A Failure is an operation that the kernel refused.
type Failure struct {
	Index int // in the operations given to Apply
	Err   error
}

// ErrNoIPVS is what Kernel's methods return where the running kernel has no
// IPVS, neither built in nor as a module that it could load.
var ErrNoIPVS = errors.New("the kernel has no IPVS")

// A Kernel is an IPVS table that operations are applied to. Its methods are
// called from one goroutine at a time.
type Kernel interface {
	// List reads the whole table.
	List(ctx context.Context) (Table, error)
	// Services calls each with every service and the packets that have come for it,
	// without its real servers, which is cheap enough to be done every second. Where it
	// returns an error, some may be missing.
	Services(ctx context.Context, each func(key ServiceKey, s Service, packets uint64)) error
	// Read reads one service and what was counted for its real servers, and, under
	// the zero key, for the service itself. The error is fs.ErrNotExist where there
	// is no such service.
	Read(ctx context.Context, key ServiceKey) (VirtualService, Rows[Counters], error)
	// Apply carries the operations out in their order, and goes on after one
	// that the kernel refuses. The error of a Failure is fs.ErrExist or
	// fs.ErrNotExist where a row, or the service of a destination, was there or
	// was not. Where the second result is an error, the exchange with the
	// kernel failed and nobody knows how far it came.
	Apply(ctx context.Context, ops []Op) ([]Failure, error)
}

// after returns the table that the operations make of t, as the kernel carries
// them out. Services that none of them is about are shared with t, which stays
// as it is.
func (t Table) after(ops []Op) Table {
	next := copied(t)
	ours := map[ServiceKey]bool{} // whose destinations were copied already
	for _, op := range ops {
		vs, known := next[op.Service]
		switch op.Kind {
		case DeleteService:
			delete(next, op.Service)
			delete(ours, op.Service)
		case AddService, SetService:
			vs.Service = op.Config
			next[op.Service] = vs
		default:
			if !known {
				continue // the kernel has no destination without its service either
			}
			if !ours[op.Service] {
				ours[op.Service] = true
				vs.Destinations = slices.Clone(vs.Destinations)
			}
			if op.Kind == DeleteDestination {
				vs.Destinations.Delete(op.Destination)
			} else {
				vs.Destinations.Set(op.Destination, op.Dest)
			}
			next[op.Service] = vs
		}
	}
	return next
}
