package probe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.LDAP{}, compileLDAP) }

// compileLDAP returns the run that passes when a directory accepts a bind, and an entry
// has what it should have.
func compileLDAP(p *Prober, o checker.LDAP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	expect, err := compileExpect(o.Expect)
	if err != nil {
		return nil, err
	}
	filter, err := checker.LDAPFilter(o.Filter)
	c := newClient(p, o.Login, o.TLS, func(s *session) error { return (&ldap{session: s}).ask(o, filter, expect) })
	c.late = o.StartTLS
	return c.run, err
}

// An ldap is a session in LDAP, version 3 (RFC 4511).
type ldap struct {
	*session
	id byte // of the last request
}

// Tags of requests and answers.
const (
	berInteger    = 0x02
	berText       = 0x04
	berEnumerated = 0x0a
	berSequence   = 0x30

	ldapBind       = 0x60
	ldapBound      = 0x61
	ldapUnbind     = 0x42
	ldapSearch     = 0x63
	ldapEntry      = 0x64
	ldapDone       = 0x65
	ldapReference  = 0x73
	ldapExtended   = 0x77
	ldapExtendedOK = 0x78
	ldapBetween    = 0x79
)

const ldapName = "LDAP"

// startTLS is the name of the request (RFC 4511, section 4.14).
const startTLS = "1.3.6.1.4.1.1466.20037"

func (l *ldap) ask(o checker.LDAP, filter []byte, expect expectation) error {
	if o.StartTLS {
		if err := l.do("the answer to StartTLS", ldapExtendedOK, checker.BER(ldapExtended, checker.BER(0x80, []byte(startTLS)))); err != nil {
			return because(checker.NoTLS, err)
		}
		if err := l.secure(); err != nil {
			return err
		}
	}
	l.goodbye = checker.BER(berSequence, checker.BER(berInteger, []byte{127}), []byte{ldapUnbind, 0})
	version := checker.BER(berInteger, []byte{3})
	bind := checker.BER(ldapBind, version, checker.BER(berText, []byte(l.user)), checker.BER(0x80, []byte(l.password)))
	if err := l.do("the answer to the bind", ldapBound, bind); err != nil {
		return err
	}
	if !o.Searches() {
		return nil
	}
	values, found, err := l.search(o, filter)
	switch {
	case err != nil:
		return err
	case !found:
		return errors.New("the search finds no entry")
	case o.Attribute == "":
		return nil
	case values == "":
		return fmt.Errorf("the entry has no %.60q, or the user may not read it", o.Attribute)
	}
	return l.wants(expect, values)
}

// request sends a request of an id of its own.
func (l *ldap) request(awaits string, body []byte) error {
	l.id++
	return l.say(checker.BER(berSequence, checker.BER(berInteger, []byte{l.id}), body), awaits)
}

// do makes a request whose answer has nothing but its result.
func (l *ldap) do(awaits string, tag byte, body []byte) error {
	if err := l.request(awaits, body); err != nil {
		return err
	}
	is, answer, err := l.message()
	switch {
	case err != nil:
		return err
	case is != tag && is != ldapExtendedOK:
		return l.foreign(ldapName, string(answer))
	}
	return l.result(answer) // The server's own message has one, too: it disconnects.
}

// message reads a message, and returns the tag and the contents of what is in it.
func (l *ldap) message() (tag byte, contents []byte, err error) {
	head, err := l.take(2)
	if err != nil {
		return 0, nil, err
	}
	if head[0] != berSequence {
		return 0, nil, l.foreign(ldapName, string(head))
	}
	n := int(head[1])
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 {
			return 0, nil, l.foreign(ldapName, string(head))
		}
		length, err := l.take(size)
		if err != nil {
			return 0, nil, err
		}
		n = 0
		for _, b := range length {
			n = n<<8 | int(b)
		}
	}
	body, err := l.take(n)
	if err != nil {
		return 0, nil, err
	}
	_, id, rest, ok := element(body)
	tag, contents, _, is := element(rest)
	// An answer of id 0 is the server's own: it disconnects.
	if !ok || !is || len(id) == 0 || id[len(id)-1] != l.id && tag != ldapExtendedOK {
		return 0, nil, l.foreign(ldapName, string(body))
	}
	return tag, contents, nil
}

// element reads an element of BER: its tag, its contents, and what follows.
func element(text []byte) (tag byte, contents, rest []byte, ok bool) {
	if len(text) < 2 {
		return 0, nil, nil, false
	}
	tag, n, at := text[0], int(text[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(text) < 2+size {
			return 0, nil, nil, false
		}
		n, at = 0, 2+size
		for _, b := range text[2:at] {
			n = n<<8 | int(b)
		}
	}
	if n > len(text)-at {
		return 0, nil, nil, false
	}
	return tag, text[at : at+n], text[at+n:], true
}

// Codes of results.
const (
	ldapSuccess       = 0
	ldapStrongerAuth  = 8
	ldapSizeExceeded  = 4
	ldapNoSuchObject  = 32
	ldapInappropriate = 48
	ldapInvalid       = 49
	ldapNoAccess      = 50
)

// An ldapError is a result that is no success.
type ldapError struct {
	code byte
	text string
}

func (e ldapError) Error() string {
	name := map[byte]string{
		ldapSizeExceeded: "size limit exceeded", ldapStrongerAuth: "stronger authentication required", ldapNoSuchObject: "no such object", ldapInappropriate: "inappropriate authentication",
		ldapInvalid: "invalid credentials", ldapNoAccess: "insufficient access rights", 1: "operations error", 2: "protocol error", 13: "confidentiality required", 34: "invalid name of an entry", 51: "busy", 52: "unavailable", 53: "unwilling to perform",
	}[e.code]
	if name == "" {
		name = "an error"
	}
	if e.text != "" {
		return fmt.Sprintf("the server answers %s (%d): %.200q", name, e.code, e.text)
	}
	return fmt.Sprintf("the server answers %s (%d)", name, e.code)
}

// result reads the result of a request: a code, a name, and a text.
func (l *ldap) result(answer []byte) error {
	kind, code, rest, ok := element(answer)
	_, _, rest, named := element(rest)
	_, text, _, told := element(rest)
	if !ok || !named || !told || kind != berEnumerated || len(code) != 1 {
		return l.foreign(ldapName, string(answer))
	}
	if code[0] == ldapSuccess {
		return nil
	}
	e := ldapError{code[0], l.told(strings.ToValidUTF8(string(text), "?"))}
	switch e.code {
	case ldapStrongerAuth, ldapInappropriate, ldapInvalid, ldapNoAccess:
		return because(checker.LoginRefused, e)
	}
	return e
}

// search looks for one entry, and returns the values of the attribute, each on a line.
func (l *ldap) search(o checker.LDAP, filter []byte) (values string, found bool, err error) {
	attribute := o.Attribute
	if attribute == "" {
		attribute = "1.1" // none (RFC 4511, section 4.5.1.8)
	}
	one, none, no := []byte{berInteger, 1, 1}, []byte{berInteger, 1, 0}, []byte{0x01, 1, 0}
	request := checker.BER(ldapSearch, checker.BER(berText, []byte(o.Base)), []byte{berEnumerated, 1, checker.LDAPScopes[o.Scope], berEnumerated, 1, 0},
		one, none, no, filter, checker.BER(berSequence, checker.BER(berText, []byte(attribute))))
	if err := l.request("the answer to the search", request); err != nil {
		return "", false, err
	}
	for {
		tag, answer, err := l.message()
		if err != nil {
			return "", false, err
		}
		switch tag {
		case ldapEntry:
			found = true
			if values, err = l.values(answer, o.Attribute); err != nil {
				return "", false, err
			}
		case ldapReference, ldapBetween:
		case ldapDone:
			err := l.result(answer)
			if limited := (ldapError{}); found && errors.As(err, &limited) && limited.code == ldapSizeExceeded {
				err = nil // One is enough.
			}
			return values, found, err
		default:
			return "", false, l.result(answer)
		}
	}
}

// values returns the values of an entry's attribute.
func (l *ldap) values(entry []byte, attribute string) (string, error) {
	_, _, rest, ok := element(entry)
	_, attributes, _, listed := element(rest)
	if !ok || !listed {
		return "", l.foreign(ldapName, string(entry))
	}
	var values strings.Builder
	for len(attributes) > 0 {
		var one []byte
		if _, one, attributes, ok = element(attributes); !ok {
			return "", l.foreign(ldapName, string(entry))
		}
		_, name, rest, ok := element(one)
		_, set, _, listed := element(rest)
		if !ok || !listed || attribute == "" || !strings.EqualFold(string(name), attribute) {
			continue
		}
		for len(set) > 0 {
			var value []byte
			if _, value, set, ok = element(set); !ok {
				return "", l.foreign(ldapName, string(entry))
			}
			values.Write(value)
			values.WriteByte('\n')
		}
	}
	return values.String(), nil
}
