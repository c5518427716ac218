package show

import (
	"bufio"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteWhatIf prints what would be if real servers were down.
func (t Terminal) WriteWhatIf(out io.Writer, all *api.WhatIf) error {
	w := bufio.NewWriter(out)
	for i := range all.Services {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t.writeWhatIfService(w, &all.Services[i])
	}
	return w.Flush()
}

func (t Terminal) writeWhatIfService(w *bufio.Writer, s *api.WhatIfService) {
	fmt.Fprintf(w, "%s (%s): %s", t.paint(text.Printable(s.Name), bold), text.Printable(s.Address), text.Count(s.Connections, "connection"))
	if s.Rate != nil {
		fmt.Fprintf(w, ", %.1f new ones a second", *s.Rate)
	}
	switch {
	case s.Supply == api.Unserved && s.Was == api.Served:
		fmt.Fprintf(w, "; %s: %s", t.paint("unserved then", red), text.Printable(api.Explain(s.Reason)))
	case s.Supply != api.Served:
		fmt.Fprintf(w, "; %s", s.Supply)
	}
	fmt.Fprintln(w)
	list := table{columns: []column{{title: "  SERVER"}, {title: "ADDRESS", rank: 1}, {title: "WEIGHT", right: true}, {title: "SHARE", right: true},
		{title: "CONNECTIONS", right: true}, {title: "UPPER", right: true, rank: 2}, {title: "A SECOND", right: true}, {title: ""}}}
	for i := range s.Servers {
		list.add(whatIfCells(&s.Servers[i])...)
	}
	if len(list.rows) > 0 {
		list.write(w, t)
	}
}

// whatIfCells are the row of one real server.
func whatIfCells(s *api.WhatIfServer) []cell {
	weight, upper, rate, note := fmt.Sprint(s.Weight), "-", "-", cell{}
	if s.Weight != s.WasWeight {
		weight = fmt.Sprintf("%d -> %d", s.WasWeight, s.Weight)
	}
	if s.Upper > 0 {
		upper = fmt.Sprint(s.Upper)
	}
	if s.Rate != nil {
		rate = fmt.Sprintf("%.1f", *s.Rate)
	}
	switch {
	case s.Down:
		note = cell{"down", red}
	case s.Over:
		note = cell{"full: no new connections", red}
	}
	return []cell{textCell("  " + s.Name), textCell(s.Address), {text: weight}, {text: fmt.Sprintf("%s -> %s", percent(s.WasShare), percent(s.Share))},
		numberCell(s.Connections), {text: upper}, {text: rate}, note}
}

// percent is a share in percent.
func percent(share float64) string { return fmt.Sprintf("%.0f%%", share*100) }
