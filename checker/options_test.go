package checker

import (
	"net/netip"
	"strings"
	"testing"
)

// Whoever writes a configuration learns of each mistake what it is, and what is just
// within a bound is accepted.
func TestWhichOptionsOfProbesAreRefused(t *testing.T) {
	long := func(n int) string { return strings.Repeat("a", n) }
	secret := Secret{File: "/etc/lvsd/secret"}
	alice := Login{User: "alice", Password: secret}
	badly := &TLS{ServerName: "a b"}
	md5, sha256 := Digest("md5:"+long(32)), Digest("sha256:"+long(64))
	for _, tt := range []struct {
		options interface{ Validate() error }
		want    string // in the error; empty: there is none
	}{
		{HTTP{Digest: md5}, ""},
		{HTTP{Digest: sha256}, ""},
		{HTTP{Digest: "sha1:" + Digest(long(40))}, "must be md5: or sha256:"},
		{HTTP{Digest: "md5:" + Digest(long(30))}, "a digest by md5 has 32 hexadecimal digits"},
		{HTTP{Digest: "sha256:" + Digest(long(63)) + "g"}, "a digest by sha256 has 64 hexadecimal digits"},
		{HTTP{Digest: "md5:" + Digest(long(32)) + "x"}, "a digest by md5 has 32 hexadecimal digits"},
		{HTTP{Version: HTTP2}, ""},
		{HTTP{Version: "3"}, "must be 1.1 or 2"},
		{HTTP{Redirects: MaxRedirects}, ""},
		{HTTP{Redirects: MaxRedirects + 1}, "up to 10 redirects"},
		{HTTP{Redirects: -1}, "up to 10 redirects"},
		{HTTP{Login: alice}, ""},
		{HTTP{Login: Login{User: "a\n"}}, "without control characters"},
		{HTTP{Login: Login{User: "a:b"}}, "must not contain a colon"},
		{HTTP{Text: []byte("a")}, ""},
		{HTTP{Text: []byte("a"), Body: "b"}, "either a text or a regular expression"},
		{HTTP{Text: []byte(long(BodyLimit))}, ""},
		{HTTP{Text: []byte(long(BodyLimit + 1))}, "of a body are looked at"},
		{HTTP{MinBytes: 5}, ""},
		{HTTP{MinBytes: 5, MaxBytes: 5}, ""},
		{HTTP{MaxBytes: 5}, ""},
		{HTTP{MinBytes: 6, MaxBytes: 5}, "at least 6 bytes cannot be at most 5"},
		{HTTP{MinBytes: SizeLimit, MaxBytes: SizeLimit}, ""},
		{HTTP{MinBytes: SizeLimit + 1}, "a body's size is known up to"},
		{HTTP{MaxBytes: SizeLimit + 1}, "a body's size is known up to"},
		{HTTP{Answer: []Header{{"Server", "nginx"}}}, ""},
		{HTTP{Answer: []Header{{"a b", ""}}}, `header name "a b"`},
		{HTTP{Answer: []Header{{"Server", "("}}}, "header Server is not a valid regular expression"},
		{HTTP{Not: "("}, "not is not a valid regular expression"},

		{Login{User: long(MaxUser)}, ""},
		{Login{User: long(MaxUser + 1)}, "of up to 255 bytes"},
		{Login{User: "a\x00"}, "without control characters"},

		{Redis{}, ""},
		{Redis{Role: "master"}, ""},
		{Redis{Role: "replica"}, ""},
		{Redis{Role: "slave"}, "must be master or replica"},
		{Redis{TLS: badly}, "must be a host name"},
		{Memcached{Login: alice, TLS: &TLS{}}, ""},
		{Memcached{Login: Login{User: "\n"}}, "without control characters"},

		{MySQL{SQL{Login: alice, Database: long(MaxUser), Query: long(MaxSend), Expect: Expect{Text: []byte("1")}}}, ""},
		{MySQL{SQL{}}, ""},
		{MySQL{SQL{Login: alice, Query: long(MaxSend + 1)}}, "and the limit is"},
		{MySQL{SQL{Login: alice, Database: long(MaxUser + 1)}}, "database"},
		{MySQL{SQL{Login: alice, Database: "a\n"}}, "database"},
		{MySQL{SQL{Login: alice, Expect: Expect{Text: []byte("1")}}}, "the answer to a query"},
		{MySQL{SQL{Query: "select 1"}}, "need a user"},
		{MySQL{SQL{Database: "a"}}, "need a user"},
		{MySQL{SQL{Login: Login{Password: secret}}}, "need a user"},
		{Postgres{SQL{Login: alice, TLS: badly}}, "must be a host name"},

		{Radius{Secret: secret}, ""},
		{Radius{Secret: secret, Login: alice, Answer: "any"}, ""},
		{Radius{Secret: secret, Login: Login{User: long(MaxRadius)}}, ""},
		{Radius{Secret: secret, Login: Login{User: long(MaxRadius + 1)}}, "there is room for 128"},
		{Radius{Secret: secret, Login: alice, Answer: "yes"}, "must be accept, reject, challenge or any"},
		{Radius{Login: alice}, "the secret that it shares"},
		{Radius{Secret: secret, Answer: "accept"}, "need a user"},
		{Radius{Secret: secret, Login: Login{Password: secret}}, "need a user"},

		{LDAP{}, ""},
		{LDAP{Base: long(MaxSend / 4), Scope: "sub", Filter: "(uid=a)", Attribute: "cn", Expect: Expect{Text: []byte("a")}}, ""},
		{LDAP{Base: long(MaxSend/4 + 1)}, "of up to 2048 bytes"},
		{LDAP{Attribute: "a\n"}, "attribute"},
		{LDAP{Scope: "all"}, "must be base, one or sub"},
		{LDAP{Filter: "(uid=a"}, "filter"},
		{LDAP{Expect: Expect{Text: []byte("a")}}, "must be in an attribute"},
		{LDAP{StartTLS: true}, "StartTLS needs TLS"},
		{LDAP{StartTLS: true, TLS: &TLS{}}, ""},

		{GRPC{Service: long(MaxService), TLS: &TLS{}}, ""},
		{GRPC{Service: long(MaxService + 1)}, "of up to 1024 bytes"},
		{GRPC{Service: "a\n"}, "without control characters"},
		{GRPC{TLS: badly}, "must be a host name"},
		{GRPC{Host: "a/b"}, "must be a name"},

		{SIP{URI: "sip:example.org", From: "sips:lvsd@[2001:db8::1]:5061;transport=tcp"}, ""},
		{SIP{URI: "sip:" + long(MaxURI-4)}, ""},
		{SIP{URI: "sip:" + long(MaxURI-3)}, "of up to 255 bytes"},
		{SIP{URI: "example.org"}, "must be a URI"},
		{SIP{URI: "tel:1"}, "must be a URI"},
		{SIP{URI: "sip:"}, "must be a URI"},
		{SIP{From: "sip:a>"}, "must be a URI"},
		{SIP{From: "sip:a b"}, "must be a URI"},
		{SIP{From: "sip:a\r\nX: y"}, "must be a URI"},
		{SIP{TLS: &TLS{}}, "by TCP only"},
		{SIP{TCP: true, TLS: badly}, "must be a host name"},
		{NTP{}, ""},
		{NTP{Stratum: MaxStratum, Offset: 1}, ""},
		{NTP{Stratum: MaxStratum + 1}, "has 15 at most"},
		{NTP{Offset: -1}, "less than nothing"},

		{Via{FirstPort: 1, LastPort: 1}, ""},
		{Via{FirstPort: 2, LastPort: 1}, "are no range"},
		{Via{LastPort: 1}, "are no range"},
		{Via{Source: netip.MustParseAddr("10.0.0.1")}, ""},
		{Via{Source: netip.MustParseAddr("::ffff:10.0.0.1")}, "nothing can come from"},
		{Via{Source: netip.MustParseAddr("224.0.0.1")}, "nothing can come from"},
		{Via{Source: netip.IPv4Unspecified()}, "nothing can come from"},
		{Via{Interface: long(MaxInterfaceName)}, ""},
		{Via{Interface: long(MaxInterfaceName + 1)}, "is not the name of an interface"},
		{Via{Interface: "a/b"}, "is not the name of an interface"},
		{Via{Proxy: ProxyV2, DSCP: 63}, ""},
		{Via{Proxy: ProxyV2 + 1}, "no version 3"},
		{Via{DSCP: 64}, "at most 63"},

		{TLS{MinVersion: "1.3", Client: Client{Key: "/k"}}, ""},
		{TLS{MinVersion: "2"}, "must be 1.0, 1.1, 1.2 or 1.3"},
		{TLS{Client: Client{Certificate: "/c"}}, "needs its private key"},
	} {
		switch err := tt.options.Validate(); {
		case tt.want == "" && err != nil:
			t.Errorf("%.120T %+.200v: %v", tt.options, tt.options, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%.120T %+.200v: error %v, want %q in it", tt.options, tt.options, err, tt.want)
		}
	}
}

func TestWordsOfChecks(t *testing.T) {
	for want, got := range map[string]string{
		"/etc/lvsd/secret":      Secret{File: "/etc/lvsd/secret"}.String(),
		`the credential "ok"`:   Secret{Credential: "ok"}.String(),
		"refused":               Refused.String(),
		"not_run":               NoProbe.String(),
		"":                      Reason(0).String() + Reason(len(ReasonNames)).String(),
		"/k":                    Client{Key: "/k"}.String(),
		"/c with the key in /k": Client{Certificate: "/c", Key: "/k"}.String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
