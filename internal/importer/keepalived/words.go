package keepalived

import (
	"errors"
	"fmt"
	"strings"
)

// space is what separates words.
const space = " \t\n\v\f\r"

// isBlank reports whether a byte is what lines are indented with.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// A cut line is a line without its comment.
type cutLine struct {
	text      string
	comment   string // with its sign
	continued bool   // a backslash was the last of it
}

// cut takes the comment off a line. "#" and "!" begin one everywhere but in double
// quotes and after a backslash. A backslash at the end continues a value on the next
// line, also where it stands in a comment.
func cut(line string) (out cutLine) {
	line = strings.Trim(line, " \t\r\n")
	quoted, drop := false, []int(nil)
	end := len(line)
	for i := 0; i < end; i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 == len(line):
			out.continued, end = true, i
		case c == '\\':
			if !quoted && (line[i+1] == '#' || line[i+1] == '!') {
				drop = append(drop, i)
			}
			i++
		case (c == '#' || c == '!') && !quoted:
			out.comment, end = line[i:], i
		}
	}
	if text, more := strings.CutSuffix(out.comment, `\`); more {
		out.comment, out.continued = text, true
	}
	out.text = strings.TrimRight(without(line[:end], drop), " \t")
	return out
}

// without returns a line without the bytes at some places.
func without(line string, places []int) string {
	if places == nil {
		return line
	}
	var b strings.Builder
	from := 0
	for _, at := range places {
		b.WriteString(line[from:at])
		from = at + 1
	}
	b.WriteString(line[from:])
	return b.String()
}

// firstBrace returns the place of the first brace that is not in double quotes; -1 if
// there is none.
func firstBrace(line string) int {
	for i := 0; i < len(line); i++ {
		at := strings.IndexAny(line[i:], `{}"`)
		if at < 0 {
			return -1
		}
		i += at
		if line[i] != '"' {
			return i
		}
		if at = strings.IndexByte(line[i+1:], '"'); at < 0 {
			return -1
		}
		i += at + 1
	}
	return -1
}

// errUnmatchedQuote is what is wrong with a line whose quotation does not end.
var errUnmatchedQuote = errors.New("a quotation does not end on its line")

// split cuts a line into its words. What is in double quotes is a word of its own,
// even where no space is before or after it; a backslash and single quotes are
// characters as any other. Where a quotation does not end, the words before it count.
func split(line string) (words []string, err error) {
	for {
		line = strings.TrimLeft(line, space)
		switch {
		case line == "":
			return words, nil
		case line[0] != '"':
			end := strings.IndexAny(line, space+`"`)
			if end < 0 {
				end = len(line)
			}
			words, line = append(words, line[:end]), line[end:]
		default:
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return words, errUnmatchedQuote
			}
			words, line = append(words, line[1:1+end]), line[end+2:]
		}
	}
}

// SplitEscaped cuts a text into words as keepalived does with the parts of commands,
// regular expressions and other words in which quotes and backslashes count: both kinds
// of quotes are taken away and hold words together, and escapes as of the shell stand
// for characters.
func SplitEscaped(text string) (words []string, err error) {
	for {
		text = strings.TrimLeft(text, space)
		if text == "" {
			return words, nil
		}
		word, rest, err := firstWord(text)
		if err != nil {
			return nil, err
		}
		words, text = append(words, word), rest
	}
}

// firstWord returns the first word of a text, and what comes after it.
func firstWord(text string) (word, rest string, err error) {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			as, size := escaped(text[i+1:])
			if size == 0 {
				return "", "", errors.New("a backslash is the last character, and escapes nothing")
			}
			b.WriteString(as)
			i += size
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(space, c) >= 0:
			return b.String(), text[i:], nil
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", "", fmt.Errorf("the quotation that begins with %c does not end", quote)
	}
	return b.String(), "", nil
}

// named are the escapes that are letters.
var named = map[byte]byte{'a': '\a', 'b': '\b', 'E': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// escaped returns the character that is escaped by what follows a backslash, and how
// many bytes that takes; 0 if there is nothing.
func escaped(text string) (as string, size int) {
	if text == "" {
		return "", 0
	}
	ch := text[0]
	switch {
	case ch == 'x' && digits(text[1:], 2, 16) > 0:
		size = 1 + digits(text[1:], 2, 16)
		ch = number(text[1:size], 16)
	case ch == 'c' && len(text) > 1:
		ch, size = text[1]&0x1f, 2
	case ch <= '7' && digits(text, 3, 8) > 0:
		size = digits(text, 3, 8)
		ch = number(text[:size], 8)
	default:
		size = 1
		if special, is := named[ch]; is {
			ch = special
		}
	}
	return string([]byte{ch}), size
}

// digits counts the digits at the start of a text, up to a number of them.
func digits(text string, most int, base byte) (n int) {
	for n < most && n < len(text) && digit(text[n]) < base {
		n++
	}
	return n
}

// number is the value of digits, of which a byte keeps what it has room for.
func number(text string, base byte) (out byte) {
	for i := range len(text) {
		out = out*base + digit(text[i])
	}
	return out
}

// digit is the value of a digit, and 255 of anything else.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
