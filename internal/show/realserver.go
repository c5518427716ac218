package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteRealServer prints what this machine is as a real server, and what was changed, or,
// by a check, what is wrong.
func (t Terminal) WriteRealServer(out io.Writer, r *api.RealServer, check bool) error {
	w := bufio.NewWriter(out)
	for i := range r.Services {
		s := &r.Services[i]
		fmt.Fprintf(w, "%s\n", text.Printable(fmt.Sprintf("%s (%s): %s is a real server, forward = %q", s.Service, s.Virtual, s.Address, s.Forward)))
		if s.Note != "" {
			fmt.Fprintf(w, "    %s %s\n", t.paint("!", yellow), text.Printable(s.Note))
		}
	}
	if len(r.Services) == 0 && r.Node != "" {
		fmt.Fprintln(w, text.Printable("no virtual service in "+r.Path+" has an address of this machine among its real servers"))
	}
	for i := range r.Done {
		t.writeHostChange(w, &r.Done[i], "")
	}
	left := t.paint("not done: ", red)
	if check {
		left = ""
	}
	for i := range r.Left {
		t.writeHostChange(w, &r.Left[i], left)
	}
	if r.OK && len(r.Done) == 0 {
		fmt.Fprintln(w, "nothing to change")
	}
	return w.Flush()
}

func (t Terminal) writeHostChange(w io.Writer, c *api.HostChange, prefix string) {
	line := c.Text
	if len(c.Services) > 0 {
		line += " (for " + strings.Join(c.Services, ", ") + ")"
	}
	fmt.Fprintf(w, "%s %s%s\n", t.sign(c.Action), prefix, text.Printable(line))
}
