package show

import (
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteApplied prints how a configuration was taken, as WriteReload does, and that it is on
// trial, if it is.
func WriteApplied(out, errs io.Writer, a *api.Applied) error {
	if err := WriteReload(out, errs, &a.Reloaded, false); err != nil {
		return err
	}
	if a.Trial != nil {
		fmt.Fprintf(out, "on trial: the configuration before runs again at %s, unless lvsd confirm comes before, and at once if too much is lost (--lose)\n", clock(a.Trial.Until))
	}
	return nil
}

// WriteReload prints how a reload has ended: to out what it changed, and to errs
// the warnings, or, unless brief, the mistakes for which it was refused. The
// error is that refusal.
func WriteReload(out, errs io.Writer, o *api.Reloaded, brief bool) error {
	switch {
	case !o.OK && o.Diagnosis == "":
		return fmt.Errorf("reload refused: %s", text.Printable(o.Error))
	case !o.OK:
		if !brief {
			fmt.Fprintln(errs, o.Diagnosis) // it was made printable line by line
		}
		return errors.New("reload refused: the configuration has mistakes; the previous one keeps running")
	}
	for _, w := range o.Warnings {
		fmt.Fprintln(errs, "warning:", text.Printable(w))
	}
	if len(o.Changes) == 0 {
		fmt.Fprintln(out, "reloaded: nothing has changed")
	}
	for _, change := range o.Changes {
		fmt.Fprintln(out, "reloaded:", text.Printable(change))
	}
	return nil
}
