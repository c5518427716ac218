// Package fault tells failures of exchanges with the kernel apart, so that the domains can
// count them without knowing system calls: they ask an error for its FaultKind.
package fault

import (
	"errors"
	"os"
	"syscall"
)

// What has no number in errno(3).
const (
	NoAnswer = "no-answer" // in time
	CutShort = "cut-short" // an answer that lacks a part, or was changed by others while it was given
	NoIPVS   = "no-ipvs"   // the module is gone
	NoModule = "no-module" // what is asked for needs one that is missing
)

// A fault is an error with its kind.
type fault struct {
	error
	kind string
}

func (f fault) FaultKind() string { return f.kind }
func (f fault) Unwrap() error     { return f.error }

// New returns an error of this kind.
func New(kind string, err error) error { return fault{err, kind} }

// Of gives an error its kind, as errno(3) names it: of what has none, or one of its own
// already, nothing changes.
func Of(err error) error {
	var known interface{ FaultKind() string }
	if err == nil || errors.As(err, &known) {
		return err
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fault{err, NoAnswer}
		}
		return err
	}
	if kind, ok := names[errno]; ok {
		return fault{err, kind}
	}
	return err
}

// names are few, since each is a time series.
var names = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.EAGAIN: "EAGAIN",
	syscall.EBUSY: "EBUSY", syscall.EEXIST: "EEXIST", syscall.EINTR: "EINTR", syscall.EINVAL: "EINVAL",
	syscall.EMSGSIZE: "EMSGSIZE", syscall.ENETDOWN: "ENETDOWN", syscall.ENETUNREACH: "ENETUNREACH",
	syscall.ENOBUFS: "ENOBUFS", syscall.ENODEV: "ENODEV", syscall.ENOENT: "ENOENT", syscall.ENOMEM: "ENOMEM",
	syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.EPERM: "EPERM", syscall.EROFS: "EROFS", syscall.ERANGE: "ERANGE", syscall.ESRCH: "ESRCH",
}
