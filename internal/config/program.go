package config

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
)

// maxArguments and maxArgument bound what a program is given, in number and in bytes:
// all of it must fit into one message.
const (
	maxArguments = 256
	maxArgument  = 4096
)

// programBlock lets the options below say where theirs is.
type programBlock struct {
	Program
	run []block.Item
}

// programOptions are what all blocks have that name a program.
func programOptions[T any](timeout time.Duration, of func(*T) *programBlock) []block.Entry[T] {
	return slices.Insert(untimedOptions(of), 2,
		block.Duration("timeout", "After this time the program is ended, with everything that it has started.",
			timeout, 100*time.Millisecond, time.Hour, func(t *T) *time.Duration { return &of(t).Timeout }))
}

// untimedOptions are these without the time that it may take.
func untimedOptions[T any](of func(*T) *programBlock) []block.Entry[T] {
	return []block.Entry[T]{
		block.List("run", "The program's absolute path, and its arguments. There is no shell: nothing is expanded. Nobody but root and lvsd's user may be able to change the program or its directories.",
			func(t *T) *[]block.Item { return &of(t).run }),
		block.Text("user", "The user that the program runs as. lvsd must be able to become that user: the unit that is shipped does not let it, and its drop-in programs.conf does. Without it, the program has no privileges at all.",
			"", programUserName, func(t *T) *string { return &of(t).User }).Within("the name of a user").Unless("lvsd's own"),
		block.Flag("kill_children", "When the program has ended, end everything that it has left running. If false, what it has put into a session of its own (setsid) stays.",
			false, func(t *T) *bool { return &of(t).KillChildren }),
	}
}

// read judges the list, once the block is decoded.
func (p *programBlock) read(b *block.Body) Program {
	b.Require("run", `run = ["/etc/lvsd/programs/notify"]`)
	p.Run = readRun(b, "run", p.run)
	return p.Program
}

// readRun judges a program and its arguments, which an option says.
func readRun(b *block.Body, option string, all []block.Item) (run []string) {
	if all != nil && len(all) == 0 && !b.Refused(option) {
		b.Mistake(b.At(option), "No program", "Write the program's absolute path, such as [\"/etc/lvsd/hooks/notify\"].")
	}
	if len(all) > maxArguments {
		b.Mistake(b.At(option), "Too many arguments", "A program can have %d, but these are %d.", maxArguments-1, len(all)-1)
	}
	for i, it := range all {
		switch {
		case strings.ContainsRune(it.Text, 0) || len(it.Text) > maxArgument:
			b.Mistake(it.At, "Invalid argument", "An argument has at most %d bytes, and none of them is zero.", maxArgument)
		case i == 0 && !filepath.IsAbs(it.Text):
			b.Mistake(it.At, "Not an absolute path", "Programs are not searched for, and there is no shell: write the whole path, such as \"/etc/lvsd/hooks/notify\".")
		case i == 0:
			claim(b, programPath, it.Text, it.At)
		}
		run = append(run, it.Text)
	}
	return run
}

// programUserName checks the name of a user whom a program is to run as.
func programUserName(b *block.Body, s string, at block.Place) (string, bool) {
	s, ok := userName(b, s, at)
	if ok {
		claim(b, programUser, s, at)
	}
	return s, ok
}

// userName checks what may be the name of a user (useradd(8)).
func userName(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || len(s) > 32 || strings.ContainsAny(s, ":/ \t\n\x00") || strings.HasPrefix(s, "-") {
		b.Mistake(at, "Invalid user", "%q can't be the name of a user: `getent passwd` lists those of this machine.", s)
		return "", false
	}
	return s, true
}

// absolutePath checks the path of something on this machine.
func absolutePath(b *block.Body, s string, at block.Place) (string, bool) {
	if !filepath.IsAbs(s) {
		b.Mistake(at, "Relative path", "%q must begin with a slash: write the whole path.", s)
		return "", false
	}
	return filepath.Clean(s), true
}
