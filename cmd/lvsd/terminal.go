package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/daemon"
)

// minWidth is the least width that is believed, in columns.
const minWidth = 40

// terminal returns the width of a terminal in columns, and whether to use colour
// there, as the value of --color says. The width is zero if w is not a terminal, unless COLUMNS has it: watch(1)
// reads from a pipe, and sets that.
func terminal(w io.Writer, color string) (width int, colour bool) {
	columns, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || columns < minWidth {
		columns = 0
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return columns, color == colorAlways
	}
	width, _, err = term.GetSize(int(f.Fd()))
	switch {
	case columns > 0:
		width = columns
	case err != nil || width < minWidth:
		width = defaultWidth
	}
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return width, color == colorAlways || color == colorAuto && !plain
}

// defaultWidth is how wide text is wrapped if the width is unknown, in columns.
const defaultWidth = 78

// complaints returns where to write what is wrong: w, or, where that is the
// journal, w with each line noted as an error.
func complaints(w io.Writer) io.Writer {
	if daemon.IsJournal(w) {
		return &daemon.Prefixed{W: w, Prefix: daemon.ErrorPriority}
	}
	return w
}

// renderDiagnostics prints diagnostics for people, in colour as the value of
// --color says.
func renderDiagnostics(w io.Writer, diags config.Diagnostics, color string) error {
	width, colour := terminal(w, color)
	if width == 0 {
		width = defaultWidth
	}
	if err := diags.Render(complaints(w), width, colour); err != nil {
		return fmt.Errorf("printing the diagnostics: %w", err)
	}
	return nil
}
