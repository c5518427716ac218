package show

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// WriteOrdered prints what became of an order, for people or as JSON, and to errs the
// warnings. The error is that it was not carried out, or not for all virtual routers.
func WriteOrdered(out, errs io.Writer, o *api.Ordered, asJSON bool) error {
	return write(out, errs, o, asJSON, writeOrdered)
}

// WriteAsserted does the same for the order to run hooks again.
func WriteAsserted(out, errs io.Writer, o *api.Ordered, asJSON bool) error {
	return write(out, errs, o, asJSON, writeAsserted)
}

func write(out, errs io.Writer, o *api.Ordered, asJSON bool, forPeople func(io.Writer, *api.Ordered)) error {
	if asJSON {
		if err := json.NewEncoder(out).Encode(o); err != nil {
			return err
		}
	} else {
		forPeople(out, o)
	}
	for _, w := range o.Warnings {
		fmt.Fprintln(errs, "warning:", text.Printable(w))
	}
	if !o.OK {
		return errors.New(text.Printable(o.Error))
	}
	return nil
}

func writeOrdered(out io.Writer, o *api.Ordered) {
	for i := range o.Routers {
		fmt.Fprintf(out, "%s: %s\n", text.Printable(o.Routers[i].Router), moved(&o.Routers[i]))
	}
	for _, line := range o.Ended {
		fmt.Fprintln(out, "ended:", text.Printable(line))
	}
	if s := o.Standby; s != nil && s.Until.IsZero() {
		fmt.Fprintln(out, "in standby: until lvsd resume")
	} else if s != nil {
		fmt.Fprintf(out, "in standby: until %s, or lvsd resume\n", clock(s.Until))
	} else if o.OK && len(o.Routers)+len(o.Ended) == 0 {
		fmt.Fprintln(out, "nothing to resume")
	}
}

func writeAsserted(out io.Writer, o *api.Ordered) {
	for i := range o.Hooks {
		a := &o.Hooks[i]
		of := a.Router
		if of == "" {
			of = "sync group " + a.SyncGroup
		}
		fmt.Fprintf(out, "%s: on %q %s: %s\n", text.Printable(of), a.On, text.Printable(a.Program), asserted(a))
	}
	if o.OK && len(o.Hooks) == 0 {
		fmt.Fprintln(out, "nothing to run: no hook is for the states that there are")
	}
}

// asserted tells what came of a hook that was to be run again.
func asserted(a *api.Asserted) string {
	switch a.Outcome {
	case api.AssertedRun:
		return fmt.Sprintf("told %q, %s (%v)", a.State, text.Printable(a.Result), a.Took.Round(time.Millisecond))
	case api.AssertedNot:
		return fmt.Sprintf("given up, because the state is not %q any more, and its hooks come first", a.State)
	default:
		return "has not ended yet (see lvsd status)"
	}
}

// moved tells what an order has done to a virtual router.
func moved(m *api.Move) string {
	switch m.Outcome {
	case "accepted":
		return fmt.Sprintf("handed over to %v (priority %d)", m.Master, m.MasterPriority)
	case "declined":
		return "not handed over: no other director took over in time, and this one goes on as Master"
	case "kept":
		return fmt.Sprintf("not handed over: %s; this one goes on as Master", text.Printable(m.Reason))
	case "let_go":
		return "let go, although no other director was heard taking over"
	case "interrupted":
		return "not handed over as ordered: it had to stand back meanwhile (lvsd status says why)"
	case "not_master":
		if m.Master.IsValid() {
			return fmt.Sprintf("nothing to do: %v is Master (priority %d)", m.Master, m.MasterPriority)
		}
		return fmt.Sprintf("nothing to do: this director is not Master, but %s", text.Printable(string(m.State)))
	default:
		return "the process that sends the adverts has not told what became of it (see lvsd status)"
	}
}
