package block

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/text"
)

// A Diagnostic is one mistake in a configuration, or one doubt about it.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Summary says in a few words what is wrong, Detail why, and what would
	// be right.
	Summary string `json:"summary"`
	Detail  string `json:"detail"`
	// File, Line and Column are where it begins; Line and Column count from 1.
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Block is the head of the top-level block around it.
	Block string `json:"block,omitempty"`
	// Source is the line, and Marked which part of it is meant: the bytes
	// from the first to before the second.
	Source string `json:"source"`
	Marked [2]int `json:"marked"`
	// Count is set where it stands for others that are not shown: how many.
	Count int `json:"count,omitempty"`
	// Nodes are those that a map has instead of the one that the files were read for.
	Nodes []string `json:"-"`
}

// Diagnostics are all mistakes in a configuration, in the order of the files
// and their lines.
type Diagnostics []Diagnostic

// String returns the diagnostic in one line: "web.hcl:12: unknown scheduler: …".
func (d Diagnostic) String() string {
	if d.File == "" {
		return d.Summary + ": " + d.Detail
	}
	return fmt.Sprintf("%s:%d: %s: %s", d.File, d.Line, d.Summary, strings.Join(strings.Fields(d.Detail), " "))
}

// HasErrors reports whether there is a diagnostic that is more than a warning.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Err returns the first mistake in one line, with the number of those that
// follow it; nil where there is none. A warning is no mistake.
func (ds Diagnostics) Err() error {
	first, more := "", 0
	for _, d := range ds {
		switch {
		case d.Severity != Error:
		case first == "":
			first = d.String()
		default:
			more += max(1, d.Count)
		}
	}
	switch {
	case first == "":
		return nil
	case more > 0:
		return fmt.Errorf("%s (and %d more)", first, more)
	default:
		return errors.New(first)
	}
}

// Render writes the diagnostics for people, each with the source line that it
// is about, the details wrapped at width columns (zero: not at all), with the
// terminal's colours or without.
func (ds Diagnostics) Render(w io.Writer, width int, color bool) error {
	for i, d := range ds {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, d.render(width, color)); err != nil {
			return err
		}
	}
	return nil
}

func (d Diagnostic) render(width int, color bool) string {
	title, hue := "Error", "\x1b[1;31m"
	if d.Severity == Warning {
		title, hue = "Warning", "\x1b[1;33m"
	}
	bold, plain := "\x1b[1m", "\x1b[0m"
	if !color {
		hue, bold, plain = "", "", ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s:%s %s%s%s\n", hue, title, plain, bold, printable(d.Summary), plain)
	if d.File != "" {
		fmt.Fprintf(&b, "  %s:%d", printable(d.File), d.Line)
		if d.Block != "" {
			fmt.Fprintf(&b, ", in %s", printable(d.Block))
		}
		b.WriteString(":\n")
	}
	if d.Source != "" {
		before, marked := printable(d.Source[:d.Marked[0]]), printable(d.Source[d.Marked[0]:d.Marked[1]])
		fmt.Fprintf(&b, "%6d | %s%s%s\n", d.Line, before, marked, printable(d.Source[d.Marked[1]:]))
		fmt.Fprintf(&b, "%6s | %*s%s%s%s\n", "", utf8.RuneCountInString(before), "", hue, carets(marked), plain)
	}
	for _, line := range wrap(d.Detail, width-2) {
		fmt.Fprintf(&b, "  %s\n", printable(line))
	}
	return b.String()
}

// printable makes text safe to print, with tabs as spaces, so that carets below
// a line are where they belong.
func printable(s string) string { return text.Printable(strings.ReplaceAll(s, "\t", "    ")) }

func carets(s string) string {
	return strings.Repeat("^", max(1, utf8.RuneCountInString(s)))
}

// wrap breaks a text between words into lines of at most width columns. What
// is indented is an example and stays as it is.
func wrap(s string, width int) (lines []string) {
	for paragraph := range strings.SplitSeq(s, "\n") {
		if width <= 0 || strings.HasPrefix(paragraph, " ") {
			lines = append(lines, paragraph)
			continue
		}
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines = append(lines, line)
				line = ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// Diagnostics returns the reports sorted by their place, each with the line
// that it is about. Of the arguments with the names in secrets, no value is shown, and
// nothing that it is made of.
func (s Sources) Diagnostics(r Reports, secrets []string) (out Diagnostics) {
	order := map[string]int{}
	for i, f := range s.files {
		order[f.name] = i
	}
	list := slices.Clone(r.list)
	slices.SortStableFunc(list, func(a, b Report) int {
		return cmp.Or(cmp.Compare(order[a.At.File], order[b.At.File]), cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Column, b.At.Column), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Summary, b.Summary))
	})
	list, rest := shorten(list, r)
	hidden := s.veil(secrets)
	for _, report := range list {
		d := Diagnostic{
			Severity: report.Severity, Summary: report.Summary, Detail: report.Detail,
			File: report.At.File, Line: report.At.Line, Column: report.At.Column,
			Nodes: report.Nodes,
		}
		if i, ok := order[d.File]; ok {
			s.files[i].quote(&d, report.At, hidden)
		}
		out = append(out, d)
	}
	return append(out, rest...)
}

// The most mistakes that are shown, the most warnings, and the most warnings of
// one kind.
const (
	maxShown = 500
	maxAlike = 10
)

// shorten leaves out those of all reports that are too many. The rest says how many
// they are.
func shorten(list []Report, all Reports) (few []Report, rest Diagnostics) {
	shown, alike := map[Severity]int{}, map[string]int{}
	for _, r := range list {
		if r.Severity == Warning && alike[r.Summary] == maxAlike {
			continue
		}
		if shown[r.Severity] == maxShown {
			continue
		}
		if r.Severity == Warning {
			alike[r.Summary]++
		}
		shown[r.Severity]++
		few = append(few, r)
	}
	if n := all.Mistakes - shown[Error]; n > 0 {
		least := ""
		if all.Mistakes >= MaxMistakes {
			least = "at least "
		}
		rest = append(rest, Diagnostic{Severity: Error, Summary: "and " + least + more(n, "mistake"), Detail: "Correct those above first.", Count: n})
	}
	if n := all.Doubts - shown[Warning]; n > 0 {
		rest = append(rest, Diagnostic{Severity: Warning, Summary: "and " + more(n, "warning"), Detail: "Of each kind, " + strconv.Itoa(maxAlike) + " are shown at most.", Count: n})
	}
	return few, rest
}

// more returns "1 more thing" or "2 more things".
func more(n int, thing string) string {
	if n == 1 {
		return "1 more " + thing
	}
	return fmt.Sprintf("%d more %ss", n, thing)
}

// maxQuoted is how much of a line is shown, in bytes.
const maxQuoted = 400

// quote fills in what the file says at the place of a diagnostic, without what is
// hidden.
func (f *source) quote(d *Diagnostic, at Place, hidden veil) {
	if f.opaque {
		return
	}
	from := min(max(at.Start, 0), len(f.text))
	to := min(max(at.End, from), len(f.text))
	start, end := f.bounds(from)
	secret := hidden.covers(f, from)
	if !secret {
		start = max(start, from-maxQuoted/2)
	}
	end = min(end, start+maxQuoted)
	d.Source = strings.ToValidUTF8(strings.TrimRight(string(f.text[start:end]), "\r"), "?")
	d.Marked[0] = min(from-start, len(d.Source))
	d.Marked[1] = min(max(min(to, end)-start, d.Marked[0]), len(d.Source))
	for _, c := range f.blocks {
		if c.start < from && from < c.end {
			d.Block = shortened(c.header(f.text))
		}
	}
	if secret {
		d.hide(hidden.names)
	}
}

// equals is what a line may show after the name of a secret argument.
var equals = text.Pattern(`^[ \t]*[={:]?[ \t]*\{?`)

// hide takes the value out of a message about a secret argument: what is left of its
// line is the name, if it begins with that.
func (d *Diagnostic) hide(secrets []string) {
	line := strings.TrimLeft(d.Source, " \t")
	name := firstWord([]byte(line))
	shown := len(d.Source) - len(line)
	if slices.Contains(secrets, string(name)) {
		shown += len(name) + len(equals().FindString(line[len(name):]))
	}
	if shown < len(d.Source) {
		d.Source = d.Source[:shown] + "…"
	}
	for i := range d.Marked {
		d.Marked[i] = min(d.Marked[i], shown)
	}
	// What has an equals sign is an argument that stands outside by mistake.
	if slices.ContainsFunc(append(slices.Clip(secrets), "="), func(name string) bool { return strings.Contains(d.Block, name) }) {
		d.Block = ""
	}
	d.Summary, d.Detail = discreet(d.Summary, 0), discreet(d.Detail, 0)
}
