package fault

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestFaultsHaveKinds(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("sending: %w", os.NewSyscallError("sendmsg", syscall.ENOBUFS)), "ENOBUFS"},
		{fmt.Errorf("%w: one of two", syscall.EEXIST), "EEXIST"},
		{fmt.Errorf("waiting: %w", os.ErrDeadlineExceeded), NoAnswer},
		{fmt.Errorf("reading: %w", New(CutShort, syscall.EINVAL)), CutShort},
		{syscall.EXDEV, ""},
		{errors.New("whatever"), ""},
		{nil, ""},
	} {
		got := Of(tt.err)
		var known interface{ FaultKind() string }
		kind := ""
		if errors.As(got, &known) {
			kind = known.FaultKind()
		}
		if kind != tt.want || !errors.Is(got, tt.err) {
			t.Errorf("%v is %v of the kind %q, want %q", tt.err, got, kind, tt.want)
		}
		if got != nil && got.Error() != tt.err.Error() {
			t.Errorf("%v has become %v", tt.err, got)
		}
	}
}
