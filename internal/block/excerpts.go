package block

import "strings"

// maxValue is how many characters of a value a message shows: it may be a secret
// from the environment or from a file, and messages go where those do not.
const maxValue = 40

// discreet shortens a message, and each of the texts in it that are in quotes to so
// many characters. Values are in quotes, in the messages of libraries too.
func discreet(s string, most int) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\"`")
		if i < 0 {
			return shortened(b.String() + s)
		}
		b.WriteString(s[:i+1])
		quote, end := s[i], quoted(s[i:])
		b.WriteString(excerpt(s[i+1:i+end], most))
		if s = s[i+end:]; s != "" {
			b.WriteByte(quote)
			s = s[1:]
		}
	}
}

// quoted returns where the quotes are closed that s begins with, or its length.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i
		case s[i] == '\\' && s[0] == '"':
			i++
		}
	}
	return len(s)
}

// excerpt returns the first characters of a value. It cuts no escape sequence in
// two, in whose rest there would be a quote.
func excerpt(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return strings.TrimRight(s[:i], "\\") + "…"
		}
		n++
	}
	return s
}

// maxMessage bounds each text of a message, in bytes: it may quote what a file
// says.
const maxMessage = 2 << 10

// shortened cuts a text that is too long, between characters.
func shortened(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}
