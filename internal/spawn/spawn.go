package spawn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrNoAnswer is of a Run whose process between ended before it told how the program did.
var ErrNoAnswer = errors.New("ended without an answer: somebody may have killed it, or memory ran out")

// A Spawner starts programs. It is safe for concurrent use.
type Spawner struct {
	command []string
	// lingering counts the processes between whose program has ended, and which have
	// not ended.
	lingering atomic.Int32
}

// New returns a Spawner. Command is the program and its arguments that calls Main.
func New(command ...string) *Spawner { return &Spawner{command: command} }

// Run runs a program, waits for its end and returns what came of it, however it ended.
// When the context ends, so do the program and its descendants.
//
// An error means that the program could not be run, and why, with what is to be done.
func (s *Spawner) Run(ctx context.Context, c Command) (Outcome, error) {
	b, err := s.start(c)
	if err != nil {
		return Outcome{}, err
	}
	return s.attend(ctx, b, c, nil)
}

// Keep runs a program that stays, and has a standard input: feed returns what comes next,
// and nil at its end, or when its context has ended; it may wait. Said is told what the
// program writes meanwhile, of each minute as much as is kept of what Run runs, and how
// many bytes were not kept. Else it is as Run. Nothing grows while the program does not
// read: feed is not called then.
func (s *Spawner) Keep(ctx context.Context, c Command, feed func(context.Context) []byte, said func(output []byte, cut int64)) (Outcome, error) {
	c.Stays = true
	theirs, ours, err := os.Pipe()
	if err != nil {
		return Outcome{}, fmt.Errorf("making a pipe for the standard input of %s: %w", first(c.Args), err)
	}
	b, err := s.start(c, theirs)
	_ = theirs.Close()
	if err != nil {
		return Outcome{}, errors.Join(err, ours.Close())
	}
	reading, ended := context.WithCancel(ctx)
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer ours.Close()
		for p := feed(reading); p != nil; p = feed(reading) {
			if _, err := ours.Write(p); err != nil {
				return // It reads no more.
			}
		}
	}()
	defer func() {
		ended()
		_ = ours.SetWriteDeadline(time.Now())
		<-fed
	}()
	return s.attend(ctx, b, c, said)
}

// start starts the process that runs a command, with other files.
func (s *Spawner) start(c Command, files ...*os.File) (*between, error) {
	if n := s.lingering.Load(); n >= maxLingering {
		return nil, fmt.Errorf("%d programs that were run earlier have left processes running, so no other is started: end them, and use kill_children = true if they are not meant to stay", n)
	}
	b, err := start(s.command, c, files)
	if err != nil {
		return nil, fmt.Errorf("starting the process that runs %s: %w", first(c.Args), err)
	}
	return b, nil
}

// attend waits for the end of a program, and tells what it writes meanwhile.
func (s *Spawner) attend(ctx context.Context, b *between, c Command, said func([]byte, int64)) (Outcome, error) {
	defer b.out.Close()
	defer b.lifeline.Close()
	if c.Timeout > 0 {
		defer time.AfterFunc(c.Timeout+grace+killing+answering, b.kill).Stop()
	}
	defer context.AfterFunc(ctx, b.cancel)()
	limited := &io.LimitedReader{R: b.out}
	replies := json.NewDecoder(limited)
	var answer reply
	var err error
	for {
		limited.N, answer = maxReply, reply{}
		if err = replies.Decode(&answer); err != nil || len(answer.Said) == 0 && answer.Cut == 0 {
			break
		}
		if said != nil {
			said(answer.Said, answer.Cut)
		}
	}
	b.answered.Store(true)
	s.release(b)
	switch {
	case err != nil && b.killed.Load():
		return Outcome{}, fmt.Errorf("the process that ran %s did not answer and was killed", first(c.Args))
	case err != nil:
		return Outcome{}, fmt.Errorf("the process that ran %s %w", first(c.Args), ErrNoAnswer)
	case answer.Failed != "":
		return Outcome{}, errors.New(answer.Failed)
	}
	return answer.Outcome, nil
}

func first(args []string) string {
	if len(args) == 0 {
		return "a program"
	}
	return args[0]
}

// A between is the process between the director and a program.
type between struct {
	cmd      *exec.Cmd
	lifeline *os.File    // its standard input, whose end tells it to end the program
	out      *os.File    // its standard output
	answered atomic.Bool // or it never will
	killed   atomic.Bool
}

// start starts a process between and gives it its command, and other files.
func start(command []string, c Command, files []*os.File) (*between, error) {
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, ourIn.Close())
	}
	defer theirOut.Close()
	b := &between{cmd: exec.Command(command[0], command[1:]...), lifeline: ourIn, out: ourOut}
	b.cmd.Args[0] = "lvsd" // for those who list processes; it is /proc/self/exe
	b.cmd.Stdin, b.cmd.Stdout, b.cmd.ExtraFiles = theirIn, theirOut, files
	b.cmd.Env = []string{"GOMAXPROCS=2", "GOTRACEBACK=none"}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // What is meant for the director's terminal does not reach it.
	if err := b.cmd.Start(); err != nil {
		return nil, errors.Join(err, ourIn.Close(), ourOut.Close())
	}
	_ = ourIn.SetWriteDeadline(time.Now().Add(answering))
	if err := json.NewEncoder(ourIn).Encode(c); err != nil {
		b.kill()
		_ = b.cmd.Wait()
		return nil, errors.Join(err, ourIn.Close(), ourOut.Close())
	}
	return b, nil
}

// cancel has the process end the program, and kills it if it does not answer in time.
func (b *between) cancel() {
	_ = b.lifeline.Close()
	time.AfterFunc(grace+killing+answering, b.kill)
}

// kill kills the process, and with it the program, if it has not answered.
func (b *between) kill() {
	if b.answered.Load() {
		return
	}
	b.killed.Store(true)
	_ = b.cmd.Process.Kill()
	_ = b.out.SetReadDeadline(time.Now().Add(time.Second))
}

// release waits for the end of a process that has nothing more to say. It lingers if
// the program has left processes running.
func (s *Spawner) release(b *between) {
	s.lingering.Add(1)
	go func() {
		_ = b.cmd.Wait()
		s.lingering.Add(-1)
	}()
}

// Check returns an error that says what to do if a command could not be run now.
func (s *Spawner) Check(c Command) error { return Check(c) }
