package checker

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// HTTP is a probe that passes when a request is answered as expected. Empty
// fields stand for the defaults.
type HTTP struct {
	Secure  bool   `json:"-"`                 // by TLS; the kind says so: https
	Version string `json:"version,omitempty"` // HTTP2, or empty: "1.1"
	Method  string `json:"method,omitempty"`  // "GET"
	Path    string `json:"path,omitempty"`    // "/", with query
	Host    string `json:"host,omitempty"`    // Host header; empty: the address and port
	// Headers are further request headers, in the order in which they are sent.
	Headers []Header `json:"headers,omitempty"`
	// Send is the body of the request; empty: it has none.
	Send []byte `json:"send,omitempty"`
	// Login is whom the probe says it is, by basic authentication (RFC 7617).
	Login Login `json:"login,omitzero"`
	// Proxy: the server is a proxy, which is asked for the page of another one: Host.
	Proxy bool `json:"proxy,omitempty"`
	// Redirects is how many redirects within the same server are followed.
	Redirects int `json:"redirects,omitempty"`
	// Status holds the status codes that pass; empty: DefaultStatus.
	Status StatusRanges `json:"status,omitempty"`
	// Body is a regular expression (RE2) that the first BodyLimit bytes of the
	// body must match; empty: any body passes.
	Body string `json:"body,omitempty"`
	// Text are bytes that must come there, in place of Body; empty: any body passes.
	Text []byte `json:"text,omitempty"`
	// Not is a regular expression that must not match there; empty: none.
	Not string `json:"not,omitempty"`
	// Digest is that of the whole body; empty: any.
	Digest Digest `json:"digest,omitempty"`
	// MinBytes and MaxBytes bound the whole body; 0: they don't.
	MinBytes int `json:"min_bytes,omitempty"`
	MaxBytes int `json:"max_bytes,omitempty"`
	// Answer are headers that must be in the answer. A value is a regular expression
	// that one header of that name must match.
	Answer []Header `json:"answer,omitempty"`
	TLS
}

// HTTP2 is the version of HTTP whose messages are frames. Without TLS, it is known in
// advance that the server speaks it (h2c).
const HTTP2 = "2"

const (
	// BodyLimit is how much of a body is read for a match, in bytes.
	BodyLimit = 256 << 10
	// SizeLimit is how much of a body is read for its digest or its size, in bytes.
	SizeLimit = 1 << 20
	// MaxRedirects bounds how many redirects a probe can follow.
	MaxRedirects = 10
)

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

// A Digest is the digest of a body: "md5:" or "sha256:", and its hexadecimal digits.
type Digest string

// digestSizes are the algorithms of digests, with their lengths in bytes. MD5 is for
// what keepalived's genhash has printed.
var digestSizes = map[string]int{"md5": 16, "sha256": 32}

// Split returns the algorithm and the bytes of a digest.
func (d Digest) Split() (algorithm string, sum []byte, err error) {
	algorithm, digits, _ := strings.Cut(string(d), ":")
	want := digestSizes[algorithm]
	sum, err = hex.DecodeString(digits)
	switch {
	case want == 0:
		return "", nil, fmt.Errorf("digest %.20q must be md5: or sha256: and hexadecimal digits", string(d))
	case err != nil || len(sum) != want:
		return "", nil, fmt.Errorf("a digest by %s has %d hexadecimal digits, and this is something else", algorithm, 2*want)
	}
	return algorithm, sum, nil
}

// Validate returns what is wrong with the options of an HTTP probe; nil if
// they can be used.
func (h HTTP) Validate() error {
	if err := h.validateRequest(); err != nil {
		return err
	}
	if err := h.TLS.Validate(); err != nil {
		return err
	}
	return h.validateAnswer()
}

// validateRequest is Validate for what is asked.
func (h HTTP) validateRequest() error {
	switch {
	case h.Method != "" && !isToken(h.Method):
		return fmt.Errorf("method %q must be a word such as GET", h.Method)
	case h.Path != "" && (h.Path[0] != '/' || !isWord(h.Path)):
		return fmt.Errorf("path %q must begin with / and must not contain a space (write %%20)", h.Path)
	case !isWord(h.Host) || strings.Contains(h.Host, "/"):
		return fmt.Errorf("host %q must be a name, or a name and a port", h.Host)
	case h.Version != "" && h.Version != HTTP2:
		return fmt.Errorf("version %q of HTTP must be 1.1 or 2", h.Version)
	case h.Redirects < 0 || h.Redirects > MaxRedirects:
		return fmt.Errorf("up to %d redirects can be followed", MaxRedirects)
	}
	for _, header := range h.Headers {
		if err := header.Validate(); err != nil {
			return err
		}
	}
	if err := h.Login.Validate(); err != nil {
		return err
	}
	if strings.Contains(h.Login.User, ":") {
		return fmt.Errorf("user %.40q must not contain a colon, which ends it in basic authentication", h.Login.User)
	}
	return ValidateSend(h.Send)
}

// validateAnswer is Validate for what is expected.
func (h HTTP) validateAnswer() error {
	switch {
	case len(h.Text) > 0 && h.Body != "":
		return errors.New("either a text or a regular expression can be expected in the body")
	case len(h.Text) > BodyLimit:
		return fmt.Errorf("the expected text has %d bytes, and %d of a body are looked at", len(h.Text), BodyLimit)
	case h.MaxBytes > 0 && h.MinBytes > h.MaxBytes:
		return fmt.Errorf("at least %d bytes cannot be at most %d", h.MinBytes, h.MaxBytes)
	case h.MinBytes > SizeLimit || h.MaxBytes > SizeLimit:
		return fmt.Errorf("a body's size is known up to %d bytes", SizeLimit)
	}
	if h.Digest != "" {
		if _, _, err := h.Digest.Split(); err != nil {
			return err
		}
	}
	for _, f := range h.Answer {
		if !isToken(f.Name) {
			return fmt.Errorf("header name %q must consist of letters, digits and hyphens", f.Name)
		}
		if err := validatePattern("header "+f.Name, f.Value); err != nil {
			return err
		}
	}
	if err := validatePattern("body", h.Body); err != nil {
		return err
	}
	return validatePattern("not", h.Not)
}
