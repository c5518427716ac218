package show

import (
	"fmt"
	"io"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteChecked prints what checks saw, one after the other, and how many failed.
func (t Terminal) WriteChecked(out io.Writer, all *api.Checked) {
	failed := 0
	for i := range all.Checks {
		t.writeExplained(out, &all.Checks[i])
		if all.Checks[i].Last.Outcome != api.Passed {
			failed++
		}
	}
	switch n := len(all.Checks); {
	case n == 0:
		fmt.Fprintln(out, "nothing is checked: the real servers have no check")
	case n == 1: // It has said all.
	case failed == 0:
		fmt.Fprintf(out, "all %d checks passed\n", n)
	case all.Passed:
		fmt.Fprintf(out, "%d of %d checks did not pass, and those that did are enough\n", failed, n)
	default:
		fmt.Fprintf(out, "%d of %d checks did not pass\n", failed, n)
	}
}

func (t Terminal) writeExplained(out io.Writer, e *api.Explained) {
	asked := ""
	if e.Asked != "" && e.Asked != e.Address {
		asked = " at " + e.Asked
	}
	fmt.Fprintf(out, "%s, %s (%s): check %s%s%s within %s\n", t.paint(text.Printable(e.Service), bold), t.paint(text.Printable(e.Server), bold),
		e.Address, e.Kind, grouped(e.Group), asked, e.Timeout)
	if e.Wants != "" {
		fmt.Fprintf(out, "  %10s  %s\n", "wants", text.Printable(e.Wants))
	}
	for _, s := range e.Steps {
		fmt.Fprintf(out, "  %10s  %s %s\n", milliseconds(s.At), s.Step, text.Printable(s.Text))
	}
	fmt.Fprintf(out, "  %10s  %s\n", milliseconds(e.Last.Latency), t.verdict(&e.Last))
}

// verdict is how a check ended.
func (t Terminal) verdict(r *api.Result) string {
	ends := ""
	if !r.CertificateEnds.IsZero() {
		ends = ", with a certificate until " + r.CertificateEnds.Format(time.DateOnly)
	}
	switch r.Outcome {
	case api.Passed:
		return t.paint("passed", green) + ends
	case api.NotRun:
		return t.paint("could not be run: ", yellow) + text.Printable(r.Detail)
	}
	return fmt.Sprintf("%s: %s (%s)%s", t.paint("failed", red), text.Printable(r.Detail), r.Reason, ends)
}

// milliseconds are those of a step, in a column.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
