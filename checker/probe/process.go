package probe

import (
	"errors"
	"fmt"

	"github.com/lvsd/lvsd/checker"
)

func init() { registerLocal(checker.Process{}, compileProcess) }

// errHidden is why no more can be told than that some processes are there.
var errHidden = errors.New("this director does not see the processes of other users: write ProtectProc=default below [Service] in a drop-in of its unit (systemctl edit lvsd), and restart it")

// compileProcess returns the run that passes while as many processes run as
// should.
func compileProcess(p *Prober, o checker.Process) (run, error) {
	// The command line of one that waits for a disk may not be readable meanwhile.
	return unhurried(p.processes.root, func() (found, error) {
		w, err := want(o)
		if err != nil {
			return found{}, notRun(err)
		}
		n, hidden, err := p.processes.count(w)
		if err != nil {
			return found{}, notRun(err)
		}
		return found{number: n}, countProcesses(o, n, hidden)
	}), nil
}

// countProcesses says what is wrong with a number of processes, of which there are more
// where some are hidden.
func countProcesses(o checker.Process, n int, hidden bool) error {
	as := ""
	if o.Owner != "" {
		as = " as user " + o.Owner
	}
	switch {
	case o.Maximum > 0 && n > o.Maximum:
		return fmt.Errorf("processes of %s that run%s: %d, and at most %d may", o.Program, as, n, o.Maximum)
	case hidden && (n < o.Minimum || o.Maximum > 0):
		return notRun(errHidden)
	case n < o.Minimum && o.Minimum == 1:
		return fmt.Errorf("no process of %s runs%s", o.Program, as)
	case n < o.Minimum:
		return fmt.Errorf("processes of %s that run%s: %d, and at least %d must", o.Program, as, n, o.Minimum)
	}
	return nil
}
