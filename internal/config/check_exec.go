package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkExec = newCheckKind("exec", "A program exits with status 0 in time. It is run for each server, which its environment names: LVSD_SERVICE, LVSD_SERVICE_ADDRESS, LVSD_SERVICE_PORT, LVSD_FIREWALL_MARK, LVSD_SERVER, LVSD_SERVER_ADDRESS and LVSD_SERVER_PORT. When its time is over it is ended, with everything that it has started. At most 64 of them run at one time.",
	execTable, (*execCheck).self, func(b *block.Body, e *execCheck) probe { return e.compile(b) })

type execCheck struct {
	probe
	programBlock
	statusWeight bool
}

func (e *execCheck) runs() *programBlock { return &e.programBlock }

var execTable = block.NewTable("check", func() []block.Entry[execCheck] {
	return append(append(timing((*execCheck).self), untimedOptions((*execCheck).runs)...),
		block.Flag("status_weight", "The program's statuses from 2 to 255 pass as well, and set the server's weight, in place of the configured one, to the status less 2: 2 drains the server, and 12 gives it a weight of 10. Status 0 gives it the configured weight again, and 1 and every other end are failures. It is what keepalived calls misc_dynamic.",
			false, func(e *execCheck) *bool { return &e.statusWeight }),
	)
})

// compile works out what a check runs.
func (e *execCheck) compile(b *block.Body) probe {
	if e.partial && e.run == nil {
		return e.probe
	}
	if e.run == nil || b.Given("run") {
		e.read(b)
	}
	asks := checker.Exec{Run: e.Run, User: e.User, KillChildren: e.KillChildren, StatusWeight: e.statusWeight}
	e.local, e.program = true, &asks
	return e.asking(b, asks)
}
