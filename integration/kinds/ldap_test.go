package kinds

import (
	"os/exec"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	start := func(at *site, addresses string) *exec.Cmd {
		certificate, key := at.certificate()
		at.write("slapd.conf", `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $DIR/pid
TLSCertificateFile `+certificate+`
TLSCertificateKeyFile `+key+`
database mdb
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw secret
directory $DIR
access to attrs=userPassword by anonymous auth by * none
access to dn.base="cn=hidden,dc=example,dc=org" by * none
access to * by * read
`)
		at.write("entries.ldif", `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=lvsd,dc=example,dc=org
objectClass: person
cn: lvsd
sn: lvsd
userPassword: hunter2
description: ready
description: really

dn: cn=hidden,dc=example,dc=org
objectClass: person
cn: hidden
sn: hidden
`)
		at.must(at.command("slapadd", "-f", "$DIR/slapd.conf", "-l", "$DIR/entries.ldif"))
		return at.command("slapd", "-d", "stats", "-f", "$DIR/slapd.conf", "-h", addresses)
	}
	register(server{
		name: "slapd", port: 389,
		start:     func(at *site) *exec.Cmd { return start(at, "ldap://$ADDR") },
		passes:    func(at *site) checker.Options { return ldapAs(at, "cn=lvsd,dc=example,dc=org", "hunter2") },
		rows:      ldapRows,
		complaint: `closed \(connection lost|error=`,
	})
	register(server{
		name: "slapd by TLS", port: 636,
		start:  func(at *site) *exec.Cmd { return start(at, "ldaps://$ADDR") },
		passes: func(*site) checker.Options { return checker.LDAP{TLS: &checker.TLS{Insecure: true}} },
		rows: func(*site) []row {
			return []row{{"no TLS", checker.LDAP{}, checker.Failed, "the answer to the bind"}}
		},
	})
}

func ldapRows(at *site) []row {
	search := func(edit func(*checker.LDAP)) checker.LDAP {
		o := checker.LDAP{Base: "dc=example,dc=org", Scope: "sub", Filter: "(&(objectClass=person)(cn=lv*d)(!(sn=x)))", Attribute: "Description", Expect: checker.Expect{Pattern: "(?m)^ready$"}}
		edit(&o)
		return o
	}
	start := checker.LDAP{TLS: &checker.TLS{Insecure: true}, StartTLS: true}
	strict := start
	strict.TLS = &checker.TLS{ServerName: "other.example"}
	return []row{
		{"an anonymous bind", checker.LDAP{}, checker.Passed, ""},
		{"an entry with the attribute", search(func(*checker.LDAP) {}), checker.Passed, ""},
		{"the directory itself", checker.LDAP{Attribute: "supportedLDAPVersion", Expect: checker.Expect{Text: []byte("3\n")}}, checker.Passed, ""},
		{"one of several entries", checker.LDAP{Base: "dc=example,dc=org", Scope: "one"}, checker.Passed, ""},
		{"StartTLS", start, checker.Passed, ""},
		{"StartTLS with a certificate that is not trusted", strict, checker.Failed, "the certificate"},
		{"a wrong password", ldapAs(at, "cn=lvsd,dc=example,dc=org", "wrong"), checker.Failed, "the server answers invalid credentials (49)"},
		{"an unknown user", ldapAs(at, "cn=nobody,dc=example,dc=org", "hunter2"), checker.Failed, "the server answers invalid credentials (49)"},
		{"a name that is none", ldapAs(at, "nobody", "hunter2"), checker.Failed, "invalid name of an entry (34)"},
		{"another value", search(func(o *checker.LDAP) { o.Expect.Pattern = "^broken" }), checker.Failed, `the answer does not match "^broken"; it begins with "ready\nreally\n"`},
		{"no such entry", search(func(o *checker.LDAP) { o.Filter = "(cn=nobody)" }), checker.Failed, "the search finds no entry"},
		{"no such base", search(func(o *checker.LDAP) { o.Base = "dc=nowhere" }), checker.Failed, "no such object (32)"},
		{"an attribute that nobody may read", search(func(o *checker.LDAP) { o.Attribute, o.Expect = "userPassword", checker.Expect{} }), checker.Failed, `the entry has no "userPassword", or the user may not read it`},
		{"an entry that nobody may read", search(func(o *checker.LDAP) { o.Filter = "(cn=hidden)" }), checker.Failed, "the search finds no entry"},
	}
}

// ldapAs is a check that binds as a user.
func ldapAs(at *site, user, password string) checker.LDAP {
	return checker.LDAP{Login: checker.Login{User: user, Password: checker.Secret{File: at.secret(strings.ToLower(password), password)}}}
}
