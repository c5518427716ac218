package config

import "github.com/hashicorp/hcl/v2"

// The most mistakes and the most doubts that are told at once. After so many
// mistakes the rest of the files is not read; doubts end nothing.
const (
	maxMistakes = 500
	maxDoubts   = 500
)

// Reports are the diagnostics that were found so far. Those beyond the limits
// are counted and not kept.
type reports struct {
	diags            hcl.Diagnostics
	mistakes, doubts int
}

func (r *reports) add(diag *hcl.Diagnostic) {
	count, most := &r.doubts, maxDoubts
	if diag.Severity == hcl.DiagError {
		count, most = &r.mistakes, maxMistakes
	}
	if *count++; *count <= most {
		r.diags = append(r.diags, diag)
	}
}

// addAll adds what other reports hold. Mistakes that those did not keep count
// too: there were more than enough of them.
func (r *reports) addAll(other reports) {
	for _, diag := range other.diags {
		r.add(diag)
	}
}
