package keepalived

import (
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// define takes a line that gives a value to a name, with the lines on which it continues.
func (r *reader) define(l line) bool {
	name, text, is := definition(l.text)
	if !is {
		return false
	}
	if !l.more {
		r.values[name] = &value{text: text}
		return true
	}
	v := &value{}
	first := l
	first.text = text
	v.add(first)
	for l.more {
		var ok bool
		if l, ok = r.pull(); !ok || l.empty {
			break
		}
		if l.text == "" && l.comment != "" { // a line that is a comment is passed over
			l.more = true
			continue
		}
		v.add(l)
	}
	if len(v.lines) == 1 {
		v.text, v.lines = v.lines[0].text, nil
	}
	r.values[name] = v
	return true
}

// add adds a line that says something.
func (v *value) add(l line) {
	if l.more = false; l.text != "" {
		v.lines = append(v.lines, l)
	}
}

// definition cuts "$NAME=value".
func definition(text string) (name, value string, is bool) {
	if !strings.HasPrefix(text, "$") {
		return "", "", false
	}
	name, rest := cutName(text[1:])
	if name == "" || !strings.HasPrefix(rest, "=") {
		return "", "", false
	}
	return name, strings.TrimLeft(rest[1:], " \t"), true
}

// cutName cuts the name off the start of a text; "" if there is none.
func cutName(text string) (name, rest string) {
	end := 0
	for end < len(text) && isName(text[end], end == 0) {
		end++
	}
	return text[:end], text[end:]
}

// isName reports whether a name may have a byte.
func isName(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || !first && c >= '0' && c <= '9'
}

// substitute puts values in the place of their names, once. A name without a value stays as it is.
func (r *reader) substitute(text string) (out string, changed bool) {
	if strings.IndexByte(text, '$') < 0 {
		return text, false
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			r.bytes += b.Len()
			return b.String(), changed
		}
		name, args, rest := use(after)
		with, known := "", false
		if name != "" {
			with, known = r.lookUp(name, args, rest == "")
		}
		if known {
			b.WriteString(with)
			text, changed = rest, true
		} else {
			b.WriteByte('$')
			text = after
		}
		if b.Len()+len(text) > maxLine {
			r.fail("with its values, the line has more than %d bytes: a value that contains itself?", maxLine)
			return "", true
		}
	}
}

// unknown tells of a name without a value that a text has at a brace, "${NAME}", once.
func (r *reader) unknown(text string, brace int) {
	name, rest := cutName(text[brace+1:])
	if brace == 0 || text[brace-1] != '$' || name == "" || !strings.HasPrefix(rest, "}") || r.unset[name] {
		return
	}
	r.unset[name] = true
	r.lose(importer.Lost, "${"+name+"}", "there is no value of this name, so keepalived reads the braces as those of a block", "Give it a value further up ($"+name+"=…), or import what was made of the template.")
}

// use cuts the use of a value off a text that follows "$": NAME before a space, or
// {NAME arguments}.
func use(text string) (name string, args []string, rest string) {
	if braced, is := strings.CutPrefix(text, "{"); is {
		name, after := cutName(braced)
		inner, rest, closed := strings.Cut(after, "}")
		if !closed || name == "" || inner != "" && !isBlank(inner[0]) {
			return "", nil, text
		}
		return name, strings.Fields(inner), rest
	}
	name, rest = cutName(text)
	if rest != "" && strings.IndexByte(" \t,)", rest[0]) < 0 {
		return "", nil, text
	}
	return name, nil, rest
}

// lookUp returns what to put in the place of a name. A value of several lines can only
// be the last on its line; all but its first line are read next.
func (r *reader) lookUp(name string, args []string, last bool) (text string, known bool) {
	v := r.values[name]
	switch {
	case v == nil:
		return r.predefined(name, args)
	case len(args) > 0:
		return "", false
	case v.lines == nil:
		return v.text, true
	case !last:
		return "", false
	}
	rest := lines(v.lines[1:])
	r.push(&rest)
	return v.lines[0].text, true
}

// predefined returns the values that keepalived itself gives.
func (r *reader) predefined(name string, args []string) (text string, known bool) {
	switch name {
	case "_PWD":
		return r.folder(), len(args) == 0
	case "_INSTANCE":
		return r.ID, len(args) == 0
	case "_HASH":
		return "#", len(args) == 0
	case "_BANG":
		return "!", len(args) == 0
	case "_ENV":
		return r.environment(args)
	case "_RANDOM":
		return r.random(args)
	}
	return "", false
}

// environment returns a variable of keepalived's environment.
func (r *reader) environment(args []string) (text string, known bool) {
	if len(args) != 1 {
		return "", false
	}
	if r.Env != nil {
		if text, known = r.Env(args[0]); known {
			return text, true
		}
	}
	r.lose(importer.Differs, "${_ENV "+args[0]+"}", "keepalived takes this from its environment, and it is not in that of this command", "Set "+args[0]+" in the environment of this command, as keepalived's unit sets it.")
	return "", true
}

// random returns the smallest of the numbers of which keepalived takes another one at each start.
func (r *reader) random(args []string) (text string, known bool) {
	if len(args) > 2 || strings.Trim(strings.Join(args, ""), "0123456789") != "" {
		return "", false
	}
	text = "0"
	if len(args) > 0 {
		text = args[0]
	}
	r.lose(importer.Differs, "${"+strings.Join(append([]string{"_RANDOM"}, args...), " ")+"}", "keepalived takes a random number each time it reads this", "Write the number that is meant; it is "+text+" here.")
	return text, true
}
