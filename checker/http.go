package checker

import (
	"fmt"
	"strings"
)

// HTTP is a probe that passes when a request is answered as expected. Empty
// fields stand for the defaults.
type HTTP struct {
	Secure bool   `json:"-"`                // by TLS; the kind says so: https
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
	TLS
}

// BodyLimit is how much of a body is read for a match, in bytes.
const BodyLimit = 256 << 10

// Kind returns "http" or "https".
func (h HTTP) Kind() string {
	if h.Secure {
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
	}
	for _, header := range h.Headers {
		if err := header.Validate(); err != nil {
			return err
		}
	}
	if err := h.TLS.Validate(); err != nil {
		return err
	}
	return validatePattern("body", h.Body)
}
