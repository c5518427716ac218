package api

import "time"

// A Table is what the reconciler of the IPVS table has counted since it started.
type Table struct {
	// Operations are the rows written to the kernel, by kind: "add-service".
	Operations map[string]uint64 `json:"operations"`
	// Errors counts operations that the kernel refused, and listings that failed.
	Errors uint64 `json:"errors"`
	// Faults are the same by their kind, as errno(3) has it: "ENOBUFS", or "no-answer",
	// "cut-short", "no-ipvs", "no-module", "other". Left out: there was none.
	Faults map[string]uint64 `json:"faults,omitempty"`
	// Drift counts rows that somebody else had changed, and that were repaired.
	Drift uint64 `json:"drift"`
	// Foreign is how many services in the table are not lvsd's, as last seen.
	Foreign int `json:"foreign"`
	// Pending is how many operations the last pass left undone.
	Pending int `json:"pending"`
	// Audited is when the whole table was last compared with the kernel's.
	Audited time.Time `json:"audited,omitzero"`
	// LastError is why the last operation that failed did so; empty after a
	// pass without a failure.
	LastError string `json:"last_error,omitempty"`
}

// Rules is what is known of lvsd's own rules of nftables, and was counted since it started.
type Rules struct {
	// Wanted is of how many virtual services packets are to be marked, and Kept whether they
	// are.
	Wanted int  `json:"wanted"`
	Kept   bool `json:"kept"`
	// Failures counts transactions that the kernel has refused, and listings that failed, and
	// Repairs how often somebody else had changed the rules.
	Failures uint64 `json:"failures"`
	Repairs  uint64 `json:"repairs"`
	// Faults are the failures by their kind, as the table's.
	Faults map[string]uint64 `json:"faults,omitempty"`
	// LastError is why the rules are not as they should be; left out if they are.
	LastError string `json:"last_error,omitempty"`
}
