package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteLosses prints what did not come along of another program's configuration, and which
// files with secrets belong to it.
func (t Terminal) WriteLosses(out io.Writer, im *api.Imported) error {
	w := bufio.NewWriter(out)
	counts := make(map[string]int)
	for i := range im.Losses {
		l := &im.Losses[i]
		counts[l.Kind]++
		place := l.File
		if l.Line > 0 {
			place = fmt.Sprintf("%s:%d", l.File, l.Line)
		}
		if l.Node != "" {
			place += " (" + l.Node + ")"
		}
		p := map[string]paint{"lost": red, "differs": yellow}[l.Kind]
		fmt.Fprintf(w, "%s: %s: %s\n", text.Printable(place), t.paint(l.Kind, p), text.Printable(l.Text))
		if i+1 < len(im.Losses) && sameWhy(l, &im.Losses[i+1]) {
			continue // it is said once, below the last of them
		}
		for _, line := range []string{l.Reason, l.Remedy} {
			if line != "" {
				fmt.Fprintf(w, "    %s\n", text.Printable(line))
			}
		}
	}
	switch {
	case counts["lost"]+counts["differs"] > 0:
		fmt.Fprintf(w, "%s lost, %d done differently, %s\n", text.Count(counts["lost"], "thing"), counts["differs"], text.Count(counts["note"], "note"))
	case counts["note"] > 0:
		fmt.Fprintf(w, "nothing is lost; %s\n", text.Count(counts["note"], "note"))
	}
	if len(im.Secrets) > 0 {
		fmt.Fprintf(w, "with --output, these files with keys and passwords are written, too: %s\n", text.Printable(strings.Join(im.Secrets, ", ")))
	}
	return w.Flush()
}

// sameWhy reports whether the same is to be said of two losses.
func sameWhy(a, b *api.ImportLoss) bool {
	return a.Kind == b.Kind && a.Reason == b.Reason && a.Remedy == b.Remedy
}
