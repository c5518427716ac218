package ldirectord

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer/importertest"
)

func TestWhatLdirectordRefusesIsRefusedWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a block of INI":                             {"[web]\nvirtual=1.2.3.4:80\n", "cf:1: ldirectord has no sections such as [web]"},
		"two spaces do not indent":                   {"virtual=1.2.3.4:80\n  real=1.2.3.5 gate\n", "cf:2: real does not belong to the service above it"},
		"an empty line ends a service":               {"virtual=1.2.3.4:80\n\n\treal=1.2.3.5 gate\n", "cf:3: real does not belong to the service above it"},
		"a log file without quotes":                  {"logfile=/var/log/x\n", "cf:1: logfile=/var/log/x: a text in double quotes was expected"},
		"a comment behind yes":                       {"quiescent=yes # x\n", "cf:1: quiescent=yes # x: yes or no, with nothing behind it"},
		"a time that is none":                        {"checktimeout=soon\n", "cf:1: checktimeout=soon: a number of seconds above 0 was expected"},
		"a time of 0":                                {"checkinterval=0\n", "cf:1: checkinterval=0: a number of seconds above 0 was expected"},
		"an old word":                                {"timeout=3\n", "cf:1: ldirectord has no timeout any more"},
		"a word of a service before it":              {"request=\"/\"\n", "cf:1: request was not expected here: it belongs in the block of a service"},
		"a word for all in a service":                {"virtual=1.2.3.4:80\n\tfork=yes\n", "cf:2: fork was not expected here: it belongs before the services"},
		"a request without quotes":                   {"virtual=1.2.3.4:80\n\trequest=/\n", "cf:2: request=/: a text in double quotes was expected"},
		"IPv6 with virtual":                          {"virtual=[2001:db8::1]:80\n", "cf:1: virtual6 was expected"},
		"real in a service of IPv6":                  {"virtual6=[2001:db8::1]:80\n\treal=1.2.3.4 gate\n", "cf:2: real6 was expected"},
		"no address":                                 {"virtual=:80\n", "cf:1: an address and a port"},
		"a password without quotes":                  {"virtual=1.2.3.4:80\n\tpasswd=hidden\n", "cf:2: passwd: a text in double quotes was expected"},
		"no forwarding method":                       {"virtual=1.2.3.4:80\n\treal=1.2.3.5:80 tunnel\n", "cf:2: real: gate, masq or ipip was expected"},
		"nothing behind the address":                 {"virtual=1.2.3.4:80\n\treal=1.2.3.5:80\n", "cf:2: real: ADDRESS"},
		"too much behind the weight":                 {"virtual=1.2.3.4:80\n\treal=1.2.3.5:80 gate 1 fast\n", "cf:2: real: nothing was expected any more at \"fast\""},
		"a range that ends before it begins":         {"virtual=1.2.3.4:80\n\treal=1.2.3.5->1.2.3.4 gate\n", "cf:2: the range ends with 1.2.3.4"},
		"a range as wide as the Internet":            {"virtual=1.2.3.4:80\n\treal=1.2.3.5->101.2.3.4 gate\n", "cf:2: the range has more than 65536 servers"},
		"a range of IPv6":                            {"virtual6=[2001:db8::1]:80\n\treal6=[2001:db8::2]->[2001:db8::3]:80 gate\n", "cf:2: ldirectord has no ranges"},
		"a service twice, once by its port's name":   {"virtual=1.2.3.4:80\n\treal=1.2.3.5 gate\nvirtual=1.2.3.4:www\n\treal=1.2.3.5 gate\n", "cf:3: the service is there already, in line 1"},
		"a mark twice":                               {"virtual=1\n\treal=1.2.3.5 gate\nvirtual=1\n\treal=1.2.3.5 gate\n", "cf:3: the service is there already, in line 1"},
		"tcp by mark":                                {"virtual=1\n\tprotocol=tcp\n", "cf:2: protocol: fwm was expected"},
		"a service by address of the protocol fwm":   {"virtual=1.2.3.4:80\n\tprotocol=fwm\n", "cf:2: protocol: tcp or udp was expected"},
		"an unknown service":                         {"virtual=1.2.3.4:80\n\tservice=gopher\n", "cf:2: service=gopher: one of dns, ftp"},
		"a netmask that is none":                     {"virtual=1.2.3.4:80\n\tnetmask=24\n", "cf:2: netmask: four numbers"},
		"an unknown word, whose value may be secret": {"virtual=1.2.3.4:80\n\tpassword=hush\n", `cf:2: ldirectord has no word "password"`},
		"a check that is none":                       {"virtual=1.2.3.4:80\n\tchecktype=http\n", "cf:2: checktype=http: connect, negotiate"},
		"a fallback by an unknown way":               {"fallback=127.0.0.1:80 local\nvirtual=1.2.3.4:80\n\treal=1.2.3.5 gate\n", "cf:1: fallback: gate, masq or ipip was expected"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Import("ldirectord.cf", []byte(test.text), Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWithoutResolvingNamesAreTold(t *testing.T) {
	r, err := Import("ldirectord.cf", []byte("virtual=1.2.3.4:80\n\treal=web1:80 gate\n\treal=1.2.3.5 gate\n"), Options{})
	if err != nil || len(r.Losses) < 1 {
		t.Fatal(r.Losses, err)
	}
	if _, losses := importertest.Written(r); !strings.Contains(losses, "lost: real=web1:80 gate\n\tthere is no address for web1: names of hosts are not resolved") {
		t.Error(losses)
	}
}

// FuzzImport checks that no text makes the importer panic, that no line is dropped silently, and
// that no secret is told.
func FuzzImport(f *testing.F) {
	for _, text := range []string{
		"checktimeout=3\nvirtual=1.2.3.4:80\n\treal=1.2.3.5->1.2.3.9:80 gate 5 \"a\", \"b\" l:1 u:2\n\tfallback=127.0.0.1:80 gate\n",
		"virtual=7\n    real=web1 masq\n    service=https\n    checktype=3\n    passwd=\"x\"\n",
		"virtual6=[2001:db8::1]:53\n\treal6=[2001:db8::2] ipip\n\tprotocol=udp\n\trequest=\"1.2.3.4\"\n\treceive=\"a$|b\"\n",
		"supervised\nquiescent=yes\ncleanstop=no\n# x\n\n[a]\n", "virtual=a:www\n\tchecktype=external\n\tcheckcommand=x y\n\tschedflags=sh-port\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "s3cr3t") {
			return
		}
		text += "\nvirtual=192.0.2.99:110\n\treal=192.0.2.98 masq\n\tlogin=\"probe\"\n\tpasswd=\"s3cr3t\"\n\tsecret=\"s3cr3t\"\n"
		r, err := Import("ldirectord.cf", []byte(text), Options{Resolve: resolve})
		if err != nil {
			return
		}
		for _, line := range unaccounted(text, r) {
			t.Error(line)
		}
		if configuration, losses := importertest.Written(r); strings.Contains(configuration+losses, "s3cr3t") {
			t.Error("a secret is told")
		}
	})
}
