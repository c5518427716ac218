package ipvsadm

import (
	"path"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// grammar are the words of a shell that begin a command and leave no doubt: they, and
// what only prints, change no table.
var grammar = []string{
	"if", "then", "elif", "else", "fi", "case", "esac", "for", "while", "until", "do", "done", "function", "{", "}",
	"set", "exit", "return", "shift", "true", "echo", "printf", "sleep", "touch",
}

// leading are those that another command follows.
var leading = []string{"then", "else", "do", "{", "if", "while", "until"}

// branches are words after which some commands are for one case, and others for another
// one, such as the start and the stop of an init script.
var branches = []string{"case", "if", "for", "while", "until", "function"}

// remedies are what to write in the place of other programs that set a cluster up.
var remedies = map[string]string{
	"ifconfig":  "Write a virtual_router with the address: the Master has it. On real servers, lvsd realserver up gives lo the addresses.",
	"ip":        "Write a virtual_router with the address: the Master has it. On real servers, lvsd realserver up gives lo the addresses.",
	"route":     "A virtual_router brings the route to its addresses. Others are for the configuration of the network.",
	"arptables": "On real servers, lvsd realserver up has them answer for no virtual address.",
	"sysctl":    "lvsd doctor tells which settings a director lacks, and with --fix sets them.",
	"modprobe":  "The kernel loads it when lvsd starts.",
}

// assigns takes a line that gives a variable a value: what follows has that value, if it is
// a constant. Of several, the variable has none.
func (m *made) assigns(text string) (name string, constant, is bool) {
	text = strings.TrimPrefix(text, "export ")
	words, err := split(text)
	name, _, is = strings.Cut(text, "=")
	if !is || !identifier(name) || err != nil || len(words) != 1 {
		return "", false, false
	}
	value, whole := m.expand(words[0][len(name)+1:])
	before, known := m.constants[name]
	if !whole || strings.ContainsAny(value, "`|&;<>()*?") || known && before != value {
		value, whole = "", false
	}
	m.constants[name] = value
	return name, whole, true
}

// identifier reports whether this may be the name of a variable.
func identifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// expand puts in what variables mean that are constants, but within single quotes; whole
// is false where another one is left.
func (m *made) expand(text string) (expanded string, whole bool) {
	var b strings.Builder
	whole = true
	quote := byte(0)
	for i := 0; i < len(text) && b.Len() <= maxLine; i++ {
		c := text[i]
		switch {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		}
		if c != '$' || quote == '\'' {
			b.WriteByte(c)
			continue
		}
		name, length := variable(text[i+1:])
		value := m.constants[name]
		if value == "" || m.expanded > maxMade {
			b.WriteByte(c)
			whole = false
			continue
		}
		b.WriteString(value)
		m.expanded += len(value)
		i += length
	}
	return b.String(), whole && b.Len() <= maxLine
}

// maxName bounds the name of a variable.
const maxName = 256

// variable returns the name that a $ has after it, and how long that is with its braces;
// what a shell takes for more than a name has none.
func variable(text string) (name string, length int) {
	text = text[:min(len(text), maxName)]
	if inner, is := strings.CutPrefix(text, "{"); is {
		name, _, _ = strings.Cut(inner, "}")
		if identifier(name) {
			return name, len(name) + len("{}")
		}
		return "", 0
	}
	for length < len(text) && identifier("_"+text[length:length+1]) {
		length++
	}
	return text[:length], length
}

// after returns a command without the words of a shell before it.
func (m *made) after(words []string) []string {
	for len(words) > 1 && (words[0] == "sudo" || slices.Contains(leading, words[0]) || strings.HasSuffix(words[0], ")")) {
		m.branches = m.branches || words[0] != "sudo"
		words = words[1:]
	}
	return words
}

// unredirected takes off where a command's output goes.
func unredirected(words []string) []string {
	i := slices.IndexFunc(words, func(w string) bool {
		return strings.HasPrefix(strings.TrimLeft(w, "012&"), ">")
	})
	if i < 0 {
		return words
	}
	return words[:i]
}

// other tells of a line that is none of ipvsadm's.
func (m *made) other(at importer.Place, text string, words []string) {
	m.branches = m.branches || slices.Contains(branches, words[0]) || strings.HasSuffix(words[0], "()") || strings.HasSuffix(words[0], ")")
	name, value, assigned := strings.Cut(text, "=")
	value = strings.Trim(value, `"' `)
	switch {
	case assigned && name == "AUTO":
		m.lose(at, importer.Note, text, "lvsd loads the table by itself when it starts", "")
		return
	case assigned && name == "DAEMON" && value != "none":
		m.lose(at, importer.Lost, text, noRouter, syncRemedy)
		return
	case assigned && (name == "DAEMON" || name == "IFACE" || name == "SYNCID"):
		m.lose(at, importer.Note, text, "it is for the sync daemon", "")
		return
	}
	switch name, constant, is := m.assigns(text); {
	case is && constant:
		m.lose(at, importer.Note, text, "this value is put in where "+name+" is used below", "")
	case is:
		m.lose(at, importer.Note, text, "a variable of a shell without one constant value: nothing is run here, and lines that use it are told", "")
	case m.quiet(words):
		m.lose(at, importer.Note, text, "this is no line of ipvsadm, and nothing is run here", "")
	default:
		m.lose(at, importer.Lost, text, "this is no line of ipvsadm, and nothing is run here", remedies[path.Base(words[0])])
	}
}

// quiet reports whether a command is a shell's own or only prints.
func (m *made) quiet(words []string) bool {
	prints := !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "/proc/") || strings.HasPrefix(w, ">/proc/") })
	return prints && (slices.Contains(grammar, words[0]) || strings.HasSuffix(words[0], ")"))
}
