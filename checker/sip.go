package checker

import (
	"errors"
	"fmt"
	"strings"
)

// SIP is a probe that passes when a SIP server answers a question for its abilities
// (OPTIONS, RFC 3261, section 11). Empty fields stand for the defaults.
type SIP struct {
	// TCP asks by TCP; else by UDP.
	TCP bool `json:"tcp,omitempty"`
	// TLS is spoken on the TCP connection; nil: it is not.
	TLS *TLS `json:"tls,omitempty"`
	// URI is whom the question is for; empty: the server by its address.
	URI string `json:"uri,omitempty"`
	// From is the URI of who asks; empty: lvsd at this director's address.
	From string `json:"from,omitempty"`
	// Status holds the status codes that pass; empty: DefaultStatus.
	Status StatusRanges `json:"status,omitempty"`
}

// Kind returns "sip".
func (SIP) Kind() string { return "sip" }

// MaxURI bounds a URI in a request, in bytes.
const MaxURI = 255

// Validate returns what is wrong with the options of a SIP probe; nil if they can be used.
func (o SIP) Validate() error {
	for _, uri := range []string{o.URI, o.From} {
		if uri != "" && !isSIP(uri) {
			return fmt.Errorf("%.40q must be a URI such as sip:example.org or sip:lvsd@example.org, of up to %d bytes", uri, MaxURI)
		}
	}
	switch {
	case o.TLS != nil && !o.TCP:
		return errors.New("TLS is spoken by TCP only")
	case o.TLS != nil:
		return o.TLS.Validate()
	}
	return nil
}

// isSIP reports whether a text can stand as a URI between brackets.
func isSIP(s string) bool {
	scheme, rest, _ := strings.Cut(s, ":")
	if scheme != "sip" && scheme != "sips" || rest == "" || len(s) > MaxURI {
		return false
	}
	for _, c := range []byte(rest) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`<>"\^{}|`+"`", c) >= 0 {
			return false
		}
	}
	return true
}
