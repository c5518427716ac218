package ipvsadm

import (
	"fmt"
	"strings"
)

// words reads the options of a command line as popt does: short ones may be joined, a
// value follows in the same word, after "=" or not, or is the next one. What is no option
// is left over, wherever it stands.
type words struct {
	args  []string
	short string // what is left of a word of short options
	rest  []string
	ended bool // after "--"
	// list: -o has a value then, the format.
	list bool
}

// A word is one option with its value.
type word struct {
	*option
	text  string // as it was written
	value string
	given bool // whether there is a value
}

// next returns the next option; ok is false after the last one.
func (w *words) next() (found word, ok bool, err error) {
	for w.short == "" {
		if len(w.args) == 0 {
			return found, false, nil
		}
		arg := w.args[0]
		w.args = w.args[1:]
		switch {
		case w.ended || arg == "-" || !strings.HasPrefix(arg, "-"):
			w.rest = append(w.rest, arg)
		case arg == "--":
			w.ended = true
		case strings.HasPrefix(arg, "--"):
			return w.long(arg)
		default:
			w.short = arg[1:]
		}
	}
	return w.next1()
}

// long reads "--name" and "--name=value".
func (w *words) long(arg string) (found word, ok bool, err error) {
	name, value, given := strings.Cut(arg[2:], "=")
	o := byLong(name)
	if o == nil {
		return found, false, &Error{StatusRefused, fmt.Errorf("there is no option --%s", name)}
	}
	found = word{option: o, text: "--" + name, value: value, given: given}
	if o.arg == none && given {
		return found, false, &Error{StatusRefused, fmt.Errorf("--%s has no value", name)}
	}
	if o.arg == none || given {
		return found, true, nil
	}
	return w.value(found)
}

// next1 reads one short option.
func (w *words) next1() (found word, ok bool, err error) {
	c := w.short[0]
	o := byShort(c)
	if o == nil {
		return found, false, &Error{StatusRefused, fmt.Errorf("there is no option -%c", c)}
	}
	if c == 'o' && w.list {
		o = byLong("output")
	}
	w.short = w.short[1:]
	found = word{option: o, text: "-" + string(c)}
	value, assigned := strings.CutPrefix(w.short, "=")
	if o.arg == none {
		if assigned {
			return found, false, &Error{StatusRefused, fmt.Errorf("-%c has no value", c)}
		}
		return found, true, nil
	}
	if w.short != "" {
		w.short, found.value, found.given = "", value, true
		return found, true, nil
	}
	return w.value(found)
}

// value takes the next word as the value.
func (w *words) value(found word) (word, bool, error) {
	switch {
	case len(w.args) > 0 && !(found.arg == optional && strings.HasPrefix(w.args[0], "-")):
		found.value, found.given = w.args[0], true
		w.args = w.args[1:]
	case found.arg == required:
		return found, false, &Error{StatusRefused, fmt.Errorf("%s needs a value: %s", found.text, found.option.value)}
	}
	return found, true, nil
}
