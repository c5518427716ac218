package checker_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// The expected bytes are those that ldapsearch 2.5.13 sends for the same text, or follow
// from RFC 4511, section 4.5.1.
func TestLDAPFilters(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "870b 6f626a656374436c617373"},
		{"(uid=*)", "8703 756964"},
		{"(uid=lvsd)", "a30b 0403756964 04046c767364"},
		{"(uid>=5)", "a508 0403756964 040135"},
		{"(uid<=5)", "a608 0403756964 040135"},
		{"(uid~=5)", "a808 0403756964 040135"},
		{"(cn=a*b*c)", "a40f 0402636e 3009 800161 810162 820163"},
		{"(cn=*b*)", "a409 0402636e 3003 810162"},
		{"(cn=a*)", "a409 0402636e 3003 800161"},
		{"(!(cn=a))", "a209 a307 0402636e 040161"},
		{"(&(cn=a)(sn=b))", "a012 a307 0402636e 040161 a307 0402736e 040162"},
		{"(|(cn=a))", "a109 a307 0402636e 040161"},
		{`(cn=\28\2a\5C)`, "a309 0402636e 0403282a5c"},
		{"(cn=)", "a306 0402636e 0400"},
		{"(cn;lang-de=a)", "a30f 040a636e3b6c616e672d6465 040161"},
	} {
		got, err := checker.LDAPFilter(tt.text)
		if want := strings.ReplaceAll(tt.want, " ", ""); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, %v; want %s", tt.text, got, err, want)
		}
	}
	for _, bad := range []string{"uid=lvsd", "(uid=lvsd", "(uid)", "(=x)", "(&)", "(&(a=b)", "(!(a=b)(c=d))", "(a=b)c", "(cn:dn:=x)", "(cn=**)", `(cn=\2)`, `(cn=\zz)`, "(cn=(x)", "()", "(", "(a b=c)", strings.Repeat("(!", 50) + "(a=b)" + strings.Repeat(")", 50)} {
		if got, err := checker.LDAPFilter(bad); err == nil {
			t.Errorf("%s: %x", bad, got)
		}
	}
}

// A length below 128 is one byte (X.690, section 8.1.3).
func TestLengthsOfBER(t *testing.T) {
	for n, want := range map[int]string{0: "0400", 127: "047f", 128: "048180", 255: "0481ff", 256: "04820100", 65535: "0482ffff"} {
		got := checker.BER(4, make([]byte, n/2), make([]byte, n-n/2))
		if head := hex.EncodeToString(got[:len(got)-n]); head != want {
			t.Errorf("%d bytes begin with %s, want %s", n, head, want)
		}
	}
}

func TestHowDeepFiltersAre(t *testing.T) {
	for _, open := range []string{"(!", "(&", "(|"} {
		for deep, ok := range map[int]bool{20: true, 21: false} {
			text := strings.Repeat(open, deep) + "(a=b)" + strings.Repeat(")", deep)
			if _, err := checker.LDAPFilter(text); (err == nil) != ok {
				t.Errorf("%d of %q: %v", deep, open, err)
			}
		}
	}
}

// A name may have letters, digits, hyphens, dots and options.
func TestNamesOfAttributes(t *testing.T) {
	for name, ok := range map[string]bool{"azAZ09-.;": true, "a/": false, "a:": false, "a@": false, "a[": false, "a`": false, "a{": false, "a b": false} {
		if _, err := checker.LDAPFilter("(" + name + "=x)"); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestWhichChecksOfLDAPSearch(t *testing.T) {
	for _, o := range []checker.LDAP{{Base: "dc=a"}, {Scope: "base"}, {Filter: "(a=b)"}, {Attribute: "cn"}} {
		if !o.Searches() {
			t.Errorf("%+v does not", o)
		}
	}
	if (checker.LDAP{StartTLS: true}).Searches() {
		t.Error("without any of it, one does")
	}
}

func FuzzLDAPFilter(f *testing.F) {
	for _, text := range []string{"(uid=*)", "(&(a=b)(|(c>=d)(!(e=f*g))))", `(a=\28)`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := checker.LDAPFilter(text)
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("%q: %x, %v", text, got, err)
		}
	})
}
