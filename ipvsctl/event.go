package ipvsctl

import "log/slog"

// An Event is something that happened to the table or to the ledger, for
// people to read.
type Event struct {
	Code  string // one of the constants below
	Level slog.Level
	Text  string
	Attrs []slog.Attr // what it is about, such as an operation and an error
}

// The codes of events.
const (
	LedgerUnreadable  = "ledger-unreadable"  // it is not known which services were ours before
	LedgerUnwritable  = "ledger-unwritable"  // the next process may not know which are ours
	KernelUnreachable = "kernel-unreachable" // an exchange with the kernel failed and is repeated
	OperationRefused  = "operation-refused"  // the kernel refused an operation, which is tried again
	OperationsRefused = "operations-refused" // so many more were refused in the same step
	TableDrifted      = "table-drifted"      // somebody else changed our rows, which are repaired

	// The end of what lasted.
	LedgerWritten      = "ledger-written"
	KernelReached      = "kernel-reached"
	OperationsAccepted = "operations-accepted"
)

// How many refusals of one step are reported one by one.
const refusalEvents = 10

// A reporter turns what happened in a step into few events: a failure that
// lasts is reported once, and of many refusals only the first.
type reporter struct {
	report   func(Event)
	lasting  map[string]string // the failures that last: their errors by code
	refusals int               // in this step, as far as they are news
	refusing bool              // a refusal was reported, and its end was not
}

// failed reports a failure, once until its error changes or it is over.
func (r *reporter) failed(code, text string, err error) {
	if r.lasting[code] != err.Error() {
		r.lasting[code] = err.Error()
		r.report(Event{code, slog.LevelError, text, []slog.Attr{slog.Any("error", err)}})
	}
}

// worked ends a failure, and reports its end.
func (r *reporter) worked(code, over, text string) {
	if _, lasted := r.lasting[code]; lasted {
		delete(r.lasting, code)
		r.report(Event{over, slog.LevelInfo, text, nil})
	}
}

func (r *reporter) refused(op Op, err error) {
	r.refusals++
	r.refusing = true
	if r.refusals <= refusalEvents {
		r.report(Event{OperationRefused, slog.LevelError,
			"the kernel refused a change to the IPVS table; trying again later",
			[]slog.Attr{slog.String("operation", op.String()), slog.Any("error", err)}})
	}
}

// endStep reports what was summed up in the step, after which so many operations
// wait because they were refused.
func (r *reporter) endStep(d drift, waiting int) {
	if more := r.refusals - refusalEvents; more > 0 {
		r.report(Event{OperationsRefused, slog.LevelError,
			"the kernel refused more changes to the IPVS table",
			[]slog.Attr{slog.Int("operations", more)}})
	}
	r.refusals = 0
	if r.refusing && waiting == 0 {
		r.refusing = false
		r.report(Event{OperationsAccepted, slog.LevelInfo, "the kernel accepts changes to the IPVS table again", nil})
	}
	if d.services > 0 {
		r.report(Event{TableDrifted, slog.LevelWarn,
			"the IPVS table was changed by somebody else; repairing it",
			[]slog.Attr{slog.Int("services", d.services), slog.Int("rows", d.rows), slog.String("such_as", d.first.String())}})
	}
}
