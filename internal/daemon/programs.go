package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/spawn"
)

// starter starts the programs of probes. What one that fails says first is a part of
// the reason.
func starter(s *spawn.Spawner) probe.Starter {
	return func(ctx context.Context, e checker.Exec, timeout time.Duration) (probe.Ended, error) {
		o, err := s.Run(ctx, spawn.Command{Args: e.Run, Env: e.Environment, User: e.User, Timeout: timeout, KillChildren: e.KillChildren})
		if err != nil || o.OK() {
			return probe.Ended{}, err
		}
		status, failure := o.Status, o.String()
		if o.TimedOut || o.Canceled || o.Signal != 0 {
			status = -1
		}
		if o.TimedOut { // the same words, whoever notices first that its time is over
			failure = fmt.Sprintf("did not end within %v", timeout)
		}
		if lines := o.Lines(); len(lines) > 0 {
			failure += ": " + lines[0]
		}
		return probe.Ended{Status: status, Failure: failure}, nil
	}
}
