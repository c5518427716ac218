package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkLDAP = newCheckKind("ldap", "The directory accepts a bind, which is anonymous without user, and an entry has what it should have, if one is searched for (base, scope, filter or attribute).",
	ldapTable, (*ldapCheck).self, func(b *block.Body, c *ldapCheck) probe { return c.compile(b) })

type ldapCheck struct {
	probe
	login                          login
	base, scope, filter, attribute string
	expect                         answer
	tls                            ldapTLS
}

// ldapTLS is how a check of a directory speaks TLS.
type ldapTLS struct {
	optionalTLS
	start bool
}

var ldapTLSTable = block.NewTable("tls", func() []block.Entry[ldapTLS] {
	return append([]block.Entry[ldapTLS]{
		block.Flag("starttls", "Begin in plain text, and ask the server for TLS then. If false, TLS is spoken from the first byte (LDAPS).",
			false, func(o *ldapTLS) *bool { return &o.start }),
	}, tlsEntries(func(o *ldapTLS) *tlsOptions { return &o.tlsOptions })...)
})

var ldapTable = block.NewTable("check", func() []block.Entry[ldapCheck] {
	text := func(name, help string, alone func(*checker.LDAP) *string, ref func(*ldapCheck) *string) block.Entry[ldapCheck] {
		return validText(name, help, "", func(s string) error {
			var o checker.LDAP
			*alone(&o) = s
			return o.Validate()
		}, ref)
	}
	return slices.Concat(networked(tcpViaTable, (*ldapCheck).self),
		loginOptions(func(c *ldapCheck) *login { return &c.login }),
		[]block.Entry[ldapCheck]{
			text("base", "The name of the entry that is searched for, or below which one is: \"ou=people,dc=example,dc=org\".",
				func(o *checker.LDAP) *string { return &o.Base }, func(c *ldapCheck) *string { return &c.base }).Unless("the directory itself (the root DSE)"),
			block.Choice("scope", "How far below base is searched.", "base",
				[]block.Word[string]{
					{Name: "base", Value: "", Help: "That entry alone."},
					{Name: "one", Value: "one", Help: "The entries right below it."},
					{Name: "sub", Value: "sub", Help: "It, and all below it."},
				}, func(c *ldapCheck) *string { return &c.scope }),
			text("filter", "Which entry is searched for (RFC 4515): \"(uid=lvsd)\".",
				func(o *checker.LDAP) *string { return &o.Filter }, func(c *ldapCheck) *string { return &c.filter }).Unless("any: (objectClass=*)"),
			text("attribute", "An attribute that the first entry found must have.",
				func(o *checker.LDAP) *string { return &o.Attribute }, func(c *ldapCheck) *string { return &c.attribute }).Unless("none"),
			block.Inner("expect", "What the attribute's values must have, each with a line's end behind it. Without this block, any value passes.", answerTable, func(c *ldapCheck) *answer { return &c.expect }),
			block.Inner("tls", "Speak TLS, and verify the server's certificate, which must be valid for the server's address unless this block says otherwise. It can be empty.",
				ldapTLSTable, func(c *ldapCheck) *ldapTLS { return &c.tls }),
		})
})

// compile works out what a check asks.
func (c *ldapCheck) compile(b *block.Body) probe {
	o := checker.LDAP{Login: c.login.withBoth(b), TLS: c.tls.compile(b), Base: c.base, Scope: c.scope, Filter: c.filter, Attribute: c.attribute, Expect: c.expect.compile(b)}
	o.StartTLS = o.TLS != nil && c.tls.start
	if expects, given := b.Block("expect"); given && o.Attribute == "" && !b.Given("attribute") {
		b.Mistake(expects.Head, "Expectation without attribute", "No attribute is asked for: write attribute = \"description\", or remove this block.")
	}
	return c.asking(b, o)
}
