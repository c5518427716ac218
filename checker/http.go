package checker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Header is one header of a request.
type Header struct{ Name, Value string }

// ParseHeaders reads request headers, one "Name: value" a line, as HTTP.Headers
// holds them. Refused are those that the probe itself sets.
func ParseHeaders(s string) ([]Header, error) {
	var headers []Header
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case !ok:
			return nil, fmt.Errorf("header %q: want \"Name: value\"", line)
		case !isToken(name):
			return nil, fmt.Errorf("header name %q: want letters, digits and hyphens", name)
		case !isText(value):
			return nil, fmt.Errorf("header %s: its value contains a control character", name)
		}
		switch strings.ToLower(name) {
		case "host", "connection", "content-length", "transfer-encoding":
			return nil, fmt.Errorf("header %s: the probe sets it itself (for Host there is an option)", name)
		}
		headers = append(headers, Header{name, value})
	}
	return headers, nil
}

// Validate says what is wrong with the options of an HTTP probe; nil where
// they can be used. Empty options are those of the defaults.
func (h HTTP) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(h.Method == "" || isToken(h.Method), "method %q: want a word such as GET", h.Method)
	check(h.Path == "" || h.Path[0] == '/' && isWord(h.Path),
		"path %q: want one that begins with / and has no space (write %%20)", h.Path)
	check(isWord(h.Host), "host %q: want a name, or a name and a port", h.Host)
	check(isWord(h.ServerName), "server name %q: want a name", h.ServerName)
	if h.Status != "" {
		_, err := ParseStatus(h.Status)
		check(err == nil, "%w", err)
	}
	_, err := regexp.Compile(h.Body)
	check(err == nil, "body: %w", err)
	_, err = ParseHeaders(h.Headers)
	check(err == nil, "%w", err)
	return errors.Join(errs...)
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		alnum := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// isText reports whether s has no control character but tabs.
func isText(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isWord reports whether s has neither spaces nor control characters.
func isWord(s string) bool {
	return isText(s) && !strings.ContainsAny(s, " \t")
}
