package ipvsctl

import (
	"context"
	"errors"
)

// ErrNoIPVS is what Kernel's methods return where the running kernel has no
// IPVS, neither built in nor as a module that it could load.
var ErrNoIPVS = errors.New("the kernel has no IPVS")

// A Kernel is an IPVS table that operations are applied to. Its methods are
// called from one goroutine at a time.
type Kernel interface {
	// List reads the whole table.
	List(ctx context.Context) (Table, error)
	// Services reads the services without their real servers, which is cheap
	// enough to be done every second.
	Services(ctx context.Context) (map[ServiceKey]Service, error)
	// Read reads one service and what was counted for its real servers. The
	// error is fs.ErrNotExist where there is no such service.
	Read(ctx context.Context, key ServiceKey) (VirtualService, map[DestinationKey]Counters, error)
	// Apply carries the operations out in their order, and goes on after one
	// that the kernel refuses. The error of a Failure is fs.ErrExist or
	// fs.ErrNotExist where a row, or the service of a destination, was there or
	// was not. Where the second result is an error, the exchange with the
	// kernel failed and nobody knows how far it came.
	Apply(ctx context.Context, ops []Op) ([]Failure, error)
}
