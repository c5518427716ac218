package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// titles say of each part where and how it was measured.
var titles = map[string]string{
	"config":   "Configuration of 1,000 services × 10 servers, in this process on this kernel",
	"failover": "Failover in network namespaces of this kernel: adverts every second, the client's gap by an echo every 2 ms",
	"start":    "A pair of directors with one service, three servers and HTTP checks, adverts every second, ",
	"table":    "1,000 services × 10 servers, ",
	"checks":   "TCP checks of 200 answering servers, one a second each, ",
}

// notes say what a reader must know to believe a part's figures.
var notes = map[string]string{
	"failover": `The moment is random within the advert interval. "Holders" counts the directors that hold the address
when the watch ends: one is right.`,
	"start": `The client asks every 20 ms. 3.41 s of the time are VRRP's: the first director, of priority 150, must not have
heard a Master for so long. lvsd serves no page before each server was checked once, keepalived takes them for up.`,
	"table": `Both have TCP checks of all 10,000 servers, once an hour, which a listener answers. keepalived spreads the
first ones over the hour; lvsd makes them all at once as soon as the table is loaded, and its memory is looked
at when they are done. Memory is the PSS of all processes of a daemon together.`,
	"checks": `The processes' time is utime + stime, which some kernels count in ticks of 10 ms: the figures of a run scatter.
The machine's is the time that it was not idle, by the idle clock: both ends of the connections are in it.`,
}

// printTable prints the figures for people.
func printTable(w io.Writer, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i, f := range figures {
		if i == 0 || figures[i-1].Part != f.Part {
			if i > 0 {
				printNotes(t, figures[i-1].Part)
			}
			fmt.Fprintf(t, "\n%s\n\n", titles[f.Part]+f.Place)
			fmt.Fprint(t, "  median (least to most)\tlvsd\tkeepalived\tratio\tgoal\t\n")
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", f.Name, spread(f.LVSD, f.Unit), spread(f.Peer, f.Unit), f.ratioText(), f.goalText())
	}
	if n := len(figures); n > 0 {
		printNotes(t, figures[n-1].Part)
	}
	return t.Flush()
}

func printNotes(w io.Writer, part string) {
	if text := notes[part]; text != "" {
		fmt.Fprintf(w, "\n  %s\n", strings.ReplaceAll(text, "\n", "\n  "))
	}
}

// spread is the median with the least and the most of the runs.
func spread(runs []float64, unit string) string {
	switch len(runs) {
	case 0:
		return "–"
	case 1:
		return quantity(runs[0], unit)
	}
	return fmt.Sprintf("%s (%s–%s)", quantity(median(runs), unit), quantity(slices.Min(runs), unit), quantity(slices.Max(runs), unit))
}

// quantity is a value with its unit, to about three digits.
func quantity(v float64, unit string) string {
	switch unit {
	case unitTime:
		d := time.Duration(v * float64(time.Second))
		for _, grain := range []time.Duration{10 * time.Millisecond, 100 * time.Microsecond, time.Microsecond} {
			if d >= 100*grain {
				return d.Round(grain).String()
			}
		}
		return d.Round(time.Microsecond / 10).String()
	case unitBytes:
		return fmt.Sprintf("%.1f MB", v/1e6)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

func (f Figure) ratioText() string {
	r, ok := f.ratio()
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2g", r)
}

func (f Figure) goalText() string {
	if f.Goal == nil {
		return "–\t"
	}
	goal := "≤ " + quantity(f.Goal.Bound, f.Unit)
	if f.Goal.Ratio {
		goal = fmt.Sprintf("ratio ≤ %.2g", f.Goal.Bound)
	}
	if f.met() {
		return goal + "\tmet"
	}
	return goal + "\tMISSED"
}
