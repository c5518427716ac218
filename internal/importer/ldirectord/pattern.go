package ldirectord

import (
	"errors"
	"regexp"
	"strings"
)

// pattern returns a regular expression of Perl as RE2 has it, or why there is none.
func pattern(perl string) (string, error) {
	var b strings.Builder
	class := false
	for i := 0; i < len(perl); i++ {
		c := perl[i]
		switch {
		case c == '\\' && i+1 < len(perl):
			i++
			switch perl[i] {
			case 'Z':
				b.WriteString(`\n?\z`)
			case 'h':
				b.WriteString(map[bool]string{true: ` \t`, false: `[ \t]`}[class])
			case '/', '"', '\'', '@', '%', ':', '=', '&', '<', '>', ',', ';', '!', '#', '~', '`', ' ', '_':
				b.WriteByte(perl[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(perl[i])
			}
			continue
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '$' && !class && (i+1 == len(perl) || strings.ContainsRune(")|", rune(perl[i+1]))):
			b.WriteString(`\n?$`)
			continue
		}
		b.WriteByte(c)
	}
	if _, err := regexp.Compile(b.String()); err != nil {
		return "", errors.New("the regular expression is one of Perl's, and RE2 has no such: " + string(codeOf(err)))
	}
	return b.String(), nil
}

// codeOf returns what is wrong with an expression, in few words.
func codeOf(err error) string {
	_, reason, ok := strings.Cut(err.Error(), "error parsing regexp: ")
	if !ok {
		return err.Error()
	}
	return reason
}

// literal returns the only text that a pattern matches, if it has no signs but dots.
func literal(perl string) (string, bool) {
	s := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(perl, "^"), "$"), `\.`, ".")
	return s, s != "" && regexp.QuoteMeta(strings.ReplaceAll(s, ".", "")) == strings.ReplaceAll(s, ".", "")
}
