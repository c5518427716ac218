package show

import (
	"bufio"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteCompared prints two configurations beside each other, or on a narrow terminal what
// differs below each other.
func (t Terminal) WriteCompared(out io.Writer, c *api.Compared) error {
	w := bufio.NewWriter(out)
	total, different := 0, 0
	for _, d := range c.Directors {
		if len(c.Directors) > 1 {
			fmt.Fprintln(w, t.paint("director "+text.Printable(d.Name), bold))
		}
		for i := range d.Rows {
			if total++; d.Rows[i].Differs {
				different++
			}
		}
		for rest := d.Rows; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].About == rest[0].About {
				n++
			}
			t.writeBeside(w, c.Program, rest[:n])
			rest = rest[n:]
		}
	}
	if different == 0 {
		fmt.Fprintf(w, "%s, and none differs\n", text.Count(total, "row"))
	} else {
		fmt.Fprintf(w, "%s; %s\n", text.Count(total, "row"), t.paint(fmt.Sprintf("%d of them %s, marked ~, or - and + where only one has it", different, map[bool]string{true: "differs", false: "differ"}[different == 1]), red))
	}
	return w.Flush()
}

// absent is printed where one of both has nothing.
const absent = "(none)"

// beside are the cells of a row.
func beside(r *api.ComparedRow) (mark, key, theirs, ours cell) {
	side := func(s *string) cell {
		if s == nil {
			return textCell(absent)
		}
		return textCell(*s)
	}
	mark = cell{text: " "}
	switch {
	case r.Ours == nil:
		mark = cell{"-", red}
	case r.Theirs == nil:
		mark = cell{"+", green}
	case r.Differs:
		mark = cell{"~", yellow}
	}
	return mark, textCell(r.Key), side(r.Theirs), side(r.Ours)
}

// writeBeside prints rows about one thing.
func (t Terminal) writeBeside(w *bufio.Writer, program string, rows []api.ComparedRow) {
	list := table{columns: []column{{}, {title: rows[0].About}, {title: text.Printable(program)}, {title: "lvsd"}}}
	for i := range rows {
		mark, key, theirs, ours := beside(&rows[i])
		for _, c := range [...]*cell{&key, &theirs, &ours} {
			c.paint = mark.paint
		}
		list.add(mark, key, theirs, ours)
	}
	width := 0
	for _, n := range list.widths() {
		width += n + len(gap)
	}
	if t.Width == 0 || width-len(gap) <= t.Width {
		list.write(w, t)
		return
	}
	t.writeBelow(w, program, &list)
}

// writeBelow prints the rows of a table that is too wide: both sides below their key, or one for
// both where they are equal.
func (t Terminal) writeBelow(w *bufio.Writer, program string, list *table) {
	fmt.Fprintln(w, t.paint(list.columns[1].title, bold))
	long := max(utf8.RuneCountInString(program), len("lvsd"))
	for _, row := range list.rows {
		fmt.Fprintf(w, "%s %s\n", t.paint(row[0].text, row[0].paint), t.paint(row[1].text, row[1].paint))
		if row[0].text == " " && row[2].text == row[3].text {
			fmt.Fprintf(w, "      %s\n", row[2].text)
			continue
		}
		fmt.Fprintf(w, "      %-*s  %s\n      %-*s  %s\n", long, text.Printable(program), row[2].text, long, "lvsd", row[3].text)
	}
}
