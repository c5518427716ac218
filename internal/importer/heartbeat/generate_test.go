package heartbeat

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// Lines of ha.cf in all of its words, what haresources has for a node, and lines of authkeys.
var (
	generatedCF = []string{
		"keepalive <1|2|500ms|15ms|100us|1min>", "deadtime <10|30|5|2500ms|1hr>", "warntime 5", "initdead <60|120|30|2min>", "deadping <10|40>", "hopfudge 1", "udpport 694", "baud 19200",
		"auto_failback <on|off|legacy>", "nice_failback <on|off>", "udp eth0", "bcast <eth0|eth1 eth2>", "mcast eth<0|1> 225.0.0.1 694 1 0", "mcast6 eth0 ff02::5 694 1",
		"ucast eth<0|1> <10.13.0.11|10.13.0.12|lvs2|nowhere>", "ucast eth0 10.13.0.11\nucast eth0 10.13.0.12", "ucast6 eth0 <2001:db8::12|nowhere>", "serial /dev/ttyS0", "node lvs3", "autojoin none",
		"ping <10.13.0.1|10.13.0.1 10.13.0.2|dns1|nowhere>", "ping6 2001:db8::1", "ping_group <dns 10.13.0.53 10.13.0.54|\"a b\" dns1 nowhere>", "hbaping fc",
		"respawn <hacluster /usr/lib/heartbeat/ipfail|root /bin/x --token s3cr3t>", "apiauth ipfail gid=haclient uid=hacluster", "watchdog <watchdog|/dev/watchdog1|/dev/watchdog>",
		"stonith baytech /etc/x", "stonith_host * baytech 10.0.0.3 me s3cr3t", "compression bz2", "compression_threshold 2", "traditional_compression off", "logfacility local0", "logfile /var/log/x",
		"debugfile /var/log/y", "use_logd yes", "conn_logd_time 60", "debug 1", "realtime on", "rtprio 5", "hbgenmethod time", "uuidfrom file", "msgfmt netstring", "syslogmsgfmt on", "coredumps true",
		"coreroot /x", "crm <off|respawn|yes|manual>", "pacemaker no", "crm_daemon_dir /x", "crmd_spawns_pengine no", "record_config_changes on", "record_pengine_inputs on", "enable_config_writes on",
		"env TOKEN=s3cr3t", "max_rexmit_delay 250", "use_apphbd no", "memreserve 6500", "quorum_server qs", "cluster linux-ha", "log_badpack off",
	}
	generatedMoves = []string{
		"<|IPaddr::|IPaddr2::>10.13.0.<200|201|202|203><|/24|/255.255.255.0|/32><|/eth0|/eth1|/eth0:<x|1>><||/10.13.0.255>", "<|IPaddr2::>192.168.1.25<4|3>/24/eth1", "IPv6addr::2001:db8::<1|2><|/64|/64/eth1>", "IPsrcaddr::10.13.0.200",
		"ldirectord<|::ldirectord.cf|::/etc/ha.d/www.cf>", "Filesystem::<-Ldata|-U12-34|/dev/drbd<0|1>|host:/x>::</srv|/srv/|srv|/data><|::ext4<|::noatime,ro>>", "LVSSyncDaemonSwap::<master|backup>",
		"MailTo::<a@example.org|a@example.org::Shop>", "SendArp::10.13.0.200/eth0", "apache<|::/etc/apache2.conf>", "drbddisk<::r0|>", "Raid1::/etc/raidtab::/dev/md0", "mysql", "squid.service", "tomcat::8080", "OCF::a::b", "$x::y", "a.b_c", "\"q\"::\"r\"", "${x}::%{y}", "é::ü",
	}
	generatedKeys = "auth <1|2|3>\n1 <crc|sha1 s3cr3t|md5 s3cr3t|sha1 s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t>\n2 <md5|sha1> s3cr3t\n<3 crc|# none|3 sha1 hex:s3cr3t>\n"
)

// generated writes files that Heartbeat mostly takes.
func generated(seed uint64) []File {
	g := rand.New(rand.NewPCG(seed, 1))
	var cf, resources strings.Builder
	if g.IntN(8) > 0 {
		cf.WriteString("# nodes\nnode lvs1.example.org lvs2\n")
	}
	for range 2 + g.IntN(16) {
		cf.WriteString(importertest.Choose(g, generatedCF[g.IntN(len(generatedCF))]) + []string{"\n", "\n", " # a remark\n", "\n\n# another one\n"}[g.IntN(4)])
	}
	for n := range 1 + g.IntN(4) {
		resources.WriteString([]string{"", "# what it has\n"}[g.IntN(2)] + []string{"lvs1", "lvs2", "LVS2.example.org"}[min(n*g.IntN(3), 2)])
		for n := range 1 + g.IntN(4) {
			at := g.IntN(len(generatedMoves))
			if n == 0 {
				at = g.IntN(3)
			}
			resources.WriteString([]string{" ", " ", " \\\n\t"}[g.IntN(3)] + importertest.Choose(g, generatedMoves[at]))
		}
		resources.WriteString("\n")
	}
	return site(cf.String(), resources.String(), importertest.Choose(g, generatedKeys))
}

// checkGenerated imports what is generated: each line of all files is somewhere, and so is each
// word of haresources; no secret is told, and lvsd takes what is made, on all nodes. What Heartbeat
// refuses counts as nothing.
func checkGenerated(t *testing.T, seed uint64) {
	files := generated(seed)
	r, nodes, err := Import(files, Options{Resolve: resolve})
	if err != nil {
		return
	}
	for _, line := range unaccounted(files, r) {
		t.Error(line)
	}
	made, losses := importertest.Written(r)
	for _, l := range lines(files[1], HAResources) {
		for _, word := range l.words[1:] {
			if !told(word, made, losses) {
				t.Errorf("%s is dropped silently", word)
			}
		}
	}
	if len(r.Blocks) > 0 {
		made = importertest.Validate(t, importer.Result{Blocks: r.Blocks, Files: r.Files})
		if why := refused(t, r, nodes[1:]); why != "" {
			t.Error(why)
		}
	}
	if strings.Contains(made+losses, "s3cr3t") {
		t.Error("a secret is told")
	}
	if t.Failed() {
		t.Logf("seed %d:\n%s\n%s\n%s", seed, files[0].Text, files[1].Text, files[2].Text)
	}
}

// told reports whether a word of haresources came along, or is a loss: by itself, its address
// or its script.
func told(word, made, losses string) bool {
	if strings.Contains(losses, word) {
		return true
	}
	name, arguments, _ := strings.Cut(word, "::")
	if isAddress(word) {
		name, arguments = "IPaddr", word
	}
	switch name {
	case "IPaddr", "IPaddr2", "IPv6addr":
		a, _, _ := strings.Cut(arguments, "/")
		return strings.Contains(made, "\""+netip.MustParseAddr(a).String())
	case "Filesystem":
		return strings.Contains(made, `resource "mount"`)
	}
	return strings.Contains(made, importer.Write([]*importer.Block{importer.NewBlock("x", name)})[len(`x "`):][:len(name)])
}

func TestNothingIsDroppedSilently(t *testing.T) { importertest.Seeds(t, checkGenerated) }

// FuzzNothingIsDropped is the same for as long as one likes.
func FuzzNothingIsDropped(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(checkGenerated)
}

func TestMostOfWhatIsGeneratedIsRead(t *testing.T) {
	importertest.MostAreRead(t, func(seed uint64) error {
		_, _, err := Import(generated(seed), Options{Resolve: resolve})
		return err
	})
}
