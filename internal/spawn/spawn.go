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
	if n := s.lingering.Load(); n >= maxLingering {
		return Outcome{}, fmt.Errorf("%d programs that were run earlier have left processes running, so no other is started: end them, and use kill_children = true if they are not meant to stay", n)
	}
	b, err := start(s.command, c)
	if err != nil {
		return Outcome{}, fmt.Errorf("starting the process that runs %s: %w", first(c.Args), err)
	}
	defer b.out.Close()
	defer b.lifeline.Close()
	if c.Timeout > 0 {
		defer time.AfterFunc(c.Timeout+grace+killing+answering, b.kill).Stop()
	}
	defer context.AfterFunc(ctx, b.cancel)()
	var answer reply
	err = json.NewDecoder(io.LimitReader(b.out, maxReply)).Decode(&answer)
	b.answered.Store(true)
	s.release(b)
	switch {
	case err != nil && b.killed.Load():
		return Outcome{}, fmt.Errorf("the process that ran %s did not answer and was killed", first(c.Args))
	case err != nil:
		return Outcome{}, fmt.Errorf("the process that ran %s ended without an answer: somebody may have killed it, or memory ran out", first(c.Args))
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

// start starts a process between and gives it its command.
func start(command []string, c Command) (*between, error) {
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
	b.cmd.Stdin, b.cmd.Stdout = theirIn, theirOut
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
