package show

import (
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

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
