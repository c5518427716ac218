package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteCheckup prints what was examined of this machine, by family, and below each what is
// wrong and what to do, once for all that it mends.
func (t Terminal) WriteCheckup(out io.Writer, c *api.Checkup) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, text.Printable(fmt.Sprintf("this machine as a %s, by %s for node %q", strings.Join(c.Roles, " and a "), c.Path, c.Node)))
	family, wrong, unknown, made := "", 0, 0, 0
	for i := range c.Examinations {
		e := &c.Examinations[i]
		if e.State == api.NotHere {
			continue // A real server's page would be full of what directors need.
		}
		made++
		if e.Family != family {
			family = e.Family
			fmt.Fprintf(w, "%s\n", t.paint(family, bold))
		}
		switch e.State {
		case api.Wrong:
			wrong++
		case api.NotKnown:
			unknown++
		}
		t.writeExamination(w, e)
	}
	switch {
	case wrong > 0:
		fmt.Fprintln(w, t.paint(fmt.Sprintf("%d of %s found something wrong", wrong, text.Count(made, "examination")), red))
	case unknown > 0:
		fmt.Fprintf(w, "nothing is wrong, as far as is known: %s could not be made\n", text.Count(unknown, "examination"))
	default:
		fmt.Fprintln(w, "nothing is wrong")
	}
	return w.Flush()
}

// writeExamination prints one, and what was done.
func (t Terminal) writeExamination(w *bufio.Writer, e *api.Examination) {
	word, p := "ok", green
	switch e.State {
	case api.Wrong:
		word, p = "wrong", red
	case api.NotKnown:
		word, p = "not known", yellow
	case api.NotNeeded:
		word, p = "-", plain
	}
	line := e.Title
	if e.Why != "" {
		line += ": " + e.Why
	}
	fmt.Fprintf(w, "  %s%s  %s\n", t.paint(word, p), strings.Repeat(" ", len("not known")-len(word)), text.Printable(line))
	for i := range e.Findings {
		f := &e.Findings[i]
		fmt.Fprintf(w, "      %s\n", t.paint(text.Printable(f.Text), p))
		same := i+1 < len(e.Findings) && e.Findings[i+1].Remedy == f.Remedy
		if f.Remedy != "" && !same {
			fmt.Fprintf(w, "      %s\n", text.Printable(f.Remedy))
		}
	}
	for _, d := range e.Done {
		fmt.Fprintf(w, "      done: %s\n", text.Printable(d))
	}
}
