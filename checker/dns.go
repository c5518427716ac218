package checker

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// DNS is a probe that passes when a question is answered as expected. Empty fields
// stand for the defaults.
type DNS struct {
	// Name is the domain name that is asked for; empty: the root.
	Name string `json:"name,omitempty"`
	// Type is the type of its records, one of DNSTypes; empty: "SOA".
	Type string `json:"type,omitempty"`
	// TCP asks by TCP; else by UDP, and again by TCP where the answer is truncated.
	TCP bool `json:"tcp,omitempty"`
	// Code is the code that the answer must have, one of DNSCodes; empty: "NOERROR".
	Code string `json:"code,omitempty"`
	// Answers are records of the type that must be among those which come, as
	// CanonicalRecord writes them; none: any record will do.
	Answers []string `json:"answers,omitempty"`
	// Primary is the address of another server of the zone, whose serial must not be
	// newer; invalid: there is none.
	Primary netip.AddrPort `json:"primary,omitzero"`
}

// Kind returns "dns".
func (DNS) Kind() string { return "dns" }

// DNSTypes are the types of records, with their numbers (RFC 1035, section 3.2.2).
var DNSTypes = map[string]uint16{"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}

// DNSCodes are the codes of answers (RFC 1035, section 4.1.1), by their numbers.
var DNSCodes = []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}

// Validate returns what is wrong with the options of a DNS probe; nil if they can be used.
func (o DNS) Validate() error {
	if err := validateDomain(o.Name); err != nil {
		return err
	}
	switch {
	case o.Type != "" && DNSTypes[o.Type] == 0:
		return fmt.Errorf("type %q is none of those that can be asked for", o.Type)
	case o.Code != "" && !slices.Contains(DNSCodes, o.Code):
		return fmt.Errorf("code %q is none that an answer can have", o.Code)
	case !o.wantsRecords() && (len(o.Answers) > 0 || o.Primary.IsValid()):
		return fmt.Errorf("an answer %s has no records: remove answers and primary, or code", o.Code)
	case o.Primary.IsValid() && o.Type != "" && o.Type != "SOA":
		return fmt.Errorf("records of type %s have no serial: remove primary, or ask for type SOA", o.Type)
	}
	for _, a := range o.Answers {
		if _, err := CanonicalRecord(o.Type, a); err != nil {
			return err
		}
	}
	return nil
}

// wantsRecords reports whether there must be records in the answer.
func (o DNS) wantsRecords() bool { return o.Code == "" || o.Code == "NOERROR" }

const (
	maxDomain = 253 // characters, without the last dot (RFC 1035, section 2.3.4)
	maxLabel  = 63
)

// validateDomain returns what is wrong with a domain name. The empty one and "." are
// the root.
func validateDomain(name string) error {
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return nil
	}
	if len(name) > maxDomain {
		return fmt.Errorf("name %.20q… has more than %d characters", name, maxDomain)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel || !isWord(label) {
			return fmt.Errorf("name %q must be a domain name such as www.example.org: labels of 1 to %d characters, separated by dots", name, maxLabel)
		}
	}
	return nil
}

// CanonicalDomain returns a domain name in lower case and with its last dot: the
// same text for all spellings.
func CanonicalDomain(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

// CanonicalRecord returns the data of a record of a type in one of its spellings, as
// zone files have it: an address, a name, numbers and a name, a text.
func CanonicalRecord(kind, text string) (string, error) {
	kind = cmp.Or(kind, "SOA")
	if kind == "TXT" {
		return text, nil
	}
	fields, form := strings.Fields(text), recordForms[kind]
	if len(fields) != len(form) {
		return "", wrongRecord(kind, text)
	}
	for i, f := range fields {
		canonical, err := canonicalField(form[i], f)
		if err != nil {
			return "", fmt.Errorf("%w; %w", wrongRecord(kind, text), err)
		}
		fields[i] = canonical
	}
	return strings.Join(fields, " "), nil
}

// recordForms have, for each type, what its data consists of: addresses of IPv4 (4)
// and IPv6 (6), domain names (d), and numbers (n).
var recordForms = map[string]string{
	"A": "4", "AAAA": "6", "NS": "d", "CNAME": "d", "PTR": "d", "MX": "nd", "SRV": "nnnd", "SOA": "ddnnnnn",
}

// recordExamples have a record of each type.
var recordExamples = map[string]string{
	"SOA": "ns.example.org admin.example.org 2026112701 3600 900 604800 300",
	"A":   "192.0.2.1", "AAAA": "2001:db8::1", "NS": "ns.example.org", "CNAME": "www.example.org", "PTR": "www.example.org",
	"MX": "10 mail.example.org", "SRV": "0 5 5060 sip.example.org",
}

func wrongRecord(kind, text string) error {
	return fmt.Errorf("answer %q must be the data of a record of type %s, such as %q", text, kind, recordExamples[kind])
}

func canonicalField(form byte, text string) (string, error) {
	switch form {
	case 'd':
		return CanonicalDomain(text), validateDomain(text)
	case 'n':
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return "", fmt.Errorf("%q is no number", text)
		}
		return strconv.FormatUint(n, 10), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is4() != (form == '4') || a.Zone() != "" {
		return "", fmt.Errorf("%q is no such address", text)
	}
	return a.String(), nil
}

// NewerSerial reports whether a serial number of a zone is newer than another one
// (RFC 1982, section 3.2). Neither is, of two that are half the numbers apart.
func NewerSerial(a, b uint32) bool { return int32(a-b) > 0 }
