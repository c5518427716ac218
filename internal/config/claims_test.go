package config

import (
	"testing"

	"github.com/lvsd/lvsd/internal/block"
)

// The number of real servers is bounded over all services, and said at the
// first that is too many.
func TestRealServersAreBounded(t *testing.T) {
	w := newWhole(Machine{})
	for i, count := range []string{"60000", "40000", "1", "1"} {
		r := block.Result[declaration]{}
		r.Claims = []block.Claim{{Kind: realServers, Key: count, At: block.Place{File: "web.hcl", Line: i + 1}}}
		w.add(&r)
	}
	diags := Sources{}.Diagnostics(w.Reports, nil)
	const want = "web.hcl:3: Too many real servers: With this service there are 100001 in all, but the limit is 100000."
	if len(diags) != 1 || diags[0].String() != want {
		t.Errorf("diagnostics are %v, want %s", diags, want)
	}
}
