package probe

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// ldapSays is a message of a server's.
func ldapSays(id, tag byte, contents ...[]byte) string {
	return string(checker.BER(berSequence, checker.BER(berInteger, []byte{id}), checker.BER(tag, contents...)))
}

// ldapResult is an answer that has only a result.
func ldapResult(id, tag, code byte, text string) string {
	return ldapSays(id, tag, []byte{berEnumerated, 1, code}, checker.BER(berText), checker.BER(berText, []byte(text)))
}

// ldapHas is an entry with an attribute.
func ldapHas(id byte, attribute string, values ...string) string {
	var set [][]byte
	for _, v := range values {
		set = append(set, checker.BER(berText, []byte(v)))
	}
	one := checker.BER(berSequence, checker.BER(berText, []byte(attribute)), checker.BER(0x31, set...))
	return ldapSays(id, ldapEntry, checker.BER(berText, []byte("cn=x")), checker.BER(berSequence, one))
}

func TestLDAP(t *testing.T) {
	t.Parallel()
	asks := checker.LDAP{}
	in := checker.LDAP{Login: passwordAt(t, "cn=lvsd", canary)}
	search := checker.LDAP{Base: "dc=example", Scope: "sub", Filter: "(uid=lvsd)", Attribute: "description", Expect: checker.Expect{Pattern: "^ready\n"}}
	has := search
	has.Attribute, has.Expect = "", checker.Expect{}
	start := checker.LDAP{TLS: &checker.TLS{}, StartTLS: true}
	bound := turn{"\x02\x01\x03\x04\x00\x80\x00", ldapResult(1, ldapBound, 0, "")}
	bind := "\x04\x07cn=lvsd\x80\x0e" + canary
	asked := "description"
	done := func(code byte) string { return ldapResult(2, ldapDone, code, "") }
	rows := []sessionRow{
		{"an anonymous bind", plays(turns{bound}), asks, checker.Passed, 0, ""},
		{"a bind", plays(turns{{bind, ldapResult(1, ldapBound, 0, "")}}), in, checker.Passed, 0, ""},
		{"an entry with the attribute", plays(turns{bound, {asked, ldapHas(2, "Description", "ready", "x") + done(0)}}), search, checker.Passed, 0, ""},
		{"more entries than one", plays(turns{bound, {asked, ldapHas(2, "description", "ready") + done(4)}}), search, checker.Passed, 0, ""},
		{"an entry", plays(turns{bound, {"1.1", ldapHas(2, "cn") + done(0)}}), has, checker.Passed, 0, ""},
		{"a reference to elsewhere, and an entry", plays(turns{bound, {asked, ldapSays(2, ldapReference) + ldapHas(2, "description", "ready") + done(0)}}), search, checker.Passed, 0, ""},
		{"a length of more bytes than it takes", plays(turns{{"\x80\x00", "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"[:6] + "\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"}}), asks, checker.Passed, 0, ""},

		{"another value", plays(turns{bound, {asked, ldapHas(2, "description", "broken") + done(0)}}), search, checker.Failed, checker.WrongAnswer, `the answer does not match "^ready\n"; it begins with "broken\n"`},
		{"no entry", plays(turns{bound, {asked, done(0)}}), search, checker.Failed, checker.WrongAnswer, "the search finds no entry"},
		{"too many entries, and none", plays(turns{bound, {asked, done(4)}}), search, checker.Failed, checker.WrongAnswer, "size limit exceeded (4)"},
		{"no attribute", plays(turns{bound, {asked, ldapHas(2, "cn", "x") + done(0)}}), search, checker.Failed, checker.WrongAnswer, `the entry has no "description", or the user may not read it`},
		{"no base", plays(turns{bound, {asked, done(32)}}), search, checker.Failed, checker.WrongAnswer, "the server answers no such object (32)"},
		{"a search that is not allowed", plays(turns{bound, {asked, done(50)}}), search, checker.Failed, checker.LoginRefused, "insufficient access rights (50)"},
		{"the password is wrong", plays(turns{{bind, ldapResult(1, ldapBound, 49, "")}}), in, checker.Failed, checker.LoginRefused, "the server answers invalid credentials (49)"},
		{"it repeats the password", plays(turns{{bind, ldapResult(1, ldapBound, 49, "no "+canary)}}), in, checker.Failed, checker.LoginRefused, `"no [hidden]"`},
		{"it wants no anonymous bind", plays(turns{{"\x80\x00", ldapResult(1, ldapBound, 48, "anonymous bind disallowed")}}), asks, checker.Failed, checker.LoginRefused, `inappropriate authentication (48): "anonymous bind disallowed"`},
		{"an unknown code", plays(turns{{"\x80\x00", ldapResult(1, ldapBound, 99, "")}}), asks, checker.Failed, checker.WrongAnswer, "the server answers an error (99)"},
		{"it disconnects", plays(turns{{"\x80\x00", ldapResult(0, ldapExtendedOK, 52, "shutting down")}}), asks, checker.Failed, checker.WrongAnswer, `unavailable (52): "shutting down"`},
		{"StartTLS is not offered", plays(turns{{startTLS, ldapResult(1, ldapExtendedOK, 2, "unsupported extended operation")}}), start, checker.Failed, checker.NoTLS, `protocol error (2): "unsupported extended operation"`},
		{"text before TLS", plays(turns{{startTLS, ldapResult(1, ldapExtendedOK, 0, "") + ldapResult(2, ldapBound, 0, "")}}), start, checker.Failed, checker.NoTLS, "in plain text where TLS must begin"},
		{"an answer to another request", plays(turns{{"\x80\x00", ldapResult(7, ldapBound, 0, "")}}), asks, checker.Failed, checker.WrongAnswer, "the server does not speak LDAP"},
		{"a message of two gigabytes", plays(turns{{"\x80\x00", "\x30\x84\x7f\xff\xff\xff"}}), asks, checker.Failed, checker.WrongAnswer, "claims to have 2147483647 bytes"},
		{"a length without an end", plays(turns{{"\x80\x00", "\x30\x80"}}), asks, checker.Failed, checker.WrongAnswer, "the server does not speak LDAP"},
		{"an element that is longer than its message", plays(turns{{"\x80\x00", "\x30\x05\x02\x01\x01\x61\x7f"}}), asks, checker.Failed, checker.WrongAnswer, "the server does not speak LDAP"},
		{"entries for ever", plays(turns{bound, {asked, strings.Repeat(ldapHas(2, "description", "ready"), 10_000)}}), search, checker.Failed, checker.WrongAnswer, "the answer to the search does not end within 16384 bytes"},
	}
	testSessions(t, append(rows, badServers(asks, false)...))
	testEndless(t, search, ldapResult(1, ldapBound, 0, ""), ldapResult(1, ldapBound, 0, "")[:8])
}

// Whatever a server says, it is understood or refused.
func FuzzLDAP(f *testing.F) {
	f.Add([]byte(ldapResult(1, ldapBound, 0, "") + ldapHas(2, "description", "ready") + ldapResult(2, ldapDone, 0, "")))
	f.Add([]byte("\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"))
	o := checker.LDAP{Base: "dc=example", Attribute: "description"}
	expect, err := compileExpect(checker.Expect{Pattern: "^ready"})
	if err != nil {
		f.Fatal(err)
	}
	filter, err := checker.LDAPFilter("(uid=*)")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &session{ReadWriter: &bytes.Buffer{}, messages: hear(bytes.NewReader(text), canary), user: "lvsd", password: canary}
		if err := (&ldap{session: s}).ask(o, filter, expect); err != nil && strings.Contains(err.Error(), canary) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
