package spawn

import (
	"fmt"
	"strings"
	"syscall"
	"time"
)

const (
	// grace is how long a process has between SIGTERM and SIGKILL.
	grace = time.Second
	// killing bounds the time in which processes are killed that start others
	// meanwhile.
	killing = 5 * time.Second
	// answering is how much longer the process between may take for everything, on a
	// machine with far too much to do. It is killed then, and what the program has
	// started in other sessions goes on.
	answering = 30 * time.Second
	// MaxOutput and MaxLines bound what is kept of what a program writes: its first
	// bytes, and its first lines.
	MaxOutput = 4 << 10
	MaxLines  = 32
	// inputDescriptor is what the standard input of a program that stays comes by.
	inputDescriptor = 3
	// telling is how often is told what such a program has written, and in each minute it
	// has MaxOutput and MaxLines anew.
	telling   = time.Second
	perMinute = int(time.Minute / telling)
	// maxReply is more than any reply has, in bytes.
	maxReply = 64 << 10
	// maxLingering bounds the runs whose program has ended, with processes left
	// running.
	maxLingering = 64
)

// A Command says what is to be run.
type Command struct {
	// Args are the program, an absolute path, and its arguments. There is no shell.
	Args []string
	// Env is what the program's environment has besides PATH, HOME, USER and
	// LOGNAME: "NAME=value".
	Env []string
	// User is the name of the user that the program runs as. Empty is lvsd's own
	// user: then the program has no capabilities, also where that is root. As "root"
	// it has those that lvsd's bounding set contains.
	User string
	// Timeout is how long the program may take; zero: for ever. After that, it and all
	// its descendants are sent SIGTERM, and SIGKILL a second later.
	Timeout time.Duration
	// KillChildren ends what a program that has ended left running, whatever session
	// it is in. Otherwise only what is in the program's own session is ended.
	KillChildren bool
	// Stays is set by Keep: the program has a standard input, and its output is told as it
	// comes.
	Stays bool
}

// An Outcome is what came of a program that was started.
type Outcome struct {
	// Status is the exit status, unless Signal ended the program.
	Status int
	Signal syscall.Signal
	// TimedOut and Canceled: it was ended because its time was over, or because
	// nobody waits for it any more.
	TimedOut, Canceled bool
	// Output is the beginning of what the program wrote to its standard output and
	// standard error, or by Keep of what was not told before; it is any bytes. Cut counts
	// the bytes that were not kept.
	Output []byte
	Cut    int64
	// Took is the time from the program's start to its end.
	Took time.Duration
	// Ended counts the processes that the program had left running and that were
	// ended, Staying those that stay, and Survived those that could not be ended.
	Ended, Staying, Survived int
}

// OK reports whether the program ended by itself, in time, with status 0.
func (o Outcome) OK() bool {
	return !o.TimedOut && !o.Canceled && o.Signal == 0 && o.Status == 0
}

// String tells how the program ended: "exited with status 1".
func (o Outcome) String() string {
	switch {
	case o.TimedOut:
		return fmt.Sprintf("was ended after %v, which is its timeout", o.Took.Round(10*time.Millisecond))
	case o.Canceled:
		return "was ended because nobody waits for it any more"
	case o.Signal != 0:
		return fmt.Sprintf("was ended by signal %d (%s)", int(o.Signal), o.Signal)
	}
	return fmt.Sprintf("exited with status %d", o.Status)
}

// Lines returns the output as lines.
func (o Outcome) Lines() []string { return Lines(o.Output) }

// Lines returns what a program has written as lines.
func Lines(output []byte) []string {
	text := strings.TrimRight(string(output), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// A reply is what the process between answers.
type reply struct {
	// Said is what a program that stays has written since the last reply, and Cut how many
	// bytes more. Unless they are zero, another reply follows.
	Said []byte `json:",omitempty"`
	Cut  int64  `json:",omitempty"`
	// Failed says why the program could not be run.
	Failed  string  `json:",omitempty"`
	Outcome Outcome `json:",omitzero"`
}
