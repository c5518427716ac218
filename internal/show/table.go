package show

import (
	"bufio"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/text"
)

// A Terminal is what things are printed on: Width characters wide, or without
// bound if that is zero, in colour or not. Wide: real servers have their service's
// name.
type Terminal struct {
	Width int
	Color bool
	Wide  bool
	// problems leaves out the real servers that pass.
	problems bool
}

// paint wraps s in a colour.
func (t Terminal) paint(s string, p paint) string {
	if !t.Color || p == plain {
		return s
	}
	return "\x1b[" + string(p) + "m" + s + "\x1b[0m"
}

// A paint is how a cell stands out on a terminal, as the parameter of the
// escape sequence "select graphic rendition" (ECMA-48 8.3.117).
type paint string

const (
	plain  paint = ""
	bold   paint = "1"
	red    paint = "31"
	green  paint = "32"
	yellow paint = "33"
)

// A cell is one printable text.
type cell struct {
	text  string
	paint paint
}

// textCell makes a cell of any text.
func textCell(s string) cell { return cell{text: text.Printable(s)} }

func numberCell(n uint64) cell { return cell{text: strconv.FormatUint(n, 10)} }

// A column is a column of a table. On a narrow terminal columns are left out,
// the one with the greatest rank first; those of rank zero stay.
type column struct {
	title string
	right bool
	rank  int
}

// A table has rows under titled columns. Its last column is cut to fit the
// width, but not below minLast; nothing else is cut, so that no address or
// number is ever shown in part.
type table struct {
	columns []column
	rows    [][]cell
}

const (
	gap     = "  "
	minLast = 16
)

// add appends a row, with a cell for each column; missing ones are empty.
func (t *table) add(cells ...cell) {
	row := make([]cell, len(t.columns))
	copy(row, cells)
	t.rows = append(t.rows, row)
}

// write prints the table and returns the width that was left to its last column.
func (t *table) write(w *bufio.Writer, on Terminal) int {
	widths := t.widths()
	shown := t.fit(widths, on.Width)
	header := make([]cell, len(t.columns))
	for i, c := range t.columns {
		header[i] = cell{c.title, bold}
	}
	for _, row := range append([][]cell{header}, t.rows...) {
		t.writeRow(w, on, row, widths, shown)
	}
	return widths[len(widths)-1]
}

// widths returns each column's width in characters.
func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = utf8.RuneCountInString(c.title)
	}
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	return widths
}

// fit chooses the columns to show, and shrinks the last one.
func (t *table) fit(widths []int, width int) []bool {
	last := len(widths) - 1
	shown := make([]bool, len(widths))
	total := 0
	for i := range shown {
		shown[i] = true
		total += widths[i] + len(gap)
	}
	total -= len(gap)
	if width <= 0 {
		return shown
	}
	for total-max(0, widths[last]-minLast) > width {
		drop := -1
		for i, c := range t.columns {
			if shown[i] && c.rank > 0 && (drop < 0 || c.rank > t.columns[drop].rank) {
				drop = i
			}
		}
		if drop < 0 {
			break
		}
		shown[drop] = false
		total -= widths[drop] + len(gap)
	}
	if total > width {
		widths[last] = max(min(widths[last], minLast), widths[last]-(total-width))
	}
	return shown
}

func (t *table) writeRow(w *bufio.Writer, on Terminal, row []cell, widths []int, shown []bool) {
	blank := 0 // spaces to write before the next text, so that no line ends in one
	for i, c := range row {
		if !shown[i] {
			continue
		}
		s := cut(c.text, widths[i])
		pad := widths[i] - utf8.RuneCountInString(s)
		if t.columns[i].right {
			blank, pad = blank+pad, 0
		}
		if s != "" {
			w.WriteString(strings.Repeat(" ", blank))
			w.WriteString(on.paint(s, c.paint))
			blank = 0
		}
		blank += pad + len(gap)
	}
	w.WriteByte('\n')
}

// cut shortens s to width characters and marks that it did.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}
