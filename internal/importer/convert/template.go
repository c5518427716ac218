package convert

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// placeholder is what other programs put something in for: Jinja, ERB and Go's templates
// everywhere, words in angle brackets, "@NAME@" and "__NAME__" where a value stands.
var placeholder = regexp.MustCompile(`\{\{[^{}]*\}\}|\{%[^{}]*%\}|<%[^<>]*%>|(?:^|[\s=:,])(<[A-Za-z][\w ./|-]*>|@[A-Z][A-Z0-9_]*@|__[A-Z][A-Z0-9_]*__)`)

// variable is what envsubst puts something in for, where nothing else can be meant: keepalived,
// which has variables itself, leaves one as it is that is not defined.
var variable = regexp.MustCompile(`^(?:(?:interface|virtual_router_id|priority|unicast_src_ip|virtual_server|real_server)\s+|(?:virtual|real)\s*=\s*)?(\$(?:\{[A-Za-z]\w*\}|[A-Za-z]\w*))`)

// quotation is a text in quotes, where a program may have its own signs.
var quotation = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// finished checks that no file is a template, of which the other program reads what is made.
func (r *Request) finished(files disk) error {
	for _, path := range append(slices.Clone(r.Files), slices.Sorted(maps.Values(r.Nodes))...) {
		text, err := files.Open(path)
		if err != nil {
			return nil // Who reads it says what is wrong.
		}
		line, found, more := placeholders(string(text), r.Program)
		if line == 0 {
			continue
		}
		also := ""
		switch {
		case more == 1:
			also = ", as on 1 line below"
		case more > 1:
			also = fmt.Sprintf(", as on %d lines below", more)
		}
		return fmt.Errorf("%s:%d: %s is a placeholder%s: give the file that is made of this template, as it is on a director", path, line, found, also)
	}
	return nil
}

// placeholders finds the first placeholder of a text, its line, and how many lines more have one.
func placeholders(text, program string) (line int, first string, more int) {
	n, defines := 0, definesVariables(text, program)
	for l := range strings.Lines(text) {
		n++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' || l[0] == '!' || strings.HasPrefix(l, "auth_pass") {
			continue // What looks so there may be a password.
		}
		found := ""
		for _, m := range placeholder.FindAllString(l, -1) {
			if m = strings.Trim(m, " \t=:,"); strings.HasPrefix(m, "{{") || !quoted(l, m) {
				found = m
				break
			}
		}
		if v := variable.FindStringSubmatch(l); v != nil && !defines {
			found = cmp.Or(found, v[1])
		}
		switch {
		case found == "" || quoted(l, found) && strings.HasPrefix(strings.TrimSpace(found[2:]), "."):
		case line == 0:
			line, first = n, found
		default:
			more++
		}
	}
	return line, first, more
}

// definesVariables reports whether variables are a program's own, so that they say nothing: a
// shell's, and keepalived's where it may know of some.
func definesVariables(text, program string) bool {
	return program == "ipvsadm" || program == "keepalived" && keepalivedDefines.MatchString(text)
}

var keepalivedDefines = regexp.MustCompile(`(?m)^\s*(?:@\S+\s+)?\$\{?\w+\}?\s*=|~(?:SEQ|LST)|^\s*include|_ENV`)

// quoted reports whether a part of a line is within quotes.
func quoted(line, part string) bool {
	return slices.ContainsFunc(quotation.FindAllString(line, -1), func(q string) bool { return strings.Contains(q, part) })
}
