package ldirectord

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// Words before services, and of services; "-" stands for the arrow of a range.
var (
	everywhere = []string{
		"checktimeout=<3|5s|90000>", "negotiatetimeout=<3|30>", "checkinterval=<1|5|90000>", "checkcount=<1|3>", "failurecount=<1|3|2000>", "fallback=<127.0.0.1|127.0.0.1:80 gate|192.168.6.99:8080 masq|nowhere|db1 ipip>",
		"fallback6=<[::1]|[2001:db8::9]:80 gate>", "quiescent=<yes|no>", "cleanstop=<yes|no>", "emailalert=a@example.org", "emailalertfreq=60", "emailalertstatus=<all|starting,stopping>", "smtp=mail.example.org",
	}
	before = []string{
		"fallbackcommand=<sorry|/bin/sorry a>", "autoreload=<yes|no>", "callback=\"/bin/x\"", "logfile=\"<local0|/var/log/x>\"", "execute=other.cf", "fork=<yes|no>", "supervised=<yes|no>", "readdquiescent=<yes|no>",
		"emailalertfrom=x@example.org", "maintenancedir=/run/m", "supervised",
	}
	within = []string{
		"request=\"<index.html|/a b|http://www.example.org/x?y=1|SELECT 1|www.example.org|1.2.3.4|cn=a,dc=b>\"", "receive=\"<ok|^a|b$|(?<=x)y|192.0.2.1|[>\"", "login=\"<probe|anonymous>\"", "passwd=\"s3cr3t\"", "secret=\"s3cr3t\"",
		"database=\"shop\"", "load=\"x\"", "checktype=<connect|negotiate|ping|off|on|external|external-perl|1|3>", "checkcommand=<ask|/bin/ask|\"/bin/ask -x\">", "fallbackcommand=<sorry|\"/bin/sorry b\">", "monitorfile=m",
		"checkport=<80|8080>", "scheduler=<rr|wlc|sh|mh|fancy>", "persistent=<0|60|9999999>", "schedflags=<sh-port|sh-port,sh-fallback|mh-port|flag-1>", "netmask=<255.255.255.0|255.0.255.0|x|64>", "ops=<yes|no>",
		"service=<dns|ftp|http|https|http_proxy|imap|imaps|ldap|ldaps|nntp|mysql|none|oracle|pop|pops|radius|pgsql|sip|smtp|submission|simpletcp>", "httpmethod=<GET|HEAD|head>", "virtualhost=<www.example.org|\"a b\">",
		"servicename=Shop", "comment=a remark",
	}
	reals = "<192.168.6.<1|2|3|4>|192.168.6.2->192.168.6.<5|9>|web1|nowhere|127.0.0.1>"
)

// arrow stands for that of a range, which Choose would take for the end of a choice.
const arrow = "->"

type generator struct {
	*rand.Rand
	strings.Builder
}

func (g *generator) line(indent, text string) {
	text = strings.ReplaceAll(importertest.Choose(g.Rand, strings.ReplaceAll(text, arrow, "\x00")), "\x00", arrow)
	g.WriteString(indent + text + "\n")
}

// some writes each line with a probability of one in n.
func (g *generator) some(n int, indent string, lines []string) {
	for _, l := range lines {
		if g.IntN(n) == 0 {
			g.line(indent, l)
		}
	}
}

func (g *generator) configuration() string {
	g.some(5, "", everywhere)
	g.some(8, "", before)
	for n := range 1 + g.IntN(4) {
		form := g.IntN(4)
		g.line("", "# service\n"+[]string{"virtual=<7|8|9>", "virtual=192.0.2.<1|2|3>:<80|443|53|domain|25|0|nowhere>", "virtual=shop.example.org:80", "virtual6=[2001:db8::1]:<80|53>"}[form])
		indent := []string{"\t", "    ", "\t\t"}[g.IntN(3)]
		word, address := "real", reals
		if form == 3 {
			word, address = "real6", "<[2001:db8::<2|3>]|v6>"
		}
		for range g.IntN(4) {
			g.line(indent, word+"="+address+"<|:80|:8080|:www|:nowhere> <gate|masq|ipip><| 5| 0><|| \"a\", \"b\"><| l:1 u:5| u:9| l:3>")
		}
		g.some(8, indent, everywhere)
		g.some(6, indent, within)
		if n%2 == 0 {
			g.line(indent, []string{"protocol=fwm", "protocol=<tcp|udp>"}[min(form, 1)])
		}
	}
	return g.String()
}

// checkGenerated imports what is generated: each line is somewhere, no secret is told, and lvsd
// takes what is made. What ldirectord refuses counts as nothing.
func checkGenerated(t *testing.T, seed uint64) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	text := g.configuration()
	r, err := Import("ldirectord.cf", []byte(text), Options{Resolve: resolve})
	if err != nil {
		return
	}
	for _, line := range unaccounted(text, r) {
		t.Error(line)
	}
	made, losses := importertest.Written(r)
	if len(r.Blocks) > 0 && strings.Contains(made, "virtual_service") {
		made = importertest.Validate(t, importer.Result{Blocks: r.Blocks, Files: r.Files})
	}
	if strings.Contains(made+losses, "s3cr3t") {
		t.Error("a secret is told")
	}
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, text)
	}
}

func TestNothingIsDroppedSilently(t *testing.T) { importertest.Seeds(t, checkGenerated) }

// FuzzNothingIsDropped is the same for as long as one likes.
func FuzzNothingIsDropped(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(checkGenerated)
}

func TestMostOfWhatIsGeneratedIsRead(t *testing.T) {
	importertest.MostAreRead(t, func(seed uint64) error {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
		_, err := Import("ldirectord.cf", []byte(g.configuration()), Options{Resolve: resolve})
		return err
	})
}
