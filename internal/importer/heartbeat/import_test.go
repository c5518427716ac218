package heartbeat

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// site are files of Heartbeat's of which the tests change one.
func site(cf, resources, keys string) []File {
	if cf == "" {
		cf = "bcast eth0\nauto_failback on\nnode lvs1 lvs2\n"
	}
	if resources == "" {
		resources = "lvs1 10.13.0.200/24/eth0\n"
	}
	if keys == "" {
		keys = "auth 1\n1 crc\n"
	}
	return []File{{Name: "ha.cf", Text: []byte(cf)}, {Name: "haresources", Text: []byte(resources)}, {Name: "authkeys", Text: []byte(keys)}}
}

func TestWhatHeartbeatRefusesIsRefusedWithItsLine(t *testing.T) {
	for name, test := range map[string]struct{ cf, resources, keys, want string }{
		"a word that is none":                       {cf: "node lvs1\nkeepalived 2\n", want: `ha.cf:2: Heartbeat has no word "keepalived"`},
		"a time that is none":                       {cf: "deadtime soon\n", want: "ha.cf:1: deadtime: a time was expected"},
		"a time without a number":                   {cf: "deadtime ms\n", want: "ha.cf:1: deadtime: a time was expected"},
		"a time without an end":                     {cf: "deadtime 99999999999999999999h\n", want: "ha.cf:1: deadtime: a time was expected"},
		"deadtime of two keepalives":                {cf: "keepalive 2\ndeadtime 4\n", want: "ha.cf:2: deadtime: more than twice keepalive (2s) was expected"},
		"keepalive too long for deadtime's default": {cf: "keepalive 15\n", want: "ha.cf:1: keepalive: less than half of deadtime (30s) was expected"},
		"deadping of two keepalives":                {cf: "keepalive 2\ndeadping 4\n", want: "ha.cf:2: deadping: more than twice keepalive"},
		"initdead below deadtime":                   {cf: "deadtime 20\ninitdead 10\n", want: "ha.cf:2: initdead: no less than deadtime (20s) was expected"},
		"a failback that is none":                   {cf: "auto_failback sometimes\n", want: "ha.cf:1: auto_failback: on, off or legacy was expected"},
		"no interface":                              {cf: "bcast\n", want: "ha.cf:1: bcast: the name of an interface was expected"},
		"no peer":                                   {cf: "ucast eth0\n", want: "ha.cf:1: ucast: an interface and the other node's address were expected"},
		"no node":                                   {cf: "node\n", want: "ha.cf:1: node: the name of a node was expected"},
		"a node without a name":                     {cf: "node .example.org\n", want: "ha.cf:1: the name of a node was expected"},
		"nobody to ping":                            {cf: "ping\n", want: "ha.cf:1: ping: an address was expected"},
		"a group of nobody":                         {cf: "ping_group dns\n", want: "ha.cf:1: ping_group: a name and addresses were expected"},
		"a node that ha.cf does not have":           {resources: "\nlvs3 10.13.0.200\n", want: "haresources:2: lvs3 is no node of ha.cf"},
		"a node that has nothing":                   {resources: "lvs1\n", want: "haresources:1: the name of a node and what it has"},
		"a line without a node":                     {resources: "10.13.0.200 apache\n", want: "haresources:1: the name of a node was expected before 10.13.0.200"},
		"a mask that is none":                       {resources: "lvs1 10.13.0.200/33\n", want: `haresources:1: "33" was not expected in "10.13.0.200/33"`},
		"a mask with a hole":                        {resources: "lvs1 IPaddr::10.13.0.200/255.0.255.0/1.2.3.4\n", want: `was not expected in "10.13.0.200/255.0.255.0/1.2.3.4"`},
		"no address":                                {resources: "lvs1 IPaddr2::shop\n", want: `haresources:1: "shop": an address`},
		"a script elsewhere":                        {resources: "lvs1 10.13.0.200 /opt/start::x\n", want: `haresources:1: "/opt/start::x": an address, or the name of a script`},
		"no lines":                                  {resources: "# nothing\n", want: "haresources, which names what moves, is not among the files"},
		"keys without auth":                         {keys: "1 sha1 hush\n", want: "authkeys:1: auth and the number of the key that signs was expected"},
		"auth twice":                                {keys: "auth 1\nauth 2\n1 crc\n", want: "authkeys:2: auth is there already, in line 1"},
		"a key that is not there":                   {keys: "auth 2\n1 sha1 hush\n", want: "authkeys:1: auth: there is no key 2"},
		"a key twice":                               {keys: "auth 1\n1 crc\n1 sha1 hush\n", want: "authkeys:3: there is a key 1 already, in line 2"},
		"a sixteenth key":                           {keys: "auth 1\n1 crc\n16 sha1 hush\n", want: "authkeys:3: auth, or the number of a key from 1 to 15"},
		"a method that is none":                     {keys: "auth 1\n1 sha256 hush\n", want: "authkeys:2: crc, or md5 or sha1 and a key, was expected after the number 1"},
		"sha1 without a key":                        {keys: "auth 1\n1 sha1\n", want: "authkeys:2: crc, or md5 or sha1 and a key"},
		"crc with a key":                            {keys: "auth 1\n1 crc hush\n", want: "authkeys:2: crc, or md5 or sha1 and a key"},
		"a secret where auth was expected":          {keys: "hush\n", want: "authkeys:1: auth, or the number of a key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Import(site(test.cf, test.resources, test.keys), Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestEveryWordIsInAConfiguration has the words of ha.cf that lvsd's table knows in the one that
// says them all, or in another one.
func TestEveryWordIsInAConfiguration(t *testing.T) {
	said := map[string]bool{}
	for _, name := range []string{"shop", "both", "words", "stays", "unicast"} {
		for _, l := range lines(folder(t, "testdata/"+name)[0], HACF) {
			said[l.words[0]] = true
		}
	}
	words, err := os.ReadFile("../../config/testdata/words-heartbeat.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(words)) {
		if !said[word] && word != "pacemaker" { // another name of crm
			t.Errorf("%s is in no configuration here", word)
		}
	}
}

func TestFilesAreKnownByTheirNamesOrByWhatIsInThem(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       Kind
	}{
		{"/etc/ha.d/ha.cf", "", HACF}, {"/etc/ha.d/haresources", "", HAResources}, {"/etc/ha.d/authkeys", "", AuthKeys}, {"conf/ldirectord.cf", "", LDirectord},
		{"lvs1.cf", "# x\nbcast eth0\n", HACF}, {"lvs1.cf", "node lvs1\n", HACF}, {"-", "lvs1 10.13.0.200\n", HAResources},
		{"keys", "auth 1\n", AuthKeys}, {"www.cf", "checktimeout = 3\nvirtual=1\n", LDirectord},
	} {
		if got := KindOf(File{Name: test.name, Text: []byte(test.text)}); got != test.want {
			t.Errorf("%s %q: %d, want %d", test.name, test.text, got, test.want)
		}
	}
	_, _, err := Import(append(site("", "", ""), File{Name: "lvs2.cf", Text: []byte("node lvs1\n")}), Options{})
	if err == nil || !strings.Contains(err.Error(), "lvs2.cf:1: this is one more ha.cf, beside ha.cf") {
		t.Error(err)
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]string{"2": "2s", "500ms": "500ms", "1.7": "1700ms", ".5s": "500ms", "250000usec": "250ms", "2MIN": "2m", "1hr": "1h", "3sec": "3s"} {
		if d, ok := timeOf(text); !ok || importer.Duration(d).Text != want {
			t.Errorf("%s: %v %v, want %s", text, d, ok, want)
		}
	}
	for _, text := range []string{"", "0", "s", "-1", "1d", "1e9", "1..2"} {
		if d, ok := timeOf(text); ok {
			t.Errorf("%q: %v", text, d)
		}
	}
}

// TestAMasterCountsAsDeadAfterDeadtime by as many adverts as are in it, with the skew time, within a
// fifth.
func TestAMasterCountsAsDeadAfterDeadtime(t *testing.T) {
	for cf, seconds := range map[string]float64{
		"keepalive 1\ndeadtime 10\n": 10, "keepalive 2\ndeadtime 5\n": 5, "keepalive 500ms\ndeadtime 1700ms\n": 1.7, "keepalive 100ms\ndeadtime 60\n": 60,
		"keepalive 33ms\ndeadtime 100ms\n": 0.1, "": 30, "keepalive 60\ndeadtime 200\n": 200, "keepalive 15ms\ndeadtime 2\n": 2,
	} {
		r, _, err := Import(site(cf+"bcast eth0\nnode lvs1 lvs2\n", "", ""), Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := r.Blocks[0]
		every, _ := timeOf(b.Get("advert_interval").Value.Text)
		missed, _ := timeOf(b.Get("missed_adverts").Value.Text) // a number, as that of seconds
		down := every.Seconds() * (missed.Seconds() + 156.0/256)
		if down < 0.8*seconds || down > 1.2*seconds {
			t.Errorf("%q: Master_Down is %.2f s", cf, down)
		}
	}
}

func TestTheMachineKnowsWhatHaresourcesLeavesToIt(t *testing.T) {
	network := func(a netip.Addr) (string, int, bool) { return "ens3", 25, a.String() == "10.13.0.200" }
	r, _, err := Import(site("", "lvs1 10.13.0.200 10.13.0.201/24/eth1 192.0.2.1\n", ""), Options{Network: network})
	if err != nil {
		t.Fatal(err)
	}
	text, losses := importertest.Written(r)
	text = strings.Join(strings.Fields(text), " ")
	for _, want := range []string{`interface = "ens3"`, `addresses = ["10.13.0.200/25", "192.0.2.1"]`, `extra_address "10.13.0.201/24" { interface = "eth1" }`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if !strings.Contains(losses, "note: 10.13.0.200\n\twhat is not said of an address, its interface or its mask, is that of this machine's network on ens3") || !strings.Contains(losses, "differs: 192.0.2.1\n\tHeartbeat takes the mask") {
		t.Error(losses)
	}
}

// TestPeersOfFilesThatAreTheSameOnAllNodes by their names, or else in the order of the nodes, which
// is told.
func TestPeersOfFilesThatAreTheSameOnAllNodes(t *testing.T) {
	files := site("auto_failback on\nucast eth0 10.13.0.12\nucast eth0 10.13.0.11\nnode lvs1 lvs2\n", "", "")
	for _, test := range []struct {
		resolve      func(string, bool) (netip.Addr, error)
		peers, guess string
	}{
		{resolve, `{ lvs1 = ["10.13.0.12"], lvs2 = ["10.13.0.11"] }[node.name]`, ""},
		{nil, `{ lvs1 = ["10.13.0.11"], lvs2 = ["10.13.0.12"] }[node.name]`, "ha.cf:2: differs: ucast eth0 10.13.0.12\n\twhich of these addresses is whose is not in ha.cf"},
	} {
		r, _, err := Import(files, Options{Resolve: test.resolve})
		if err != nil {
			t.Fatal(err)
		}
		text, losses := importertest.Written(r)
		if !strings.Contains(text, test.peers) || !strings.Contains(losses, test.guess) || test.guess == "" && strings.Contains(losses, "differs") {
			t.Errorf("%s\n%s", text, losses)
		}
	}
}

func TestServicesThatAreImportedTooAreNotLost(t *testing.T) {
	for _, services := range [][]string{nil, {"/tmp/www.cf"}} {
		r, _, err := Import(site("", "lvs1 10.13.0.200/24/eth0 ldirectord::/etc/ha.d/www.cf\n", ""), Options{Services: services})
		if err != nil {
			t.Fatal(err)
		}
		if _, losses := importertest.Written(r); strings.Contains(losses, "lost: ldirectord::/etc/ha.d/www.cf") != (services == nil) {
			t.Error(losses)
		}
	}
}

// TestScriptsOfTheMachineAreCommands, which Heartbeat looks for before those of /etc/init.d.
func TestScriptsOfTheMachineAreCommands(t *testing.T) {
	r, _, err := Import(site("", "lvs1 10.13.0.200/24/eth0 BACKUPPC samba\n", ""), Options{Script: func(name string) bool { return name == "BACKUPPC" }})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := importertest.Written(r)
	for _, want := range []string{`start  = ["/etc/ha.d/resource.d/BACKUPPC", "start"]`, `resource "systemd" "samba.service" {}`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
}

func TestOthersMustNotReadTheKeys(t *testing.T) {
	files := site("", "", "auth 1\n1 sha1 hush\n")
	files[2].Shared = true
	r, _, err := Import(files, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, losses := importertest.Written(r)
	if !strings.Contains(losses, "others than its owner may read this file or write it") || strings.Contains(losses, "hush") {
		t.Error(losses)
	}
	if len(r.Files) != 1 || r.Files[0].Name != "/etc/lvsd/heartbeat.key1" || len(r.Files[0].Secret) != len("hex:")+64 {
		t.Errorf("%+v", r.Files)
	}
}

// TestWhoReachesMoreIsMaster by the priorities, which follow from what a director reaches, whatever
// the number of ping nodes.
func TestWhoReachesMoreIsMaster(t *testing.T) {
	for nodes := 2; nodes <= 4; nodes++ {
		for pings := 1; pings <= 30; pings++ {
			w := &walk{cluster: cluster{nodes: make([]string, nodes)}}
			step, weight := w.steps(pings)
			best, worst := 150, 150-step*(nodes-1)
			for lost := 1; lost <= pings; lost++ {
				if least := worst + weight*(lost-1); least > 1 && best+weight*lost >= least || least < 1 {
					t.Errorf("%d nodes, %d ping nodes: who has lost %d has %d, and who has lost %d %d", nodes, pings, lost, best+weight*lost, lost-1, least)
				}
			}
		}
	}
}

func TestManyThingsAreBounded(t *testing.T) {
	for want, files := range map[string][]File{
		"haresources:1: more than 4096 things move":     site("", "lvs1"+strings.Repeat(" 10.0.0.1", 5000)+"\n", ""),
		"ha.cf:2: there are more than 64 nodes":         site("bcast eth0\nnode"+numbered(" n", 65)+"\n", "", ""),
		"ha.cf:1: there are more than 64 ping nodes":    site("ping"+numbered(" 10.1.2.1", 65)+"\nrespawn root /x/ipfail\nnode lvs1\n", "", ""),
		"haresources:1: the file has more than 1048576": site("", strings.Repeat("#", 2<<20), ""),
	} {
		if _, _, err := Import(files, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func numbered(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(prefix + string(rune('0'+i/10)) + string(rune('0'+i%10)))
	}
	return b.String()
}

// fuzz checks that files do not make the importer panic, that no line is dropped silently, that no
// secret is told, and that lvsd can read what is made.
func fuzz(t *testing.T, files []File) {
	for _, f := range files {
		if strings.Contains(string(f.Text), "s3cr3t") {
			return
		}
	}
	for i, f := range files {
		if KindOf(f) == AuthKeys {
			files[i].Text = append(f.Text, "\n15 sha1 s3cr3t\n"...)
		}
	}
	r, nodes, err := Import(files, Options{Resolve: resolve})
	if err != nil {
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Error("a secret is in an error")
		}
		return
	}
	for _, line := range unaccounted(files, r) {
		t.Error(line)
	}
	if configuration, losses := importertest.Written(r); strings.Contains(configuration+losses, "s3cr3t") || len(nodes) == 0 {
		t.Error("a secret is told, or there are no nodes")
	}
}

func FuzzHACF(f *testing.F) {
	for _, name := range []string{"shop", "both", "words", "stays", "unicast"} {
		f.Add(string(folder(f, "testdata/"+name)[0].Text))
	}
	f.Fuzz(func(t *testing.T, text string) { fuzz(t, site(text, "lvs1 10.13.0.200/24/eth0 10.13.0.201\n", "")) })
}

func FuzzHAResources(f *testing.F) {
	for _, name := range []string{"shop", "both", "words", "stays"} {
		f.Add(string(folder(f, "testdata/"+name)[1].Text))
	}
	f.Fuzz(func(t *testing.T, text string) { fuzz(t, site("keepalive 1\n", text, "")) })
}

func FuzzAuthKeys(f *testing.F) {
	for _, text := range []string{"auth 1\n1 crc\n", "auth 3\n3 sha1 x\n1 md5 a#b c\n# d\n", "auth 15\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { fuzz(t, site("", "", text)) })
}
