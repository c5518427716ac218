package keepalived

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A loop is a line that is read several times, each time with other values.
type loop struct {
	line
	names []string
	turns int
	turn  int
	value func(turn, name int) string
}

func (p *loop) next(r *reader) (line, bool) {
	if p.turn == p.turns {
		return line{}, false
	}
	for i, name := range p.names {
		r.values[name] = &value{text: p.value(p.turn, i)}
	}
	p.turn++
	return p.line, true
}

// loop takes a line that is a loop.
func (r *reader) loop(l line) bool {
	var p *loop
	var err error
	switch {
	case strings.HasPrefix(l.text, "~SEQ"):
		p, err = r.sequence(l.text[len("~SEQ"):])
	case strings.HasPrefix(l.text, "~LST"):
		p, err = list(l.text[len("~LST"):])
	default:
		return false
	}
	switch {
	case err != nil:
		r.lose(importer.Lost, l.text, "the loop cannot be read: "+err.Error(), "Write it as ~SEQ(name, first, step, last) or ~LST(name, value, value).")
	case r.turns(p.turns) > maxLines-r.lines:
		r.fail("the loop makes %d lines, and with all others these are more than %d: it was hardly meant to run that far", r.turns(p.turns), maxLines)
	default:
		l.text, p.line = "", line{Place: l.Place, text: p.text}
		r.push(p)
	}
	return true
}

// turns is how often a line is read for which there are so many turns in the loops that
// it stands in; more than maxLines is as good as endless.
func (r *reader) turns(n int) int {
	for _, f := range r.feeds {
		if p, is := f.(*loop); is {
			n = min(n*p.turns, 1<<32)
		}
	}
	return n
}

// sequence reads "(name, first, step, last) text", and "x" before it.
func (r *reader) sequence(text string) (*loop, error) {
	text, hex := strings.CutPrefix(text, "x")
	inner, rest, err := parentheses(text)
	if err != nil {
		return nil, err
	}
	words := strings.Split(inner, ",")
	name, rest2 := cutName(strings.TrimSpace(words[0]))
	if name == "" || rest2 != "" || len(words) < 2 || len(words) > 4 {
		return nil, errors.New("a name and one to three numbers were expected in the parentheses")
	}
	var n []int64
	for _, w := range words[1:] {
		w, _ = r.substitute(strings.TrimSpace(w))
		i, err := strconv.ParseInt(w, 0, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number of up to 31 bits", w)
		}
		n = append(n, i)
	}
	first, step, last, err := bounds(n)
	if err != nil {
		return nil, err
	}
	base := 10
	if hex {
		base = 16
	}
	if hex && (first < 0 || last < 0) {
		return nil, errors.New("~SEQx takes no negative numbers")
	}
	value := func(turn, _ int) string { return strconv.FormatInt(first+int64(turn)*step, base) }
	return &loop{names: []string{name}, turns: int((last-first)/step) + 1, value: value, line: line{text: rest}}, nil
}

// bounds returns the first number, the step and the last number of a sequence of which some are given.
func bounds(n []int64) (first, step, last int64, err error) {
	last = n[len(n)-1]
	switch {
	case len(n) == 1 && last < 0:
		return -1, -1, last, nil
	case len(n) == 1 && last == 0:
		return 1, -1, last, nil
	case len(n) == 1:
		return 1, 1, last, nil
	}
	first, step = n[0], 1
	if first > last {
		step = -1
	}
	if len(n) == 3 {
		step = n[1]
	}
	if step == 0 || first < last && step < 0 || first > last && step > 0 {
		return 0, 0, 0, fmt.Errorf("it never comes from %d to %d by steps of %d", first, last, step)
	}
	return first, step, last, nil
}

// parentheses cuts "(inner) rest".
func parentheses(text string) (inner, rest string, err error) {
	text = strings.TrimLeft(text, " \t")
	if !strings.HasPrefix(text, "(") {
		return "", "", errors.New("an opening parenthesis was expected")
	}
	inner, rest, closed := strings.Cut(text[1:], ")")
	if !closed {
		return "", "", errors.New("the closing parenthesis is missing")
	}
	return strings.TrimSpace(inner), strings.TrimLeft(rest, " \t"), nil
}

// list reads "(name, value, value) text", and names and values in braces for more than one.
func list(text string) (*loop, error) {
	inner, rest, err := parentheses(text)
	if err != nil {
		return nil, err
	}
	sets, err := tuples(inner)
	if err != nil {
		return nil, err
	}
	if len(sets) < 2 {
		return nil, errors.New("a name and at least one value were expected in the parentheses")
	}
	names, sets := sets[0], sets[1:]
	for _, name := range names {
		if n, more := cutName(name); n == "" || more != "" {
			return nil, fmt.Errorf("%q is not a name", name)
		}
	}
	for _, set := range sets {
		if len(set) > len(names) {
			return nil, errors.New("there are more values in braces than names")
		}
	}
	value := func(turn, i int) string {
		if set := sets[turn]; i < len(set) {
			return set[i]
		}
		return ""
	}
	return &loop{names: names, turns: len(sets), value: value, line: line{text: rest}}, nil
}

// tuples reads words separated by commas, of which those in braces are together.
func tuples(text string) (out [][]string, err error) {
	for {
		text = strings.TrimLeft(text, " \t")
		if braced, is := strings.CutPrefix(text, "{"); is {
			inner, rest, closed := strings.Cut(braced, "}")
			if !closed {
				return nil, errors.New("a closing brace is missing")
			}
			out = append(out, trimmed(strings.Split(inner, ",")))
			text = strings.TrimLeft(rest, " \t")
			if text == "" {
				return out, nil
			}
			if text[0] != ',' {
				return nil, errors.New("a comma was expected after the brace")
			}
			text = text[1:]
			continue
		}
		word, rest, more := strings.Cut(text, ",")
		out = append(out, []string{strings.TrimSpace(word)})
		if !more {
			return out, nil
		}
		text = rest
	}
}

func trimmed(words []string) []string {
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words
}
