package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
)

// DefaultStateDir is the state directory unless another one is given.
const DefaultStateDir = "/var/lib/lvsd"

// Owned returns the services of the kernel's table that belong to the daemon which runs in
// this network namespace, and the id of its process; 0: none runs. It asks nothing of it: who
// listens on a socket is known to the kernel, and what is its own is in its state directory.
func Owned(stateDir string) (pid int32, keys []ipvsctl.ServiceKey, err error) {
	holder, err := holderOf(aloneName)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return 0, nil, nil
	case err != nil:
		return 0, nil, fmt.Errorf("cannot tell whether an lvsd runs in this network namespace: %w", err)
	case !trusted(holder):
		return 0, nil, nil
	}
	keys, err = state.Services(stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: give its directory with --state-dir", err)
	}
	if err != nil {
		return holder.Pid, nil, fmt.Errorf("cannot tell which services belong to the lvsd that runs as process %d: %w", holder.Pid, err)
	}
	return holder.Pid, keys, nil
}
