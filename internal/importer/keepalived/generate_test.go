package keepalived

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// A generator writes configurations in all of keepalived's words, with values that are
// mostly good.
type generator struct {
	*rand.Rand
	strings.Builder
}

func (g *generator) one(words ...string) string { return words[g.IntN(len(words))] }

// some writes each line with a probability of one in n.
func (g *generator) some(n int, lines ...string) {
	for _, l := range lines {
		if g.IntN(n) == 0 {
			g.line(l)
		}
	}
}

// line writes a line, in which each "a|b|c" in angle brackets is one of these words.
func (g *generator) line(l string) {
	for {
		end := strings.IndexByte(l, '>')
		begin := strings.LastIndexByte(l[:max(end, 0)], '<')
		if begin < 0 {
			break
		}
		l = l[:begin] + g.one(strings.Split(l[begin+1:end], "|")...) + l[end+1:]
	}
	g.WriteString(l + g.one("\n", "\n", "\n", " # a remark\n", "\n\n! another one\n"))
}

// block writes a block with the lines that inside writes.
func (g *generator) block(head string, inside func()) {
	g.line(head + g.one(" {", "\n{"))
	inside()
	g.line("}")
}

const (
	genAddress = "<10.0.<0|1>.<1|2|3>|10.0.0.9/24|10.0.2.5/32|2001:db8::<1|2|5>/64|fe80::7/64|2001:db8::9|10.0.0.300|x>"
	genOptions = "<||| dev eth<0|1>| label eth<0|1>:x| scope <global|link|nowhere>| brd <+|-|10.0.0.255|x>| peer 10.9.0.<1|2>| -nodad| no_track dev eth3| noprefixroute| preferred_lft <0|forever|60>| home| use_vmac|  dev eth1 scope link brd +>"
	genRoute   = "<|src 10.0.0.1 |to |add >10.<20|21>.0.0/16<| via 10.0.0.<254|253>>< dev eth<0|1>|><| metric <5|x>| scope link| table <100|main|small>| mtu lock 1400| advmss 1360| no_track| onlink| protocol bird| nexthop via 10.0.0.8 weight 2| hoplimit 9| tos 4 realms 3>"
	genRule    = "<from <10.0.0.0/8|all|x>|to 10.1.2.3|from 2001:db8::/32 to 2001:db8:1::/48|fwmark <3|0x10/0xff|x>|iif eth0|ipproto <tcp|99> sport 10-20|inet6 iif eth1|not from 10.2.0.0/16|l3mdev>< table <100|main|small>| lookup 7|><| priority <1|50>| preference 9| suppress_prefixlength 0| no_track| tos 4| goto 9>"
	genRun     = "<\"</dev/tcp/10.0.0.1/80\"|\"/bin/true 'a b' \\\"c\\\"\"|/bin/true|\"true x\"|\"/bin/x|/usr/bin/../bin/y><| root| nobody nogroup>"
	genWeight  = "<|| weight <5|-20|0|999>| weight 3 reverse| reverse| bogus>"
)

func (g *generator) configuration() string {
	if g.IntN(2) == 0 {
		g.block("global_defs", g.global)
	}
	for _, name := range []string{"a", "b"} {
		g.some(9, "<vrrp_script|track_file|vrrp_track_process> "+name+" { }")
		g.block("vrrp_script "+name, g.script)
		g.block("<track_file|vrrp_track_file> "+name, func() {
			g.some(2, "file /run/"+name, "weight <1|-1|0|2 reverse>", "init_file<| 5| 0 overwrite>")
		})
		g.block("vrrp_track_process "+name, func() {
			g.some(2, "process <haproxy|\"/usr/bin/x y\" a b|"+name+">", "weight <0|-5|5 reverse>", "quorum <1|2|x>", "quorum_max <0|3>", "delay 2", "fork_delay 1.5", "terminate_delay 0", "param_match partial", "full_command", "bogus")
		})
	}
	for _, name := range []string{"v1", "v2", "v3", "v4"}[:1+g.IntN(4)] {
		g.block("vrrp_instance "+name, func() { g.router(name) })
	}
	for _, name := range []string{"g1", "g2"}[:g.IntN(3)] {
		g.block("vrrp_sync_group "+name, g.group)
	}
	g.some(3, "static_ipaddress {\n192.168.7.1/24 dev eth1"+genOptions+"\n192.168.6.1\n}", "static_routes {\n"+genRoute+"\n}", "static_rules {\n"+genRule+"\n}")
	g.some(5, "garp_group {\ngarp_interval 0.1\ngna_interval 0.2\n<interface eth0|interfaces {\neth0\neth1\n}>\n}", "interface_up_down_delays {\neth<1|0> 2<| 3>\n}",
		"linkbeat_interfaces {\neth0 MII\n}", "bfd_instance x {\nneighbor_ip 10.0.0.3\n}", "track_group t {\ngroup {\nv1\n}\n}", "net_namespace x", "instance y", "use_pid_dir", "unheard_of {\na { b }\n}", "}", "stray \"quote")
	if g.IntN(2) == 0 {
		g.services()
	}
	return g.String()
}

func (g *generator) global() {
	g.some(6, "router_id x", "vrrp_version <2|3|4>", "vrrp_strict<| off>", "vrrp_down_timer_adverts <3|5>", "vrrp_mcast_group4 <224.0.0.30|10.0.0.1>", "vrrp_mcast_group6 ff02::20", "vrrp_startup_delay 5.5",
		"vrrp_delay_after_boot 3", "vrrp_garp_master_repeat <1|3|0>", "vrrp_garp_master_refresh <0|30>", "vrrp_garp_interval 0.01", "vrrp_gna_interval 0.02", "vrrp_garp_extra_if <all 60|30>", "vmac_prefix vr", "script_user <nobody|root root>",
		"default_interface eth1", "dynamic_interfaces", "enable_script_security", "lvs_sync_daemon eth2<| v1| inst v2> id 4 port 9000 maxlen 1400<| ttl 3 group 224.0.0.90| bogus>", "lvs_timeouts tcp 900 tcpfin 0 udp x", "lvs_flush",
		"lvs_flush_on_stop<| VS>", "vrrp_cpu_affinity 0 1", "vrrp_priority -20", "notification_email {\na@b.c\n}", "smtp_server 10.0.0.1", "vrrp_notify_fifo /run/f", "vrrp_skip_check_adv_addr", "bogus word", "checker_priority 3", "enable_snmp_vrrp", "nftables x", "rs_init_notifies")
}

func (g *generator) script() {
	g.some(2, "script "+genRun, "interval <1|2|0.5|x>", "timeout <3|x>", "weight <0|5|-5|300|4 reverse>", "rise <1|2|0>", "fall <1|3>", "user <nobody|root root>", "init_fail", "bogus")
}

func (g *generator) router(name string) {
	g.some(1, "virtual_router_id "+strings.TrimPrefix(name, "v")+"<1|2|9>")
	g.some(20, "virtual_router_id 0", "virtual_router_id 300")
	if g.IntN(8) > 0 {
		g.line("interface eth<0|1>")
	}
	g.some(2, "state <MASTER|BACKUP>", "priority <1|100|254|255|256>", "advert_int <1|0.5|1.6|0|60|x>")
	g.some(7, "version <2|3|9>", "nopreempt", "preempt", "preempt_delay <5|0.5|2000>", "down_timer_adverts 4", "garp_master_delay 3", "garp_master_repeat 4", "garp_master_refresh 9", "garp_master_refresh_repeat 2", "garp_lower_prio_repeat 1",
		"garp_extra_if <all 9|0>", "use_vmac<| vr.x| vr.y 02:00:00:00:00:01| name group netlink_notify_msg| group 5>", "vmac_xmit_base", "use_ipvlan", "dont_track_primary", "native_ipv6", "vrf red", "lvs_sync_daemon_interface eth<1|2>", "accept", "no_accept", "strict_mode <on|off>",
		"mcast_src_ip <10.0.0.77|2001:db8::77>", "unicast_src_ip <10.0.0.78|x>", "unicast_ttl <0|64|255>", "check_unicast_src", "track_src_ip", "mcast_dst_ip <224.0.0.44|ff02::44|10.0.0.1>", "smtp_alert", "debug 2", "no_virtual_ipaddress",
		"promote_secondaries", "lower_prio_no_advert", "skip_check_adv_addr on", "v3_checksum_as_v2", "timer_expired_backup", "notify_priority_changes", "kernel_rx_buf_size 3", "bogus", "notify_master_rx_lower_pri /bin/true")
	list := func(n int, head, line string) {
		if g.IntN(n) == 0 {
			g.block(head, func() { g.some(2, line, line, line, line) })
		}
	}
	list(1, "virtual_ipaddress", strings.ReplaceAll(genAddress, "10.0.", "10."+strings.TrimPrefix(name, "v")+".")+genOptions)
	list(3, "virtual_ipaddress_excluded", strings.ReplaceAll(genAddress, "10.0.", "10.5"+strings.TrimPrefix(name, "v")+".")+genOptions)
	list(4, "virtual_routes", genRoute)
	list(4, "virtual_rules", genRule)
	list(4, "unicast_peer", "<10.0.0.<80|81>|10.9.9.9|2001:db8::80|x><| min_ttl 200| max_ttl 250| min_ttl 100 max_ttl 255| bogus>")
	g.tracks()
	g.hookLines()
	g.some(4, "authentication {\nauth_type <PASS|AH|NONE>\nauth_pass <1234|verylongpassword>\n}")
	g.some(6, "auth_hmac {\nkey <1|2|x> <hex:00|file:/etc/k|file:k>\n<key 3 0123456789abcdef0123456789abcdef|>\n<active_key 1|active_key x|>\n<anti_replay <time|monotonic>|>\n<time_window 9|>\n<mode <enforce|permissive>|>\n}")
}

func (g *generator) tracks() {
	for _, kind := range []string{"interface", "script", "file", "process", "bfd"} {
		if g.IntN(3) == 0 {
			names := "<a|b|zz>"
			if kind == "interface" {
				names = "eth<0|1|2>"
			}
			g.block("track_"+kind, func() { g.some(2, names+genWeight, names+genWeight) })
		}
	}
}

func (g *generator) hookLines() {
	g.some(5, "notify_master "+genRun, "notify_backup "+genRun, "notify_fault "+genRun, "notify_stop "+genRun, "notify "+genRun, "notify_deleted<| "+genRun+">")
}

func (g *generator) group() {
	g.block("group", func() { g.some(1, "<v1|v2|zz>", "<v2|v3|v4>") })
	g.tracks()
	g.hookLines()
	g.some(4, "global_tracking", "sync_group_tracking_weight", "smtp_alert", "v3")
}

// checkAccounted checks that each line is in the provenance of something, or among the
// losses. The line of a block of which a line is there counts as well.
func checkAccounted(t *testing.T, r importer.Result, list []*Statement) {
	t.Helper()
	seen := r.Accounted()
	var check func(*Statement) bool
	check = func(s *Statement) bool {
		known := seen[s.Place]
		for _, inner := range s.Block {
			known = check(inner) || known
		}
		if !known && (len(s.Block) > 0 || !s.HasBlock) {
			t.Errorf("%s:%d: %q came along nowhere, and is no loss", s.File, s.Line, s.Raw)
		}
		return known
	}
	for _, s := range list {
		check(s)
	}
}

func checkGenerated(t *testing.T, seed uint64) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	files := disk{"k.conf": g.configuration()}
	r, err := Import(files, "k.conf", Options{ID: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := Parse(files, "k.conf", Options{ID: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := importertest.Written(r)
	checkAccounted(t, r, list)
	if len(r.Blocks) > 0 && (strings.Contains(text, "virtual_router ") || strings.Contains(text, "virtual_service")) {
		text = validate(t, r)
	}
	for _, l := range r.Losses {
		if l.Reason == notUnderstood || l.Reason == inBraces {
			t.Errorf("%q was overlooked", l.Text)
		}
		if strings.Contains(l.Text+l.Reason+l.Remedy, "verylongpassword") || l.Line == 0 {
			t.Errorf("a loss shows a password, or has no place: %+v", l)
		}
	}
	if strings.Contains(text, "verylong") {
		t.Error("the configuration shows a password")
	}
	if t.Failed() {
		name := fmt.Sprintf("%s/generated-%d.conf", os.TempDir(), seed)
		os.WriteFile(name, []byte(files["k.conf"]), 0o600)
		t.Logf("seed %d: %s", seed, name)
	}
}

func TestNothingIsDroppedSilently(t *testing.T) { importertest.Seeds(t, checkGenerated) }

// FuzzNothingIsDropped is the same for as long as one likes.
func FuzzNothingIsDropped(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(checkGenerated)
}
