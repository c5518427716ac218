package checker

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// HTTP is a probe that passes when a request is answered as expected. Empty
// fields stand for the defaults.
type HTTP struct {
	TLS    bool   `json:"-"`                // the kind says so: https
	Method string `json:"method,omitempty"` // "GET"
	Path   string `json:"path,omitempty"`   // "/", with query
	Host   string `json:"host,omitempty"`   // Host header; empty: the address and port
	// Headers are further request headers, in the order in which they are sent.
	Headers []Header `json:"headers,omitempty"`
	// Status holds the status codes that pass; empty: DefaultStatus.
	Status StatusRanges `json:"status,omitempty"`
	// Body is a regular expression (RE2) that the first BodyLimit bytes of the
	// body must match; empty: any body passes.
	Body string `json:"body,omitempty"`
	// ServerName is the name that the server's certificate must carry, and
	// the one sent by SNI; empty: the host of Host, else the address.
	ServerName string `json:"server_name,omitempty"`
	// Insecure accepts any certificate.
	Insecure bool `json:"insecure,omitempty"`
	// CA names a file of certificates (PEM) to trust in place of the
	// system's; empty: the system's.
	CA string `json:"ca,omitempty"`
}

// BodyLimit is how much of a body is read for a match, in bytes.
const BodyLimit = 256 << 10

// Kind returns "http" or "https".
func (h HTTP) Kind() string {
	if h.TLS {
		return "https"
	}
	return "http"
}

// A Header is one header of a request.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Validate returns what is wrong with a header; nil if it can be sent. The
// headers that the probe sets itself are refused.
func (h Header) Validate() error {
	switch {
	case !isToken(h.Name):
		return fmt.Errorf("header name %q must consist of letters, digits and hyphens", h.Name)
	case !isText(h.Value):
		return fmt.Errorf("header %.40s: its value contains a control character or is not UTF-8", h.Name)
	}
	switch strings.ToLower(h.Name) {
	case "host", "connection", "content-length", "transfer-encoding":
		return fmt.Errorf("header %.40s: the probe sets it itself (for Host there is an option)", h.Name)
	}
	return nil
}

// Validate returns what is wrong with the options of an HTTP probe; nil if
// they can be used.
func (h HTTP) Validate() error {
	switch {
	case h.Method != "" && !isToken(h.Method):
		return fmt.Errorf("method %q must be a word such as GET", h.Method)
	case h.Path != "" && (h.Path[0] != '/' || !isWord(h.Path)):
		return fmt.Errorf("path %q must begin with / and must not contain a space (write %%20)", h.Path)
	case !isWord(h.Host) || strings.Contains(h.Host, "/"):
		return fmt.Errorf("host %q must be a name, or a name and a port", h.Host)
	case !isWord(h.ServerName):
		return fmt.Errorf("server name %q must be a host name", h.ServerName)
	}
	for _, header := range h.Headers {
		if err := header.Validate(); err != nil {
			return err
		}
	}
	err := validatePattern(h.Body)
	if wrong, ok := errors.AsType[*syntax.Error](err); ok {
		return fmt.Errorf("body is not a valid regular expression (RE2 syntax): %s in %q", wrong.Code, wrong.Expr)
	}
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

// maxPattern bounds how much a regular expression compiles to, in instructions
// of some 40 bytes: a few "x{1000}" take more memory, and more time for every
// probe, than ten thousand servers.
const maxPattern = 10_000

// validatePattern returns what is wrong with a regular expression. Plain text is
// not compiled, and may have any length.
func validatePattern(expression string) error {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil || parsed.Op == syntax.OpLiteral && parsed.Flags&syntax.FoldCase == 0 {
		return err
	}
	compiled, err := syntax.Compile(parsed.Simplify())
	if err == nil && len(compiled.Inst) > maxPattern {
		err = fmt.Errorf("the regular expression takes %d steps, but the limit is %d: repeat less with {n}", len(compiled.Inst), maxPattern)
	}
	return err
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

// isText reports whether s is UTF-8 without control characters other than
// tabs.
func isText(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// isWord reports whether s is text without white space.
func isWord(s string) bool {
	return isText(s) && !strings.ContainsAny(s, " \t")
}
