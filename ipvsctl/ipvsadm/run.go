package ipvsadm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lvsd/lvsd/ipvsctl"
)

// Run carries out one command line and returns the exit status. Without any arguments, it
// lists the table.
func (s *Session) Run(ctx context.Context, args []string) int {
	c := Command{Verb: List}
	if len(args) > 0 {
		var err error
		if c, err = Parse(args, s.Names); err != nil {
			return s.say(0, err)
		}
	}
	status := s.run(ctx, c, 0)
	return max(status, s.say(0, s.flush()))
}

// flush writes what was printed.
func (s *Session) flush() error {
	if err := s.Out.Flush(); err != nil {
		return &Error{StatusList, fmt.Errorf("printing: %w", err)}
	}
	return nil
}

// run carries out a command, from a line of -R or, with 0, not.
func (s *Session) run(ctx context.Context, c Command, line int) int {
	var err error
	switch {
	case c.Verb == Help:
		_, err = io.WriteString(s.Out, HelpText(s.Program))
	case c.Verb == Version:
		_, err = fmt.Fprintln(s.Out, s.Version)
	case c.Verb == Restore:
		return s.restore(ctx, s.In, c)
	case c.Verb == Save:
		err = s.save(ctx, c)
	case c.Verb == List:
		err = s.list(ctx, c)
	case kinds[c.Verb] != "":
		err = s.write(ctx, c)
	default:
		err = s.order(ctx, c)
	}
	return s.say(line, err)
}

// RunSave is ipvsadm-save, whose only option is -n.
func (s *Session) RunSave(ctx context.Context, args []string) int {
	for _, a := range args {
		if len(a) > 0 && a[0] == '-' && a != "-n" {
			return s.say(0, &Error{StatusList, fmt.Errorf("there is no option %s: -n prints addresses and ports as numbers", a)})
		}
	}
	if slices.Contains(args, "-n") {
		return s.Run(ctx, []string{"-S", "-n"})
	}
	return s.Run(ctx, []string{"-S"})
}

// RunRestore is ipvsadm-restore: it clears the table and carries out the commands on
// standard input, unless one of them cannot be understood: then it changes nothing.
func (s *Session) RunRestore(ctx context.Context, args []string) int {
	force := slices.Contains(args, "--force")
	text, err := io.ReadAll(s.In)
	if err != nil {
		return s.say(0, fmt.Errorf("reading the commands: %w", err))
	}
	in := newReader(bytes.NewReader(text))
	for {
		words, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(words) > 0 {
			_, err = parse(words, s.Names, true)
		}
		if err != nil {
			return s.say(in.number, err)
		}
	}
	if status := s.run(ctx, Command{Verb: Clear, Force: force}, 0); status != StatusDone {
		return status
	}
	status := s.restore(ctx, bytes.NewReader(text), Command{Verb: Restore, Force: force})
	return max(status, s.say(0, s.flush()))
}

// A restoration reads commands and carries them out. Those about rows are gathered, since
// the kernel takes a batch as quickly as one, until there is nothing more to read for now.
type restoration struct {
	*Session
	ctx    context.Context
	from   Command // -R itself
	in     *reader
	ops    []ipvsctl.Op
	lines  []int // of each operation
	status int   // of the last line that was carried out
}

// mostGathered is how many operations are gathered.
const mostGathered = 2000

// restore carries out -R and returns the exit status: that of the last line, unless one
// cannot be understood or listed, which ends it.
func (s *Session) restore(ctx context.Context, in io.Reader, c Command) int {
	if _, err := s.connect(ctx); err != nil {
		return s.say(0, err)
	}
	r := restoration{Session: s, ctx: ctx, from: c, in: newReader(in)}
	for {
		if len(r.ops) == mostGathered || r.in.waits() {
			r.carryOut()
		}
		words, err := r.in.next()
		switch {
		case errors.Is(err, io.EOF):
			r.carryOut()
			return r.status
		case err != nil:
			r.carryOut()
			return s.say(0, &Error{StatusUsage, err})
		case len(words) > 0 && r.line(words):
			return r.status
		}
	}
}

// line takes the words of one line, and reports whether it ends all.
func (r *restoration) line(words []string) (ends bool) {
	c, err := parse(words, r.Names, true)
	c.Force, c.StateDir = c.Force || r.from.Force, cmp.Or(c.StateDir, r.from.StateDir)
	if err == nil && kinds[c.Verb] != "" {
		if err = r.allow(c); err == nil {
			r.ops, r.lines = append(r.ops, c.Op), append(r.lines, r.in.number)
			return false
		}
	}
	r.carryOut()
	switch {
	case err != nil:
		r.status = r.say(r.in.number, err)
	case c.Verb == Restore:
		err = fmt.Errorf("%w: and --restore is being carried out already", errNoCommand)
		r.status = r.say(r.in.number, err)
	default:
		r.status = r.run(r.ctx, c, r.in.number)
	}
	return r.status == StatusUsage || r.status == StatusList || errors.Is(err, errNoCommand) || c.Verb == Help || c.Verb == Version
}

// carryOut has the kernel do what was gathered.
func (r *restoration) carryOut() {
	if len(r.ops) == 0 {
		return
	}
	refused, err := r.kernel.Apply(r.ctx, r.ops)
	r.status = r.say(0, err)
	for _, f := range refused {
		status := r.say(r.lines[f.Index], refusal(r.ops[f.Index], f.Err))
		if f.Index == len(r.ops)-1 {
			r.status = status
		}
	}
	r.ops, r.lines = r.ops[:0], r.lines[:0]
}
