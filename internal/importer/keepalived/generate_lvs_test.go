package keepalived

import "fmt"

const (
	genServer = "<10.7.0.<1|2|3|4>|10.7.0.<1|2>|2001:db8:7::<1|2>|127.0.0.1|0.0.0.0|x> <80|80|8080|||0|70000>"
	genMethod = "<NAT|DR|TUN|TUN type <ipip|gre<| csum>|gue port 5555<| remcsum>|gue|gre port 3>|ROUTE>"
	genTime   = "<1|2|6|0.5|0.25|30|x>"
)

// services writes what there is about virtual servers.
func (g *generator) services() {
	for _, name := range []string{"web", "dns"} {
		g.block("virtual_server_group "+name, func() {
			g.some(2, "192.0.2.10 <80|443|>", "192.0.2.<20-29|64/28|9-3|65/28> 80", "198.51.100.250-198.51.101.4 80", "2001:db8::<10-1f|80/124> 80", "10.0.0.0/8 80", "fwmark <7|8|0|x><| inet6| inet| ipx>", "nonsense")
		})
	}
	for i := range 1 + g.IntN(3) {
		g.block(fmt.Sprintf("virtual_server <192.0.2.%d 80|192.0.2.%d|2001:db8::%d 53|fwmark <%d|0>|group <web|dns|zz>|192.0.2.1 80|x 80>", 100+i, 100+i, 100+i, 20+i), g.virtual)
	}
	g.some(6, "SSL {\npassword x\nca /etc/ca.pem\ncertificate /etc/keepalived/client.pem\nkey /etc/keepalived/client.key\n}")
}

func (g *generator) virtual() {
	g.some(2, "protocol <TCP|UDP|SCTP|tcp|x>", "<lb_algo|lvs_sched> <rr|wlc|sh|mh|lc|ovf|x>", "<lb_kind|lvs_method> "+genMethod)
	g.pace(6)
	g.some(7, "ip_family <inet|inet6|x>", "hashed", "ops", "flag-<1|2|3>", "sh-<port|fallback>", "mh-<port|fallback>", "persistence_timeout<| 60| x>", "persistence_granularity <255.255.255.0|64|255.0.255.0>", "persistence_engine <sip|x>",
		"ha_suspend", "alpha", "omega", "inhibit_on_failure", "quorum <1|2|9|0>", "hysteresis <1|3|x>", "quorum_up "+genRun, "quorum_down "+genRun, "weight <1|5|0>", "virtualhost www.example.org", "snmp_name s1", "smtp_alert",
		"sorry_server "+genServer, "sorry_server_inhibit", "sorry_server_lvs_method "+genMethod, "bogus 1 2", "interface eth0")
	for range 1 + g.IntN(4) {
		g.block("real_server "+genServer, g.real)
	}
}

// pace writes words about when something is checked.
func (g *generator) pace(n int) {
	g.some(n, "delay_loop "+genTime, "connect_timeout "+genTime, "retry <1|3|0|x>", "delay_before_retry "+genTime, "warmup "+genTime)
}

func (g *generator) real() {
	g.pace(9)
	g.some(7, "weight <0|1|10|-1>", "lvs_method "+genMethod, "uthreshold <100|x>", "lthreshold <50|200>", "inhibit_on_failure<| off| x>", "notify_up "+genRun, "notify_down "+genRun, "alpha<| no>", "virtualhost x.example.org", "snmp_name <a|b>", "smtp_alert", "bogus")
	g.some(4, "TCP_CHECK<| {\n}>")
	for range g.IntN(3) {
		g.check()
	}
}

// check writes a block that checks a server.
func (g *generator) check() {
	kind := g.one("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "MISC_CHECK", "FILE_CHECK", "BFD_CHECK")
	g.block(kind, func() {
		g.pace(4)
		g.some(9, "alpha", "log_all_failures", "connect_ip <10.7.1.1|x>", "connect_port <81|0>", "bindto 10.7.0.9", "bind_port 4000", "bind_if eth1", "fwmark <0|3|x>", "bogus")
		switch kind {
		case "HTTP_GET", "SSL_GET":
			g.some(5, "nb_get_retry 3", "virtualhost y.example.org", "http_protocol <1.0|1.1|1.0C|2>", "enable_sni<| off>", "sni_name<| z.example.org>", "fast_recovery", "tls_compliant")
			for range 1 + g.IntN(2) {
				g.block("url", g.url)
			}
		case "SMTP_CHECK":
			g.some(3, "helo_name m.example.org", "host {\nconnect_ip 10.7.1.2\n<connect_port 26|>\n<bindto 10.7.0.9|bogus>\n}")
		case "DNS_CHECK":
			g.some(2, "type <A|AAAA|SOA|x>", "name <example.org|.>")
		case "UDP_CHECK":
			g.some(2, "payload <00 01 ff|0|xx>", "require_reply<| 0001| 0x 01| xx| 012>", "min_reply_length 3", "max_reply_length x")
		case "MISC_CHECK":
			g.some(1, "misc_path "+genRun)
			g.some(2, "misc_timeout <3|x>", "misc_dynamic", "user <nobody|root root>")
		case "FILE_CHECK":
			g.some(1, "track_file <a|b|zz>")
			g.some(2, "weight <0|1|-1|0 reverse|x>")
		case "BFD_CHECK":
			g.some(1, "name x")
		}
	})
}

func (g *generator) url() {
	g.some(1, "path </|/a b|index.html|\"/q?a=1#b\">")
	g.some(3, "digest <9b3a0c85a887a256d6939da88aabd8cd|x>", "status_code <200|200-299 304|99 200|x>", "virtualhost z.example.org", "regex <OK|\"^a.*b$\"|\"(?<=x)y\"|\"a\\\\d+\"|\"[\">", "regex_no_match",
		"regex_options <caseless|multiline dotall|extended|anchored x>", "regex_min_offset 3", "regex_max_offset 9", "regex_stack 1 2", "tls_compliant", "bogus")
}
