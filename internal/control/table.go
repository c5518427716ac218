package control

import (
	"bufio"
	"strings"
	"unicode/utf8"
)

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

// A column is a table's column. On a narrow terminal those that may go do so,
// the one with the greatest rank first; rank zero stays.
type column struct {
	title string
	right bool
	rank  int
}

// A table is rows under titled columns. Its last column is cut to fit the
// width, if that leaves it minLast; nothing else is cut, so that no address or
// number is ever shown in part.
type table struct {
	columns []column
	rows    [][]cell
}

const (
	gap     = "  "
	minLast = 16
)

// add appends a row, with a cell for each column; those left out are empty.
func (t *table) add(cells ...cell) {
	row := make([]cell, len(t.columns))
	copy(row, cells)
	t.rows = append(t.rows, row)
}

// write prints the table for a view, and returns the width that was left to
// the last column.
func (t *table) write(w *bufio.Writer, v View) int {
	widths := t.widths()
	shown := t.fit(widths, v.Width)
	header := make([]cell, len(t.columns))
	for i, c := range t.columns {
		header[i] = cell{c.title, bold}
	}
	for _, row := range append([][]cell{header}, t.rows...) {
		t.writeRow(w, v, row, widths, shown)
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

func (t *table) writeRow(w *bufio.Writer, v View, row []cell, widths []int, shown []bool) {
	blank := 0 // spaces that are owed, so that no line ends in one
	for i, c := range row {
		if !shown[i] {
			continue
		}
		text := cut(c.text, widths[i])
		pad := widths[i] - utf8.RuneCountInString(text)
		if t.columns[i].right {
			blank, pad = blank+pad, 0
		}
		if text != "" {
			w.WriteString(strings.Repeat(" ", blank))
			w.WriteString(v.paint(text, c.paint))
			blank = 0
		}
		blank += pad + len(gap)
	}
	w.WriteByte('\n')
}

// cut shortens text to width characters and marks that it did.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}
