package block

import "testing"

// A summary comes back from another process, and may be anything.
func FuzzSummary(f *testing.F) {
	at := item{&source{name: "web.hcl", text: []byte("a {}\n")}, chunk{end: 4, line: 1, column: 1}}
	p := part{files: []fileRead{{"path", "sum"}}, Claims: []Claim{{1, "key", "text", Place{File: "web.hcl", Line: 1, Column: 3}}}}
	p.Doubt(Place{File: "web.hcl", Line: 1, Column: 1}, "Summary", "Detail.")
	f.Add(p.summary(at))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, ok := readSummary(text, at)
		if n := len(p.files) + len(p.Claims) + len(p.list); ok && n > len(text) {
			t.Errorf("%d things in %d bytes", n, len(text))
		}
	})
}

// A block with more warnings than are kept has as many when it is not parsed again.
func TestASummaryCountsAllWarnings(t *testing.T) {
	at := item{&source{name: "web.hcl", text: []byte("a {}\n")}, chunk{end: 4, line: 1, column: 1}}
	var p part
	for range maxKept + 1 {
		p.Doubt(Place{File: "web.hcl", Line: 1, Column: 1}, "Summary", "Detail.")
	}
	if got, ok := readSummary(p.summary(at), at); !ok || got.Doubts != maxKept+1 || len(got.list) != maxKept {
		t.Errorf("%v: %d warnings, of which %d are kept", ok, got.Doubts, len(got.list))
	}
}
