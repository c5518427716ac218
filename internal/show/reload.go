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
		atOnce := ""
		if a.Trial.Spare != nil {
			atOnce = fmt.Sprintf("; at once if a virtual service is no longer served, or more than %s that served are down", text.Count(*a.Trial.Spare, "real server"))
		}
		fmt.Fprintf(out, "on trial: the configuration before runs again at %s, unless lvsd confirm comes before%s\n", clock(a.Trial.Until), atOnce)
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
