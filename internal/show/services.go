package show

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

func (t Terminal) writeServices(w *bufio.Writer, st *api.Status) {
	if len(st.Services) == 0 {
		w.WriteString("No virtual service is configured: this director balances nothing.\n")
		return
	}
	rows := table{columns: []column{
		{title: "SERVICE"}, {title: "ADDRESS"}, {title: "METHOD", rank: 5}, {title: "HEALTH"}, {title: "FOR", right: true, rank: 3},
		{title: "WEIGHT", right: true}, {title: "KERNEL", right: true, rank: 2},
		{title: "ACTIVE", right: true, rank: 1}, {title: "INACTIVE", right: true, rank: 4}, {title: "LAST RESULT"},
	}}
	for i := range st.Services {
		s := &st.Services[i]
		rows.add(cell{text.Printable(s.Name), bold}, textCell(s.Address), textCell(s.Scheduler), serviceCell(s))
		before := "  "
		if t.Wide {
			before = s.Name + "/"
		}
		for j := range s.Servers {
			if t.problems && passes(&s.Servers[j]) {
				continue
			}
			rows.add(serverRow(st.Time, before, &s.Servers[j])...)
		}
		for j := range s.Fallbacks {
			rows.add(spareRow(st.Time, before, &s.Fallbacks[j])...)
		}
		if f := s.Fallback; f != nil {
			rows.add(fallbackRow(before, f)...)
		}
	}
	t.writeReasons(w, st, rows.write(w, t))
}

// maxReasons bounds the reasons that are printed below the table.
const maxReasons = 10

// writeReasons prints in full the last results that are not good, where they have
// more than room characters, which the table's last column has for them.
func (t Terminal) writeReasons(w *bufio.Writer, st *api.Status, room int) {
	cut := 0
	for i := range st.Services {
		for j := range st.Services[i].Servers {
			s := &st.Services[i].Servers[j]
			reason := results(s)
			if reason.paint == plain || utf8.RuneCountInString(reason.text) <= room {
				continue
			}
			name := st.Services[i].Name + "/" + s.Name
			if s.Health == api.Down {
				name += " is down"
			}
			if cut++; cut <= maxReasons {
				fmt.Fprintf(w, "%s: %s\n", text.Printable(name), t.paint(reason.text, reason.paint))
			}
		}
	}
	if cut > maxReasons {
		fmt.Fprintf(w, "and %d more: \"lvsd status | less -S\" shows every reason in full\n", cut-maxReasons)
	}
}

func serviceCell(s *api.Service) cell {
	up := 0
	for i := range s.Servers {
		if serves(&s.Servers[i]) {
			up++
		}
	}
	c := cell{fmt.Sprintf("%d/%d up", up, len(s.Servers)), green}
	if s.Suspended {
		c.text += ", suspended"
	}
	switch {
	case s.Supply == api.Withheld:
		c = textCell("withheld")
	case !s.InKernel:
		c = cell{"missing", red}
	case s.Supply == api.Unserved:
		c.paint = red
	case s.BelowMinimum:
		c.paint = yellow
	case up < len(s.Servers):
		c.paint = yellow
	}
	return c
}

// serves reports whether a real server takes connections: weight 0 drains it, and
// one that is full waits until it has fewer.
func serves(s *api.Server) bool { return passes(s) && s.Weight > 0 && !s.Full && !idle(s) }

// idle reports whether a check of a real server says that it is to take no connections.
func idle(s *api.Server) bool {
	switch s.DecidedBy {
	case api.ByMaintenance, api.ByDrain:
		return true
	case api.ByChecks:
		return s.InKernel && s.KernelWeight == 0
	}
	return false
}

// passes reports whether a real server is up, or not checked at all.
func passes(s *api.Server) bool {
	return s.Health == api.Up || s.Health == api.Unchecked
}

// serverRow is the row of a real server; before goes before its name.
func serverRow(now time.Time, before string, s *api.Server) []cell {
	health := textCell(string(s.Health))
	switch {
	case passes(s) && s.Weight == 0:
		health = cell{"drained", yellow}
	case s.Full:
		health = cell{"full", yellow}
	case s.DecidedBy == api.ByChecks && idle(s):
		health = cell{string(api.ByDrain), yellow}
	case s.DecidedBy != "" && s.DecidedBy != api.ByChecks && s.DecidedBy != api.ByOnFailure:
		health = cell{string(s.DecidedBy), yellow}
	case s.Health == api.Up:
		health.paint = green
	case s.Health == api.Down:
		health.paint = red
	}
	return append([]cell{textCell(before + s.Name), textCell(s.Address), textCell(s.Forward), health, textCell(age(now, s.Since))},
		append(kernelCells(s), results(s))...)
}

// spareRow is the row of a fallback that is checked or one of several.
func spareRow(now time.Time, before string, f *api.Server) []cell {
	state := textCell("standby")
	switch {
	case f.InKernel && f.KernelWeight > 0:
		state = cell{"serving", yellow}
	case f.Health == api.Down:
		state = cell{"down", red}
	}
	return append([]cell{textCell(before + "(" + f.Name + ")"), textCell(f.Address), textCell(f.Forward), state, textCell(age(now, f.Since))},
		append(kernelCells(f), results(f))...)
}

func fallbackRow(before string, f *api.Server) []cell {
	state := textCell("standby")
	if f.InKernel && f.KernelWeight > 0 {
		state = cell{"serving", yellow}
	}
	return append([]cell{textCell(before + "(fallback)"), textCell(f.Address), textCell(f.Forward), state, {}}, kernelCells(f)...)
}

// kernelCells returns the configured weight, the kernel's weight, and the active
// and inactive connections. A server that is not in the kernel has only the first.
func kernelCells(s *api.Server) []cell {
	if !s.InKernel {
		return []cell{numberCell(uint64(s.Weight)), textCell("-"), textCell("-"), textCell("-")}
	}
	kernel := numberCell(uint64(s.KernelWeight))
	if s.KernelWeight != s.Weight {
		kernel.paint = yellow
	}
	return []cell{numberCell(uint64(s.Weight)), kernel, numberCell(uint64(s.Counters.Active)), numberCell(uint64(s.Counters.Inactive))}
}

// grouped says which other checks a check belongs to.
func grouped(group string) string {
	if group == "" {
		return ""
	}
	return " (" + group + ")"
}

// results returns the last result of each check. One that has failed is no alarm where
// others were enough.
func results(s *api.Server) cell {
	var all []string
	p := plain
	for _, c := range s.Checks {
		name := c.Kind + grouped(c.Group)
		if c.Asked != "" {
			name += " at " + c.Asked
		}
		switch r := c.Last; r.Outcome {
		case api.Passed:
			says := ""
			if r.Advice != "" {
				says = " (" + r.Advice + ")"
			}
			if r.Detail != "" {
				says += ", as before: " + r.Detail
				if p == plain {
					p = yellow
				}
			}
			all = append(all, fmt.Sprintf("%s: ok%s, %s", name, says, latency(r.Latency)))
		case api.Failed:
			all = append(all, fmt.Sprintf("%s: %s, %s", name, cmp.Or(r.Detail, "failed"), latency(r.Latency)))
			if c.Group == "" || !passes(s) {
				p = red
			} else if p == plain {
				p = yellow
			}
		case api.NotRun:
			all = append(all, fmt.Sprintf("%s: not run: %s", name, r.Detail))
			p = yellow
		default:
			all = append(all, name+": no result yet")
		}
	}
	return cell{text.Printable(strings.Join(all, "; ")), p}
}
