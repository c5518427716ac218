package config_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
)

// openService is a virtual service without its closing brace.
const openService = "virtual_service \"web\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n  real_server \"192.168.1.4\" {}\n"

// kindsOfChecks are their names, with "none" at the end.
func kindsOfChecks() []string {
	of := func(s *block.Schema, name string) *block.Schema {
		return s.Options[slices.IndexFunc(s.Options, func(o *block.Option) bool { return o.Name == name })].Block
	}
	return of(of(config.Schema(), "virtual_service"), "check").KindNames()
}

// choice lists words as messages do.
func choice(words []string) string {
	last := len(words) - 1
	return fmt.Sprintf("\"%s\" or %q", strings.Join(words[:last], `", "`), words[last])
}

// What administrators wrote by mistake, and what they are told: the line, and a
// part of the message. Every mistake is told, and nothing else.
func TestWhatAdministratorsAreTold(t *testing.T) {
	checks := kindsOfChecks()
	last := len(checks) - 1 // "none"
	single := slices.DeleteFunc(slices.Clone(checks[:last]), func(kind string) bool { return kind == "all" || kind == "any" })
	for _, tt := range []struct{ name, text, want string }{
		{"my defaults have a mistake, and a service uses them", "defaults {\n  check \"http\" {\n    path = \"health\"\n    expect { status = [99] }\n  }\n}\n" + openService + "  check \"http\" {\n    expect { body = \"ok\" }\n  }\n}\n",
			"3 Invalid path: Path \"health\" must begin with / and must not contain a space (write %20).\n4 Invalid status: Status \"99\" must be a code from 100 to 599, or a range such as \"200-299\"."},
		{"I gave all kinds a path", "defaults {\n  check \"*\" { path = \"/\" }\n}\n" + openService + "}\n",
			"2 Unused path: Only checks \"http\", \"https\" and \"file\" have it: remove it, or write check \"http\"."},
		{"I gave no check defaults", "defaults {\n  check \"none\" {}\n}\n" + openService + "}\n",
			"2 Unknown check \"none\": It can be " + choice(append([]string{"*"}, single...)) + "."},
		{"I use HEAD, and a body is expected by default", "defaults {\n  check \"http\" {\n    expect { body = \"ok\" }\n  }\n}\n" + openService + "  check \"http\" { method = \"HEAD\" }\n}\n",
			"11 Body of HEAD: By its defaults, this check expects a body. The answer to HEAD has no body: remove body, or use method = \"GET\"."},
		{"I generate defaults", "dynamic \"defaults\" {\n  for_each = [1]\n  content {}\n}\n" + openService + "}\n",
			"1 Dynamic defaults: A defaults block is evaluated before anything else and can't be generated: write it out."},
		{"I use a check of all kinds in a service", openService + "  check \"*\" {}\n}\n",
			"6 Unknown check \"*\": It can be " + choice(checks) + "."},
		{"I opened a comment and forgot its end", openService + "}\n\n/* for later\nvirtual_service \"mail\" {}\n",
			"8 Unclosed comment: This comment has no end, so the rest of the file would be ignored: write */ where it ends."},
		{"I forgot the end of a text of several lines", openService + "  check \"http\" {\n    expect {\n      body = <<EOT\nhello\n    }\n  }\n}\n",
			"8 Unclosed text: The text that begins here has no end: write EOT on a line of its own after it."},
		{"I wrote a letter in a port", "virtual_service \"web\" {\n  port = 8O\n}\n",
			"2 Invalid number: \"8O\" has a letter in it: correct the number, or put text in quotes."},
		{"I wrote the id in hexadecimal", "virtual_router \"a\" {\n  id = 0x7\n}\n",
			"2 Invalid number: \"0x7\" is hexadecimal: write the number in decimal."},
		{"I wrote a duration without quotes", "director {\n  start_delay = 3s\n}\n",
			"2 Missing quotes: A duration is text: write \"3s\"."},
		{"I wrote preempt = no", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  preempt = no\n  lease = on\n}\n",
			"5 Unknown variable \"no\": Write false.\n6 Unknown variable \"on\": Write true."},
		{"I chose the priority by hostname", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  priority = { lvs1 = 150, lvs2 = 100 }[hostname]\n}\n",
			"5 Unknown variable \"hostname\": The name of this director is node.name."},
		{"I wrote node.name in quotes", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  priority = { lvs1 = 150, lvs2 = 100 }[\"node.name\"]\n}\n",
			"5 Unknown key \"node.name\": In quotes, this is text, not a variable: write [node.name]."},
		{"I exchanged two letters of path", openService + "  check \"http\" { paht = \"/\" }\n}\n",
			"6 Unknown argument \"paht\": There is no argument of this name here. Did you mean \"path\"?"},
		{"I misspelt priority, which is there already", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  priority = 1\n  prioriti = 2\n}\n",
			"6 Unknown argument \"prioriti\": There is no argument of this name here. Did you mean \"priority\"?"},
		{"I have a closing brace too many", openService + "}\n}\n",
			"7 Unexpected closing brace: No block is open here: remove this brace, or look above for a block that ends too early."},
		{"I forgot a conflict of git", "<<<<<<< HEAD\n" + openService + "}\n=======\n>>>>>>> new\n",
			"1 Merge conflict: A merge left this line (git): keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>.\n8 Merge conflict: A merge left this line (git): keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>.\n9 Merge conflict: A merge left this line (git): keep one of the two versions, and remove the lines with <<<<<<<, ======= and >>>>>>>."},
		{"I wrote JSON", "{\n  \"virtual_service\": {}\n}\n",
			"1 Configuration in JSON: This file is in JSON, and lvsd reads HCL: an argument is written name = value, and a block name { … }."},
		{"I wrote YAML", "# web\nvirtual_service:\n  web:\n    port: 80\n",
			"1 Configuration in YAML: This file is in YAML, and lvsd reads HCL: an argument is written name = value, and a block name { … }."},
		{"I wrote YAML with a head", "---\nvirtual_service: web\n",
			"1 Configuration in YAML: This file is in YAML, and lvsd reads HCL: an argument is written name = value, and a block name { … }."},
		{"I used a variable of the shell", "virtual_service \"web\" {\n  port = ${WEB_PORT}\n}\n",
			"2 Shell variable: An environment variable is written `env.WEB_PORT`, without a dollar sign; in quotes, \"${env.WEB_PORT}\"."},
		{"I include other files", openService + "}\ninclude \"/etc/lvsd/conf.d/*.hcl\"\n",
			"7 Unknown word \"include\": This is keepalived's syntax. Remove it: all *.hcl files of the directory are read together."},
		{"I wrote one status as a number", openService + "  check \"http\" {\n    expect { status = 200 }\n  }\n}\n",
			"7 Wrong type for status: It must be a list such as [a, b], but this is a number: write [200]."},
		{"I want VRRP version 2 twice a second", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  version = 2\n  advert_interval = \"500ms\"\n  addresses = [\"10.0.0.1/24\"]\n}\n",
			"5 Invalid advert_interval: VRRP version 2 counts whole seconds, but this is 500ms: round it, or use version 3."},
		{"I forgot the name of a service", "virtual_service {\n}\n",
			"1 Missing name for virtual_service: Write it in quotes before the brace: virtual_service \"NAME\" {"},
		{"I gave a service two names", "virtual_service \"a\" \"b\" {\n}\n",
			"1 Unexpected label for virtual_service: It has no other label than its name: write virtual_service \"NAME\" {"},
		{"I named a certificate that is not there", openService + "  check \"https\" {\n    port = 443\n    tls { ca_file = \"/no/such.pem\" }\n  }\n}\n",
			"8 Unreadable ca_file: There is no file \"/no/such.pem\"."},
		{"I read a file that is not there", "locals {\n  a = file(\"/no/such.txt\")\n}\n" + openService + "}\n",
			"2 Error in function call: Call to function \"file\" failed: there is no file \"/no/such.txt\"."},
		{"I forgot a parenthesis in an expression", openService + "  check \"http\" {\n    expect { body = \"(ok\" }\n  }\n}\n",
			"7 Invalid body: Body is not a valid regular expression (RE2 syntax): missing closing ) in \"(ok\"."},
		{"I wrote a check without braces", openService + "  check \"http\"\n}\n",
			"6 Missing brace: A block needs braces, even if it is empty: write `check \"http\" {}`, or `check \"http\" {` here and `}` on a line of its own."},
		{"I wrote persistence = 300", openService + "  persistence = 300\n}\n",
			"6 Unknown argument \"persistence\": persistence is a block, which has no equals sign: write persistence { timeout = … }"},
		{"I check by port a service that has none", "virtual_service \"web\" {\n  firewall_mark = 1\n  forward = \"nat\"\n  check \"tcp\" {}\n  real_server \"192.168.1.4\" {}\n  real_server \"192.168.1.5\" {}\n}\n",
			"4 Check without port: The service has no port of its own, so the check \"tcp\" must say which one to try; for example: port = 80"},
		{"I gave this file of ldirectord", "checktimeout=10\nvirtual=192.168.6.240:80\n\treal=192.168.6.2:80 gate\n\tservice=http\n",
			"2 Configuration of ldirectord: This file is in ldirectord's format, and lvsd has its own: each \"virtual =\" becomes a virtual_service, and each \"real =\" a real_server in it; the addresses that Heartbeat moved become those of a virtual_router. README.md and examples/ show how they are written."},
		{"I gave this ha.cf of Heartbeat", "# cluster\nkeepalive 2\ndeadtime 30\nbcast eth0\nnode lvs1 lvs2\n",
			"2 Configuration of Heartbeat: This file is in Heartbeat's format, and lvsd has its own: the nodes become a virtual_router with an id and a priority for each of them, and advert_interval is about a quarter of deadtime. README.md and examples/ show how they are written."},
		{"I gave this haresources of Heartbeat", "lvs1 IPaddr::192.168.6.240/24/eth0 ldirectord::ldirectord.cf\n",
			"1 Configuration of Heartbeat: This file is in Heartbeat's format, and lvsd has its own: each IPaddr becomes an address of a virtual_router, in which the node at the start of the line has the higher priority: priority = { lvs1 = 150, lvs2 = 100 }[node.name]. README.md and examples/ show how they are written."},
		{"I gave this haresources with only an address", "lvs1 10.13.0.200/24/eth0 httpd\n",
			"1 Configuration of Heartbeat: This file is in Heartbeat's format, and lvsd has its own: each IPaddr becomes an address of a virtual_router, in which the node at the start of the line has the higher priority: priority = { lvs1 = 150, lvs2 = 100 }[node.name]. README.md and examples/ show how they are written."},
		{"I gave this haresources with a file system", "node1 Filesystem::/dev/sda1::/data1::ext2\n",
			"1 Configuration of Heartbeat: This file is in Heartbeat's format, and lvsd has its own: each IPaddr becomes an address of a virtual_router, in which the node at the start of the line has the higher priority: priority = { lvs1 = 150, lvs2 = 100 }[node.name]. README.md and examples/ show how they are written."},
		{"I gave this authkeys of Heartbeat", "auth 1\n1 crc\n",
			"1 Configuration of Heartbeat: This file is in Heartbeat's format, and lvsd has its own: instead of authkeys, each key becomes a file of its own, and a block key in the block authentication of a virtual_router. README.md and examples/ show how they are written."},
		{"I gave this file of keepalived", "vrrp_instance VI_1 {\n  state MASTER\n}\n",
			"1 Configuration of keepalived: This file is in keepalived's format, and lvsd has its own: a vrrp_instance becomes a virtual_router, a virtual_server a virtual_service. README.md and examples/ show how they are written."},
		{"I miss keepalived's words", openService + "  quorum = 2\n  retry 3\n  digest = \"x\"\n}\nvrrp_script \"chk\" {}\n",
			"6 Unknown argument \"quorum\": This is keepalived's syntax. Write min_healthy = \"weight 2\": keepalived's quorum is a sum of weights. With fewer, the fallback serves.\n7 Unknown word \"retry\": This is keepalived's syntax. Write fall = 3 in the check block: the number of probes in a row that must fail.\n8 Unknown argument \"digest\": This is keepalived's syntax. Write md5 = \"…\" in the expect block, with the same digits; or body = \"expression\", which also survives a change elsewhere in the page.\n10 Unknown block \"vrrp_script\": This is keepalived's syntax. Write track \"exec\" \"gateway\" { run = [\"/etc/lvsd/programs/gateway\", \"argument\"] }, a list and no shell; or condition \"exec\" at the top level of a file, for several virtual routers."},
		{"I track a script", "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  track \"script\" \"x\" {}\n}\n",
			"5 Unknown track \"script\": This is keepalived's syntax. Write track \"exec\" \"gateway\" { run = [\"/etc/lvsd/programs/gateway\", \"argument\"] }, a list and no shell; or condition \"exec\" at the top level of a file, for several virtual routers."},
		{"I wrote colons", "virtual_service \"web\" {\n  port: 80\n}\n",
			"2 Colon instead of an equals sign: Write `port =` and the value."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range told(t, tt.text) {
				got = append(got, fmt.Sprintf("%d %s: %s", d.Line, d.Summary, d.Detail))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// What the parser does not understand is told in words of this language.
func TestWhatTheParserDoesNotUnderstand(t *testing.T) {
	head, tail := "virtual_router \"a\" {\n  interface = \"eth0\"\n  id = 1\n  addresses = [\"10.0.0.1/24\"]\n  ", "\n}\n"
	for line, want := range map[string]string{
		"priority = { lvs1 = 150 lvs2 = 100 }[node.name]":           "5 Missing comma: Write a comma between the entries of a map",
		"peers = [\"10.0.0.2\" \"10.0.0.3\"]":                       "5 Missing comma or bracket: The items of a list are separated by commas",
		"peers = [\"10.0.0.2\"":                                     "6 Missing comma or bracket: ",
		"priority = (150":                                           "6 Missing parenthesis: ",
		"priority = node.name == \"lvs1\" ? 150":                    "5 Incomplete condition: Write both results",
		"priority = if node.name == \"lvs1\" 150":                   "5 Invalid condition: Write the condition before a question mark",
		"priority => 150":                                           "5 Wrong sign: An argument has one equals sign: write `priority =` and the value.",
		"priority == 150":                                           "5 Wrong sign: ",
		"source = “10.0.0.2”":                                       "5 Curly quotes: ",
		"source = '10.0.0.2'":                                       "5 Single quotes: ",
		"source = `10.0.0.2`":                                       "5 Backquote: ",
		"\u00a0priority = 150":                                      "5 Invalid character: ",
		"source = \"\\d\"":                                          "5 Invalid backslash: ",
		"source = \"%{x}\"":                                         "5 Invalid directive: ",
		"\"source\" = \"10.0.0.2\"":                                 "5 Quoted name: ",
		"extra_address = {":                                         "1 Unclosed block: ",
		"extra_address \"10.0.0.2/24\" {},":                         "5 Unexpected text: A block ends at its closing brace, without a comma",
		"extra_address \"10.0.0.2/24\"\n  {\n  }":                   "5 Missing brace: A block needs braces",
		"extra_address \"10.0.0.2/24\" {\n    interface = \"eth1\"": "1 Unclosed block: This block has no closing brace: write } after its last line.",
	} {
		got := told(t, head+line+tail)
		if len(got) == 0 || !strings.HasPrefix(fmt.Sprintf("%d %s: %s", got[0].Line, got[0].Summary, got[0].Detail), want) {
			t.Errorf("%s: %v, want first %s", line, got, want)
		}
	}
}

// told returns the diagnostics of a configuration for the director lvs1.
func told(t *testing.T, text string) config.Diagnostics {
	t.Helper()
	s := config.SourcesOf(t, text)
	_, diags := config.ParseWith(s, options(), machine(), nil)
	return diags
}

// A directory without configuration names what is there and is not read.
func TestADirectoryWithOnlyLvsdConf(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lvsd.conf"), openService+"}\n")
	_, err := config.Read(dir)
	if err == nil || !strings.Contains(err.Error(), "nothing else in it is read (lvsd.conf)") {
		t.Errorf("error %v", err)
	}
}

// One warning says how many addresses are held by nobody.
func TestAThousandServicesWhoseRouterIsMissing(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "virtual_service \"s%d\" {\n  address = \"10.0.%d.%d\"\n  port = 80\n  forward = \"nat\"\n  real_server \"192.168.1.4\" {}\n}\n", i, i/250, i%250+1)
	}
	b.WriteString("virtual_service \"empty\" {\n  address = \"10.13.0.200\"\n  port = 80\n  forward = \"nat\"\n}\n")
	got := map[string]int{}
	for _, d := range told(t, b.String()) {
		got[d.Summary]++
		if strings.HasPrefix(d.Summary, "1000") && !strings.Contains(d.Detail, " 10.0.0.1, 10.0.0.2, 10.0.0.3 and 997 more,") {
			t.Errorf("the addresses are told as %q", d.Detail)
		}
	}
	want := map[string]int{"1000 addresses held by nobody": 1, "No real server": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
