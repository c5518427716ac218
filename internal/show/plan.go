package show

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WritePlan prints what a reload would change, and to errs the warnings, or the mistakes
// for which it would be refused. The error is that refusal.
func (t Terminal) WritePlan(out, errs io.Writer, p *api.Plan) error {
	switch {
	case !p.OK && p.Diagnosis == "":
		return fmt.Errorf("it would be refused: %s", text.Printable(p.Error))
	case !p.OK:
		fmt.Fprintln(errs, p.Diagnosis) // it was made printable line by line
		return errors.New("it would be refused: the configuration has mistakes")
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(errs, "warning:", text.Printable(w))
	}
	w := bufio.NewWriter(out)
	if !p.Differences {
		fmt.Fprintln(w, "nothing would change")
		return w.Flush()
	}
	for i := range p.Changes {
		t.writeDifference(w, &p.Changes[i])
	}
	t.writeRows(w, "IPVS table, at once:", p.Table)
	t.writeRows(w, "IPVS table, when real servers without a result have passed their checks:", p.Later)
	fmt.Fprintln(w, t.summary(p))
	return w.Flush()
}

// signs are how actions are printed.
var signs = map[api.Action]cell{api.Add: {"+", green}, api.Change: {"~", yellow}, api.Remove: {"-", red}}

// sign is how a line of a plan begins.
func (t Terminal) sign(a api.Action) string {
	s := signs[a]
	return t.paint(s.text, s.paint)
}

func (t Terminal) writeDifference(w io.Writer, d *api.Difference) {
	indent := ""
	if d.In != "" {
		indent = "    "
	}
	line := strings.ReplaceAll(d.Kind, "_", " ")
	switch {
	case d.Kind == "route" || d.Kind == "rule":
		line = d.Name // It begins with that word.
	case d.Name != "":
		line += " " + d.Name
	}
	if len(d.What) > 0 {
		line += ": " + strings.Join(d.What, ", ")
	}
	switch {
	case d.In != "":
		line += " (" + inWords(d.In)
		if d.Now {
			line += ", at once"
		}
		line += ")"
	}
	fmt.Fprintf(w, "%s%s %s\n", indent, t.sign(d.Action), text.Printable(line))
}

// inWords is what a thing is in: "virtual router outside".
func inWords(in string) string {
	kind, name, _ := strings.Cut(in, " ")
	return strings.TrimSpace(strings.ReplaceAll(kind, "_", " ") + " " + name)
}

func (t Terminal) writeRows(w io.Writer, title string, rows []api.RowChange) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(w, t.paint(title, bold))
	for i := range rows {
		fmt.Fprintf(w, "    %s %s\n", t.sign(rows[i].Action), text.Printable(rowLine(&rows[i])))
	}
}

// rowLine is a row of the table in words.
func rowLine(r *api.RowChange) string {
	name := r.Service
	if name == "" {
		name = r.ServiceAddress
	}
	if r.Server == "" {
		line := fmt.Sprintf("virtual service %s (%s)", name, r.Address)
		if r.Action != api.Remove {
			line += ": ipvsadm " + r.Command
		}
		return line
	}
	line := fmt.Sprintf("%s/%s (%s): ", name, r.Server, r.Address)
	switch {
	case r.Action == api.Remove:
		line += connectionsCut(uint64(r.Connections), uint64(r.Established))
	case r.Action == api.Add:
		line += fmt.Sprintf("weight %d", r.Weight)
	case r.Was != r.Weight:
		line += fmt.Sprintf("weight %d -> %d", r.Was, r.Weight)
	default:
		line += "ipvsadm " + r.Command
	}
	if r.Weight != r.Configured && r.Action != api.Remove {
		line += fmt.Sprintf(" of %d", r.Configured)
	}
	if r.Reason != "" {
		line += ", " + r.Reason
	}
	return line
}

// connectionsCut says how many connections are cut.
func connectionsCut(all, established uint64) string {
	if all == 0 {
		return "no connection is cut"
	}
	verb := "are"
	if all == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s cut, %d of them established", text.Count(all, "connection"), verb, established)
}

// summary counts what a plan has.
func (t Terminal) summary(p *api.Plan) string {
	n := map[api.Action]int{}
	for i := range p.Changes {
		n[p.Changes[i].Action]++
	}
	rows := len(p.Table) + len(p.Later)
	line := fmt.Sprintf("%s, %s, %s; %s of the table", text.Count(n[api.Add], "addition"), text.Count(n[api.Change], "change"), text.Count(n[api.Remove], "removal"), text.Count(rows, "row"))
	return line + "; " + connectionsCut(p.Connections, p.Established)
}
