package spawn

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// Main is the process between the director and a program: it receives a command from
// in, runs it, and writes a reply to out. A Spawner starts it, and its process is of
// no other use. It returns when all processes have ended that the program started; the
// director does not wait for that.
func Main(in, out *os.File) error {
	// They are orders to the daemon, which were sent to its whole control group. Caught
	// ones have their default again in a program, ignored ones would not.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGPIPE)
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGCHLD)
	decoder := json.NewDecoder(in)
	var c Command
	if err := decoder.Decode(&c); err != nil {
		return fmt.Errorf("receiving the command: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, in) // nothing comes but the end
	}()
	f := &family{changed: changed}
	replies := json.NewEncoder(out)
	o, err := run(c, f, gone, replies)
	answer := reply{Outcome: o}
	if err != nil {
		answer.Failed = err.Error()
	}
	// Where nobody listens any more, what remains is still to be waited for.
	_ = replies.Encode(answer)
	_ = out.Close()
	f.linger(o.Survived > 0)
	return nil
}

// run runs a command to its end. An error means that it could not be started. Replies are
// of one that stays, while it runs.
func run(c Command, f *family, gone <-chan struct{}, replies *json.Encoder) (o Outcome, err error) {
	if err := Check(c); err != nil {
		return o, err
	}
	id, err := identify(c.User)
	if err != nil {
		return o, err
	}
	if err := prepare(); err != nil {
		return o, err
	}
	words, w, err := newOutput()
	if err != nil {
		return o, fmt.Errorf("making a pipe for a program's output: %w", err)
	}
	born := time.Now()
	input, err := standardInput(c)
	if err != nil {
		return o, err
	}
	f.program, err = launch(c, id, input, w)
	_ = w.Close()
	_ = input.Close()
	if err != nil {
		return o, err
	}
	quiet := func() {}
	if c.Stays {
		quiet = words.tell(replies)
	}
	o.TimedOut, o.Canceled = f.await(c.Timeout, gone)
	o.Took = time.Since(born)
	everybody := c.KillChildren || o.TimedOut || o.Canceled
	before := f.reaped
	o.Survived = f.end(everybody)
	o.Ended = f.reaped - before
	o.Staying = len(f.members(true)) - o.Survived
	if f.status.Signaled() {
		o.Signal = f.status.Signal()
	} else {
		o.Status = max(f.status.ExitStatus(), 0)
	}
	quiet()
	words.settle()
	o.Output, o.Cut = words.result()
	return o, nil
}

// standardInput is what a program reads: that of one that stays is the first descriptor
// after the usual ones, whose other end the director has.
func standardInput(c Command) (*os.File, error) {
	if c.Stays {
		// A program must be able to wait for its input.
		return os.NewFile(inputDescriptor, "input"), unix.SetNonblock(inputDescriptor, false)
	}
	return os.Open(os.DevNull)
}

// await waits until the program has ended, its time is over (zero: it has all), or
// nobody waits for it any more.
func (f *family) await(limit time.Duration, gone <-chan struct{}) (timedOut, canceled bool) {
	var over <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	for f.reap(); !f.ended; f.reap() {
		select {
		case <-f.changed:
		case <-over:
			return true, false
		case <-gone:
			return false, true
		}
	}
	return false, false
}

// linger waits for the processes that a program left running, so that none becomes a
// zombie. Those that were to be ended and are still there are pursued.
func (f *family) linger(pursued bool) {
	for f.reap(); !f.none; f.reap() {
		if pursued {
			f.pursue(true, kill, killing)
			continue
		}
		<-f.changed
	}
}
