package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// hookOrder are the words that name programs to be run when a state changes, with the
// states of lvsd.
var hookOrder = []struct{ word, state string }{
	{"notify_master", "master"}, {"notify_backup", "backup"}, {"notify_fault", "fault"}, {"notify_stop", "stop"},
}

// hooks makes blocks on of what is run for a virtual router, or for a group.
func (c *section) hooks(g *globals, b *importer.Block, kind, name, priority string) {
	stops := false
	for _, h := range hookOrder {
		for _, s := range c.once(h.word) {
			if c.starts(s) {
				c.run(g, b.Block("on", h.state).Of(s.Place).Note(comments(s)...), s)
				stops = stops || h.state == "stop"
			}
		}
	}
	for _, s := range c.take("notify_deleted") {
		switch {
		case len(s.Words) == 1:
			c.note(s, "a virtual router that is removed comes into the state stop")
		case stops:
			c.lose(importer.Lost, s, "the program of notify_stop is run as well when the virtual router is removed, and there is no state of its own for that", "Tell the two apart in the program.")
		case c.starts(s):
			c.run(g, b.Block("on", "stop").Of(s.Place), s)
			c.lose(importer.Differs, s, "it is run when lvsd stops, too", "")
		}
	}
	for _, s := range c.once("notify") {
		for i, h := range hookOrder {
			if i == 0 && !c.starts(s) {
				break
			}
			on := b.Block("on", h.state).Of(s.Place)
			if i == 0 {
				on.Note(comments(s)...)
			}
			c.run(g, on, s, kind, name, strings.ToUpper(h.state), priority)
			if kind == "INSTANCE" && g.weighs {
				presently(on.Get("run"))
			}
		}
	}
}

// presently has a program told the present priority in place of the configured one, which is
// its last argument.
func presently(run *importer.Arg) {
	list := run.Value.List
	run.Value = importer.List(append(importer.Strings("/bin/sh", "-c", `exec "$0" "$@" "$LVSD_PRIORITY"`).List, list[:len(list)-1]...)...)
}

// once returns the first statement that begins with a word. Of programs, keepalived does
// not take a second one.
func (c *section) once(word string) []*Statement {
	list := c.take(word)
	if len(list) < 2 {
		return list
	}
	for _, s := range list[1:] {
		c.note(s, "the program is said further up already, and keepalived does not take another one")
	}
	return list[:1]
}

// starts reports whether keepalived ever runs the program of a statement, behind which a user
// may stand.
func (c *section) starts(s *Statement) bool {
	_, rest, _ := s.Command()
	_, ok := c.whom(s, rest)
	return ok
}

// run has a block run the program of a statement, with more arguments, as the user behind it.
func (c *section) run(g *globals, b *importer.Block, s *Statement, more ...string) {
	c.user(g, b, s, c.program(b, s, more...))
}

// program has a block run the program of a statement, with more arguments, and returns the
// words behind it.
func (c *section) program(b *importer.Block, s *Statement, more ...string) (rest []string) {
	run, rest, err := s.Command()
	if err != nil || len(run) == 0 {
		c.lose(importer.Lost, s, "no program can be read here", `Write run = ["/etc/lvsd/hooks/notify"] in the block.`)
		run = []string{"/bin/false"}
	}
	if strings.ContainsAny(run[0], "<>|&;()$`=*?") {
		run = c.shell(s)
	} else {
		run[0] = c.findProgram(s, run[0])
	}
	b.Set("run", importer.Strings(append(run, more...)...), s.Place)
	return rest
}

// shell returns what runs a line that is no program but one of a shell's, to which
// keepalived hands it.
func (c *section) shell(s *Statement) []string {
	words, _ := SplitEscaped(s.Raw)
	shell := "/bin/sh"
	if strings.Contains(words[1], "/dev/tcp/") || strings.Contains(words[1], "/dev/udp/") {
		shell = "/bin/bash" // which alone knows these
	}
	c.lose(importer.Note, s, "this is a line of a shell, and "+shell+" runs it here", "")
	return []string{shell, "-c", words[1]}
}

// user sets the user that a program runs as: of the statement, or of all.
func (c *section) user(g *globals, b *importer.Block, s *Statement, words []string) {
	from := s
	if len(words) == 0 {
		if from = g.ask("script_user"); from != nil {
			words = from.Args()
		}
	}
	if len(words) == 0 {
		if !c.asked {
			c.asked = true
			c.lose(importer.Differs, s, "keepalived runs its programs as the user keepalived_script, or as root where there is none, and lvsd without any privileges where no user is written", `Write user = "…" in each block that runs a program, and see lvsd's drop-in programs.conf, without which lvsd cannot become another user.`)
		}
		return
	}
	b.Set("user", importer.String(words[0]), s.Place, from.Place)
	if len(words) > 1 && from == s {
		c.loseText(importer.Note, from, strings.Join(words[1:], " "), "a program has the groups of its user", "")
	}
}
