package ipvsctl

import "time"

// A Snapshot is what a Reconciler knows. It is shared with everybody who asks
// and immutable.
type Snapshot struct {
	// Table is the table as last seen or written: our rows; before the first
	// Set the whole table as it was found.
	Table Table
	// Counters are the kernel's, as of the last audit of the service. Those that are
	// all zero are left out.
	Counters map[ServiceKey]Rows[Counters]
	// Packets are how many have come for each of our services, as of the last look; nil
	// unless they are to be known.
	Packets map[ServiceKey]uint64
	// Foreign are the services that are not ours, as of the last look.
	Foreign map[ServiceKey]Service
	Stats   Stats
	// Converged reports that what was Set last is in the kernel, as far as is
	// known.
	Converged bool
}

// Stats are what the reconciler counts, since it started.
type Stats struct {
	// Operations are the rows written to the kernel, by kind ("add-service").
	Operations map[string]uint64
	// Errors are operations that the kernel refused, and lists or reads that
	// failed.
	Errors uint64
	// Faults are the same by their kind: "ENOBUFS".
	Faults map[string]uint64
	// Drift is how many rows were found other than left, and repaired.
	Drift uint64
	// Foreign is how many services in the table are not ours, as last seen.
	Foreign int
	// Pending is how many operations the last pass left undone.
	Pending int
	// Audited is when the whole table was last compared with the kernel's.
	Audited time.Time
	// LastError says why the last failed operation failed; empty after a pass
	// without failure.
	LastError string
}
