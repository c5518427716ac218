package ipvsadm

import (
	"fmt"
	"path"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// The bounds of what is read.
const (
	maxBytes = 16 << 20
	maxLines = 500_000  // and commands
	maxLine  = 64 << 10 // bytes
	maxJoin  = 2 << 10  // bytes of a line that goes on on the next one
	maxWords = 64       // of one command
	maxMade  = 64 << 20 // bytes that values make of lines
)

// bounds returns the error of a text that is no table, whatever it is.
func bounds(file, text string) error {
	if len(text) > maxBytes {
		return fmt.Errorf("%s has more than %d MB", file, maxBytes>>20)
	}
	n, more := 0, 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		switch more += strings.Count(line, ";") + strings.Count(line, "&&") + strings.Count(line, "||"); {
		case len(line) > maxLine:
			return fmt.Errorf("%s:%d: the line has %d bytes, and %d are read at most: is it a file of ipvsadm?", file, n, len(line), maxLine)
		case n+more > maxLines:
			return fmt.Errorf("%s has more than %d commands: is it a file of ipvsadm?", file, maxLines)
		}
	}
	return nil
}

// A command is a command line of ipvsadm, where it stands.
type command struct {
	importer.Place
	text    string
	args    []string
	comment []string
}

// read cuts a text into command lines of ipvsadm: a saved table, or a script, of which
// nothing is run. Other lines are losses.
func (m *made) read(file, text string) (all []command) {
	var comment []string
	line, begin := "", 0
	lines := strings.Split(text, "\n")
	for n, l := range lines {
		l = strings.TrimRight(l, "\r")
		if line == "" {
			begin = n + 1
		}
		// As in a shell, a comment ends with its line.
		more, is := strings.CutSuffix(l, `\`)
		if _, remark := uncomment(line + l); is && remark == "" && len(line) < maxJoin && n < len(lines)-1 {
			line += more + " "
			continue
		}
		line += more
		at := importer.Place{File: file, Line: begin}
		body, remark := uncomment(strings.TrimSpace(line))
		line = ""
		if remark != "" && !strings.HasPrefix(remark, "!") {
			comment = append(comment, remark)
		}
		for _, part := range commands(body) {
			if c, is := m.command(at, part); is {
				c.comment, comment = comment, nil
				all = append(all, c)
			}
		}
	}
	return all
}

// uncomment takes a comment off a line. As in a shell, it begins a word.
func uncomment(line string) (body, comment string) {
	quote := byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t' || line[i-1] == ';'):
			return strings.TrimSpace(line[:i]), strings.TrimSpace(strings.TrimLeft(line[i:], "# \t"))
		}
	}
	return line, ""
}

// commands cuts a line at what separates the commands of a shell.
func commands(line string) (all []string) {
	for _, part := range strings.FieldsFunc(strings.ReplaceAll(strings.ReplaceAll(line, "&&", ";"), "||", ";"), func(r rune) bool { return r == ';' }) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// command reads one command. What is no line of ipvsadm is a loss, or a setting of Debian's.
func (m *made) command(at importer.Place, text string) (c command, is bool) {
	expanded, _ := m.expand(text)
	words, err := split(expanded)
	if err != nil || len(words) == 0 {
		m.lose(at, importer.Lost, text, "it cannot be read: "+fmt.Sprint(err), "")
		return c, false
	}
	words = m.after(words)
	switch {
	case path.Base(words[0]) == "ipvsadm" && !strings.Contains(words[0], "="):
		words = words[1:]
	case !strings.HasPrefix(words[0], "-"):
		m.other(at, text, words) // as it is written
		return c, false
	}
	words = unredirected(words)
	for _, w := range words {
		if strings.ContainsAny(w, "$`<>|&()") {
			m.lose(at, importer.Lost, text, "a shell puts in what it means, and nothing is run here", "Import what ipvsadm-save prints of the table that the script makes: ipvsadm -Sn | lvsd import ipvsadm -")
			return c, false
		}
	}
	if len(words) == 0 || len(words) > maxWords {
		m.lose(at, importer.Lost, text, "this is no command of ipvsadm", "")
		return c, false
	}
	return command{Place: at, text: text, args: words}, true
}

// What is told of sync daemons, which lvsd starts by the role of a virtual router.
const (
	noRouter   = "in lvsd, the role of a virtual router decides which director tells of connections, and there is none here"
	syncRemedy = `Write connection_sync { router = "outside" interface = "eth1" } in the director block, once there is a virtual_router.`
)

// split cuts a command into words, from which quotes are taken away.
func split(text string) (words []string, err error) {
	var word strings.Builder
	quote, within := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, within = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if within {
				words = append(words, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteRune(r)
			within = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quotation that begins with %c does not end", quote)
	}
	if within {
		words = append(words, word.String())
	}
	return words, nil
}
