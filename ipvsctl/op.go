package ipvsctl

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

// String returns the kind as it is named in metrics: "add-service".
func (k OpKind) String() string { return name(opKinds, k, "operation") }

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
				vs.Destinations = copied(vs.Destinations)
				next[op.Service] = vs
			}
			if op.Kind == DeleteDestination {
				delete(vs.Destinations, op.Destination)
			} else {
				vs.Destinations[op.Destination] = op.Dest
			}
		}
	}
	return next
}
