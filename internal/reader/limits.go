package reader

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/config"
)

// Limits bound what reading one configuration may cost. Zero is no limit.
type Limits struct {
	// Memory is the writable memory of the child in bytes (RLIMIT_DATA).
	Memory uint64
	// Processor is the processor time of the child, in all its threads
	// (RLIMIT_CPU), in whole seconds.
	Processor time.Duration
	// Duration is how long the whole may take, waiting for disks included.
	Duration time.Duration
	// Stack is the deepest stack of a goroutine in bytes: what a deeply nested
	// value takes.
	Stack int
}

// DefaultLimits leave room for 40,000 real servers on a machine ten times
// slower than a server of 2020.
var DefaultLimits = Limits{
	Memory:    512 << 20,
	Processor: 30 * time.Second,
	Duration:  30 * time.Second,
	Stack:     32 << 20,
}

const (
	// maxReply is the largest reply in bytes, of which 40,000 real servers need
	// some 6 MB: the director keeps what the reply says.
	maxReply = 64 << 20
	// maxBlocks is how many blocks a reply may have: no text that is read has more,
	// since each takes at least its keyword, a name and the braces.
	maxBlocks = config.MaxSource / 32
	// maxWords is how much is kept of the child's standard error, on which
	// nothing but the Go runtime's last words are expected.
	maxWords = 4 << 10
	// maxStuck bounds the children that could not be ended, because a disk that
	// they wait for does not answer.
	maxStuck = 4
	// grace is how long a child that was killed may take to end.
	grace = 2 * time.Second
)

// set puts the limits of the calling process in force for good.
func (l Limits) set() error {
	for _, r := range []struct {
		name     string
		resource int
		limit    uint64
	}{
		{"RLIMIT_DATA", unix.RLIMIT_DATA, l.Memory},
		{"RLIMIT_CPU", unix.RLIMIT_CPU, uint64(l.Processor / time.Second)},
	} {
		if r.limit == 0 {
			continue
		}
		// With equal limits the kernel kills without a warning before.
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: r.limit, Max: r.limit}); err != nil {
			return fmt.Errorf("setting %s to %d: %w", r.name, r.limit, err)
		}
	}
	// It writes no file, and its memory is not dumped into one.
	for _, resource := range []int{unix.RLIMIT_CORE, unix.RLIMIT_FSIZE} {
		if err := unix.Setrlimit(resource, &unix.Rlimit{}); err != nil {
			return fmt.Errorf("forbidding the reader to write files: %w", err)
		}
	}
	return nil
}
