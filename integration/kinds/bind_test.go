package kinds

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	// named listens only on addresses that an interface has.
	port := 20_000 + rand.N[uint16](10_000)
	local := netip.MustParseAddr("127.0.0.1")
	zone := func(o checker.DNS) checker.DNS {
		o.Name = "example.org"
		return o
	}
	register(server{
		name: "bind9", chosen: true, port: port,
		start: func(at *site) *exec.Cmd {
			at.addr = local
			at.write("named.conf", fmt.Sprintf(`
options {
  directory "$DIR";
  pid-file none;
  session-keyfile none;
  listen-on port %d { $ADDR; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  notify no;
  allow-transfer { none; };
};
controls {};
zone "example.org" { type primary; file "$DIR/zone"; };
`, port))
			const head = "$TTL 60\n@ SOA ns admin 2026112701 3600 900 604800 300\n@ NS ns\nns A 192.0.2.53\n"
			at.write("zone", head+"www A 192.0.2.1\nwww A 192.0.2.2\nalias CNAME www\nmail A 192.0.2.25\n@ MX 10 mail\n"+long())
			return at.command("named", "-g", "-n", "1", "-c", "$DIR/named.conf")
		},
		passes: func(*site) checker.Options { return zone(checker.DNS{}) },
		rows: func(at *site) []row {
			www := func(o checker.DNS) checker.DNS {
				o.Type, o.Name = "A", "www.example.org"
				return o
			}
			self := netip.AddrPortFrom(local, port)
			return []row{
				{"by TCP", zone(checker.DNS{TCP: true}), checker.Passed, ""},
				{"the records that are wanted", www(checker.DNS{Answers: []string{"192.0.2.2", "192.0.2.1"}}), checker.Passed, ""},
				{"a record that is not there", www(checker.DNS{Answers: []string{"192.0.2.3"}}), checker.Failed, "the answer has no 192.0.2.3; it has 192.0.2."},
				{"an alias", checker.DNS{Name: "alias.example.org", Type: "A", Answers: []string{"192.0.2.1"}}, checker.Passed, ""},
				{"a mail exchanger", zone(checker.DNS{Type: "MX", Answers: []string{"10 mail.example.org"}}), checker.Passed, ""},
				{"a type that the name does not have", zone(checker.DNS{Type: "TXT"}), checker.Failed, "the answer has no record of type TXT"},
				{"a name that is not there", checker.DNS{Name: "no.example.org"}, checker.Failed, "the server answered NXDOMAIN, want NOERROR"},
				{"a name that must not be there", checker.DNS{Name: "no.example.org", Code: "NXDOMAIN"}, checker.Passed, ""},
				{"another's zone", checker.DNS{Name: "example.com"}, checker.Failed, "the server answered REFUSED, want NOERROR"},
				{"an answer that UDP has no room for", checker.DNS{Name: "long.example.org", Type: "TXT"}, checker.Passed, ""},
				{"a primary that has the same", zone(checker.DNS{Primary: self}), checker.Passed, ""},
			}
		},
		complaint: "client @.*(error|reset|failed)|connection reset",
	})
}

// long is a name with more records than a datagram has room for.
func long() string {
	var text string
	for _, c := range "abcdefgh" {
		text += `long TXT "`
		for range 200 {
			text += string(c)
		}
		text += "\"\n"
	}
	return text
}
