package ipvsctl

import "fmt"

// An OpKind is what an operation does to one row of the table.
type OpKind uint8

// The kinds of operation (IPVS_CMD_* in linux/ip_vs.h).
const (
	AddService OpKind = iota + 1
	SetService
	DeleteService
	AddDestination
	SetDestination
	DeleteDestination
)

var opKinds = map[OpKind]string{
	AddService:        "add-service",
	SetService:        "set-service",
	DeleteService:     "delete-service",
	AddDestination:    "add-destination",
	SetDestination:    "set-destination",
	DeleteDestination: "delete-destination",
}

// String returns the kind as it is named in logs and metrics: "add-service".
func (k OpKind) String() string {
	if s, ok := opKinds[k]; ok {
		return s
	}
	return fmt.Sprintf("operation-%d", uint8(k))
}

// deletes tells whether the operation takes a row away.
func (k OpKind) deletes() bool { return k == DeleteService || k == DeleteDestination }

// ofService tells whether the row is a service, not a destination.
func (k OpKind) ofService() bool { return k <= DeleteService }

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

// apply makes in t what the operation makes in the kernel. It replaces the
// map of destinations where own does not say that it may be written to.
func (t Table) apply(op Op, own func(ServiceKey) bool) {
	vs, known := t[op.Service]
	switch op.Kind {
	case DeleteService:
		delete(t, op.Service)
		return
	case AddService, SetService:
		vs.Service = op.Config
		t[op.Service] = vs
		return
	}
	if !known {
		return // the kernel has no destination without its service either
	}
	if !own(op.Service) || vs.Destinations == nil {
		vs.Destinations = cloneDestinations(vs.Destinations)
		t[op.Service] = vs
	}
	if op.Kind == DeleteDestination {
		delete(vs.Destinations, op.Destination)
		return
	}
	vs.Destinations[op.Destination] = op.Dest
}
