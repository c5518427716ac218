package ipvsadm

import (
	"errors"
	"fmt"

	"github.com/lvsd/lvsd/ipvsctl"
)

// The exit statuses of ipvsadm.
const (
	StatusDone    = 0
	StatusList    = 1   // a list could not be read
	StatusUsage   = 2   // the command line is wrong, or the kernel has no IPVS
	StatusRefused = 255 // the kernel refused, or no command was recognized
)

// An Error is a command that ends with another status than StatusDone.
type Error struct {
	Status int
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// errNoCommand is wrapped where the first option is no command, which ends -R too.
var errNoCommand = errors.New("the first option must be a command, such as -L or -A (see -h)")

// mistake is an error of the command line.
func mistake(format string, args ...any) error {
	return &Error{StatusUsage, fmt.Errorf(format, args...)}
}

// A Verb is what a command does, by its long option.
type Verb string

// The commands.
const (
	AddService    Verb = "add-service"
	EditService   Verb = "edit-service"
	DeleteService Verb = "delete-service"
	Clear         Verb = "clear"
	Restore       Verb = "restore"
	Save          Verb = "save"
	AddServer     Verb = "add-server"
	EditServer    Verb = "edit-server"
	DeleteServer  Verb = "delete-server"
	List          Verb = "list"
	Zero          Verb = "zero"
	Set           Verb = "set"
	StartDaemon   Verb = "start-daemon"
	StopDaemon    Verb = "stop-daemon"
	Help          Verb = "help"
	Version       Verb = "version"
)

// A Command is one command line.
type Command struct {
	Verb Verb
	// Op is what the commands about services and real servers write. Its Service is also
	// the one that List and Zero are about, if HasService.
	Op         ipvsctl.Op
	HasService bool
	Timeouts   ipvsctl.Timeouts   // of Set
	Daemon     ipvsctl.SyncDaemon // of StartDaemon and StopDaemon
	Listing    Listing            // of List and Save
	// Force lets rows be changed that belong to the daemon.
	Force bool
	// StateDir is the daemon's state directory; empty: where it usually is.
	StateDir string
}

// A Subject is what a list is of.
type Subject int

// The subjects of lists.
const (
	Table Subject = iota
	Connections
	TimeoutValues
	SyncDaemons
)

// A Listing is what is listed, and how.
type Listing struct {
	Subject Subject
	// Of several of these, the first one counts.
	Stats, Rate, Thresholds, PersistentConns, TunnelInfo bool
	Numeric, Exact, Unsorted                             bool
	JSON                                                 bool
}
