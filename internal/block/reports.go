package block

import (
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"
)

// A Place is a stretch of one line of a configuration's files.
type Place struct {
	File         string
	Line, Column int // of its begin, from 1
	Start, End   int // the bytes of the file from Start to before End
}

// String returns the file and the line: "web.hcl:12".
func (p Place) String() string { return p.File + ":" + strconv.Itoa(p.Line) }

func placeOf(r hcl.Range) Place {
	return Place{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column, Start: r.Start.Byte, End: r.End.Byte}
}

// A Severity reports whether a diagnostic forbids the configuration.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// A Report is a mistake or a doubt, and its place.
type Report struct {
	Severity        Severity
	Summary, Detail string
	At              Place
	// Nodes are those that a map has instead of the one that it was asked for.
	Nodes []string
}

// MaxMistakes is how many mistakes are counted, after which the rest of the files
// is not read; doubts end nothing. Of each severity, the first maxKept are kept.
const (
	MaxMistakes = 10_000
	maxKept     = 2_000
)

// Reports are what was found wrong so far. Those beyond the limit are counted and
// not kept.
type Reports struct {
	list []Report
	// Mistakes and Doubts count the errors and the warnings.
	Mistakes, Doubts int
}

// Mistake reports an error.
func (r *Reports) Mistake(at Place, summary, detail string, args ...any) {
	r.add(Report{Severity: Error, Summary: summary, Detail: fmt.Sprintf(detail, args...), At: at})
}

// Doubt reports a warning.
func (r *Reports) Doubt(at Place, summary, detail string, args ...any) {
	r.add(Report{Severity: Warning, Summary: summary, Detail: fmt.Sprintf(detail, args...), At: at})
}

// Add adds what other reports hold.
func (r *Reports) Add(other Reports) {
	before := *r
	for _, report := range other.list {
		r.add(report)
	}
	r.Mistakes, r.Doubts = before.Mistakes+other.Mistakes, before.Doubts+other.Doubts
}

func (r *Reports) add(report Report) {
	count := &r.Doubts
	if report.Severity == Error {
		count = &r.Mistakes
	}
	if *count++; *count <= maxKept {
		report.Summary, report.Detail = discreet(report.Summary, maxValue), discreet(report.Detail, maxValue)
		r.list = append(r.list, report)
	}
}
