package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// What a failure is counted as.
func TestReasons(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want checker.Reason
	}{
		{"the probe passed", t.Context(), nil, 0},
		{"nobody listens", t.Context(), while(connecting, syscall.ECONNREFUSED), checker.Refused},
		{"a program's connection is refused, which is not ours", t.Context(), while("waiting for the answer", syscall.ECONNREFUSED), checker.WrongAnswer},
		{"no connection in time", t.Context(), while(connecting, context.DeadlineExceeded), checker.TimedOut},
		{"the deadline has closed the connection", over, while("waiting for the answer", syscall.ECONNRESET), checker.TimedOut},
		{"the kernel has given up", t.Context(), while(connecting, syscall.ETIMEDOUT), checker.TimedOut},
		{"nobody answers ARP", t.Context(), while(connecting, syscall.EHOSTUNREACH), checker.Unreachable},
		{"a router knows no way", t.Context(), while(connecting, syscall.ENETUNREACH), checker.Unreachable},
		{"a reset in the middle", t.Context(), while("waiting for the answer", syscall.ECONNRESET), checker.Reset},
		{"a reset of the handshake", t.Context(), while(negotiating, syscall.ECONNRESET), checker.Reset},
		{"nothing can be sent any more", t.Context(), while("sending the request", syscall.EPIPE), checker.Reset},
		{"closed without a word", t.Context(), fmt.Errorf("%w without an answer", errClosed), checker.Reset},
		{"a bad certificate", t.Context(), while(negotiating, errors.New("expired")), checker.NoTLS},
		{"closed in the handshake", t.Context(), while(negotiating, io.EOF), checker.NoTLS},
		{"a status", t.Context(), because(checker.WrongStatus, errors.New("status 503")), checker.WrongStatus},
		{"a login", t.Context(), while("logging in", because(checker.LoginRefused, errors.New("denied"))), checker.LoginRefused},
		{"any other answer", t.Context(), errors.New("the answer does not match"), checker.WrongAnswer},
		{"a reason of our own", t.Context(), notRunCall("connect", syscall.ENETUNREACH), checker.NoProbe},
		{"no reason for no error", t.Context(), because(checker.WrongStatus, nil), 0},
	} {
		if got := verdict(tt.ctx, checker.Target{}, tt.err).Reason; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
