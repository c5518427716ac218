package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// "Is the server dead, or the network?" Only who never said anything leaves that open.
func TestSilenceIsThatNothingCameBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"no connection in time", while(connecting, os.ErrDeadlineExceeded), true},
		{"nobody knows the way", while(connecting, syscall.EHOSTUNREACH), true},
		{"the kernel gave up", while(connecting, syscall.ETIMEDOUT), true},
		{"no echo reply", nothingCame(while("waiting for an echo reply", context.DeadlineExceeded)), true},
		{"a refusal", while(connecting, syscall.ECONNREFUSED), false},
		{"a reset", while(connecting, syscall.ECONNRESET), false},
		{"connected, and then no answer", while("waiting for the answer", os.ErrDeadlineExceeded), false},
		{"a wrong answer", errors.New("status 503, want 200-299"), false},
		{"it could not be asked", notRun(syscall.EMFILE), false},
		{"it passed", nil, false},
	} {
		if got := verdict(t.Context(), checker.Target{}, tt.err).Silent; got != tt.want {
			t.Errorf("%s: silent is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A server that hangs accepts connections by its kernel, so it is not silent.
func TestAServerThatHangsIsNotSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	to := l.Addr().(*net.TCPAddr).AddrPort()
	target := checker.Target{Spec: checker.SpecOf(checker.HTTP{Status: checker.DefaultStatus}), Addr: netip.MustParseAddr("127.0.0.1"), Port: to.Port(), Timeout: 50 * time.Millisecond}
	ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
	defer cancel()
	if r := New(nil).Compile(target.Spec)(ctx, target); r.Outcome != checker.Failed || r.Silent {
		t.Errorf("a server that accepts and says nothing: %+v, want a failure that is not silent", r)
	}
}
