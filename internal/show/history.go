package show

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteHistory lists configurations that are kept.
func (t Terminal) WriteHistory(out io.Writer, all []api.Configuration) error {
	w := bufio.NewWriter(out)
	if len(all) == 0 {
		fmt.Fprintln(w, "no configuration is kept")
		return w.Flush()
	}
	list := table{columns: []column{{title: "NUMBER", right: true}, {title: "ACCEPTED"}, {title: "DIGEST", rank: 1}, {title: "BYTES", right: true}, {title: "FILES"}}}
	for i := range all {
		c := &all[i]
		size := 0
		var names []string
		for _, f := range c.Files {
			size += f.Size
			names = append(names, filepath.Base(f.Path))
		}
		list.add(numberCell(c.Number), textCell(clock(c.Accepted)), textCell(c.Digest[:min(len(c.Digest), 12)]), numberCell(uint64(size)), textCell(strings.Join(names, " ")))
	}
	list.write(w, t)
	return w.Flush()
}

// WriteConfiguration prints the files of a configuration; where there are several, each after
// a comment with its path.
func WriteConfiguration(out io.Writer, c *api.Configuration) error {
	w := bufio.NewWriter(out)
	for i, f := range c.Files {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if len(c.Files) > 1 {
			fmt.Fprintf(w, "# %s\n", text.Printable(f.Path))
		}
		for line := range strings.Lines(f.Text) {
			parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			for j := range parts {
				parts[j] = text.Printable(parts[j])
			}
			fmt.Fprintln(w, strings.Join(parts, "\t"))
		}
	}
	return w.Flush()
}
