package keepalived

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// regexFlags are PCRE's options that RE2 has as well. The others are told.
var regexFlags = map[string]string{"caseless": "i", "multiline": "m", "dotall": "s", "ungreedy": "U"}

// regexHarmless are options that do not change which pages match here.
var regexHarmless = []string{"no_auto_capture", "no_utf_check", "never_ucp", "never_utf", "never_backslash_c", "no_auto_possess", "no_start_optimize", "no_dotstar_anchor"}

// regex reads an expression. In quotes, backslashes escape as in a shell.
func regex(w *walk, s *Statement, u *url) {
	words, err := SplitEscaped(s.Raw)
	if err != nil || len(words) != 2 || words[1] == "" {
		w.refuse(s, "one expression")
		return
	}
	if _, wrong := translated(words[1], nil); wrong != "" {
		w.lose(importer.Lost, s, wrong, `Write another expression as body (or not) in the expect block.`)
		return
	}
	u.regex.take(s, words[1])
	w.drop(importer.Note, s)
}

// regexOptions reads options of an expression.
func regexOptions(w *walk, s *Statement, u *url) {
	for _, word := range s.Args() {
		switch {
		case regexFlags[word] != "" || word == "anchored" || word == "dollar_endonly":
			var o setting[string]
			o.take(s, word)
			u.options = append(u.options, o)
		case slices.Contains(regexHarmless, word):
			w.loseText(importer.Note, s, word, "it does not change which pages match", "")
		default:
			w.loseText(importer.Lost, s, word, "expressions of lvsd (RE2) have no such option", `Write the expression anew, as body in the expect block.`)
		}
	}
	u.seen = append(u.seen, s.Place)
	w.drop(importer.Note, s)
}

// regexOffset notes where in a page an expression may match.
func regexOffset(w *walk, s *Statement, _ *url) {
	w.lose(importer.Differs, s, "the expression may match anywhere in the first 256 KiB of the page", "")
	w.drop(importer.Note, s)
}

// maxRegex bounds an expression that is translated, in bytes.
const maxRegex = 4096

// translated returns an expression of PCRE as RE2 has it, or what it has not.
func translated(pattern string, options []setting[string]) (re2, wrong string) {
	if len(pattern) > maxRegex {
		return "", "the expression is too long"
	}
	flags, anchored, end := "", false, `(?:\n?\z)`
	for _, o := range options {
		switch {
		case o.value == "anchored":
			anchored = true
		case o.value == "dollar_endonly":
			end = `\z`
		case !strings.Contains(flags, regexFlags[o.value]):
			flags += regexFlags[o.value]
		}
	}
	if strings.Contains(flags, "m") {
		end = "$"
	}
	re2 = ends(pattern, end)
	if anchored {
		re2 = `\A(?:` + re2 + ")"
	}
	if flags != "" {
		re2 = "(?" + flags + ")" + re2
	}
	if _, err := regexp.Compile(re2); err != nil {
		return "", "expressions of lvsd (RE2) have no counterpart for all of it: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return re2, ""
}

// ends writes what an expression means by the end of a page as RE2 has it: PCRE's dollar
// sign matches before a newline at the end, too.
func ends(pattern, end string) string {
	if !strings.ContainsAny(pattern, `$\`) {
		return pattern
	}
	var b strings.Builder
	class := 0 // where the class of characters began, and 1 more; 0: in none
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(escapedAs(pattern[i], class > 0))
			continue
		case class == 0 && c == '[':
			class = i + 1
			if i+1 < len(pattern) && pattern[i+1] == '^' {
				class++
			}
		case class > 0 && c == ']' && i > class:
			class = 0
		case class == 0 && c == '$':
			b.WriteString(end)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// escapedAs returns what a backslash and a character are in RE2.
func escapedAs(c byte, class bool) string {
	switch {
	case c == 'Z' && !class:
		return `(?:\n?\z)`
	case c == 'h' && class:
		return `\t `
	case c == 'h':
		return `[\t ]`
	case c == 'R' && !class:
		return `(?:\r\n|[\n\v\f\r])`
	case c == 'e':
		return `\x1b`
	}
	return string([]byte{'\\', c})
}
