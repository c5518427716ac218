package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/lvsd/lvsd/checker"
)

// What a probe has found besides.
type found struct {
	number          int
	certificateEnds checker.Day
	// asked: the server has asked for the check's certificate, and judges it when the
	// handshake has ended (TLS 1.3).
	asked  bool
	advice checker.Advice
	// report is what an agent has said; nil: none was asked. Lenient: it need not say
	// anything.
	report  *checker.Report
	lenient bool
}

// A notRunError is a reason of this director's own for not running a probe.
type notRunError struct{ error }

func (e notRunError) Unwrap() error { return e.error }

// notRun marks an error as one of this director's own.
func notRun(err error) error { return notRunError{err} }

// notRunCall marks the error of a system call as one of this director's own,
// and adds what to do about it if that is known.
func notRunCall(call string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		hint = ": raise LimitNOFILE, or lower probes_in_flight"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		hint = ": this director has no route to the server"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = ": this director has no free port, or no address of this family"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		hint = ": check this director's capabilities, packet filter and routes"
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.EAGAIN):
		hint = ": a socket buffer or the neighbour table is full (see net.ipv4.neigh.default.gc_thresh3)"
	case errors.Is(err, syscall.EAFNOSUPPORT):
		hint = ": this director's kernel has IPv6 disabled"
	}
	return notRun(fmt.Errorf("%s: %w%s", call, err, hint))
}

// A stageError is an error with what the probe was doing when it came.
type stageError struct {
	stage string
	err   error
}

func (e stageError) Error() string { return e.err.Error() + " while " + e.stage }

func (e stageError) Unwrap() error { return e.err }

// Stages of a probe that tell what kind of failure one is.
const (
	connecting  = "connecting" // the first one
	negotiating = "negotiating TLS"
)

// errClosed is a connection that the server has closed too early.
var errClosed = errors.New("the server closed the connection")

// while adds to an error what the probe was doing when it came.
func while(stage string, err error) error { return stageError{stage, err} }

// verdict turns how a probe ended into a result.
func verdict(ctx context.Context, t checker.Target, err error) checker.Result {
	if err == nil {
		return checker.Result{Outcome: checker.Passed}
	}
	if own := (notRunError{}); errors.As(err, &own) {
		return checker.Result{Outcome: checker.NotRun, Reason: checker.NoProbe, Detail: clip(own.Error())}
	}
	var doing stageError
	errors.As(err, &doing)
	return checker.Result{
		Outcome: checker.Failed,
		Detail:  clip(describe(ctx, t, err, doing)),
		Reason:  reasonOf(ctx, err, doing),
		Silent:  silent(ctx, err, doing),
	}
}

// A reasonError is an error whose reason does not follow from what kind of error it is.
type reasonError struct {
	error
	reason checker.Reason
}

func (e reasonError) Unwrap() error { return e.error }

// because gives an error its reason.
func because(r checker.Reason, err error) error {
	if err == nil {
		return nil
	}
	return reasonError{err, r}
}

// reasonOf returns what kind of failure an error is. What a server answers is wrong
// unless something else is known.
func reasonOf(ctx context.Context, err error, doing stageError) checker.Reason {
	var marked reasonError
	switch {
	case isTimeout(err) || doing.err != nil && ctx.Err() != nil || errors.Is(err, syscall.ETIMEDOUT):
		return checker.TimedOut
	case errors.As(err, &marked):
		return marked.reason
	case doing.stage == connecting && errors.Is(err, syscall.ECONNREFUSED):
		return checker.Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return checker.Unreachable
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, errClosed):
		return checker.Reset
	case doing.stage == negotiating:
		return checker.NoTLS
	}
	return checker.WrongAnswer
}

// silent reports whether nothing came back from a server's host: there was no
// connection in time, or what is marked by nothingCame, or the way to it is unknown.
// Who answered once is not silent, however long the rest takes.
func silent(ctx context.Context, err error, doing stageError) bool {
	if marked := (silentError{}); errors.As(err, &marked) {
		return true
	}
	waited := isTimeout(err) || ctx.Err() != nil || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.ETIMEDOUT)
	return doing.stage == connecting && waited
}

// A silentError is the end of a wait for anything at all from a server.
type silentError struct{ error }

func (e silentError) Unwrap() error { return e.error }

// nothingCame marks an error as one of a probe without a connection that has waited
// in vain.
func nothingCame(err error) error { return silentError{err} }

// describe returns what a server did wrong.
func describe(ctx context.Context, t checker.Target, err error, doing stageError) string {
	stage := ""
	if doing.err != nil {
		stage = " while " + doing.stage
		err = doing.err
	}
	var errno syscall.Errno
	switch {
	case isTimeout(err) || doing.err != nil && ctx.Err() != nil:
		return fmt.Sprintf("timeout after %v%s", t.Timeout, stage)
	case !errors.As(err, &errno):
		return err.Error()
	case errno == syscall.EHOSTUNREACH && doing.stage == connecting:
		return "no route to host: nothing on the network answers for the address, or a router rejected the packet"
	case doing.stage == connecting:
		return errno.Error()
	default:
		return errno.Error() + stage
	}
}

// isTimeout reports whether an error means that the deadline has passed.
func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// isNetError reports whether an error is that of a system call or the
// deadline, rather than about what was read.
func isNetError(err error) bool {
	var errno syscall.Errno
	return isTimeout(err) || errors.As(err, &errno)
}

// detailLimit bounds a detail, in bytes: the server may have a part in its text.
const detailLimit = 300

// clip makes a detail one line of bounded length.
func clip(s string) string {
	if len(s) > detailLimit {
		s = s[:detailLimit] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
