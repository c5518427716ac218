package config

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/text"
)

// Many users know the words of another program. This is the table of them: each
// word with its counterpart, or that there is none yet, or why there will be none.
// A word that this language has too is not among them.

// A program is another program whose configuration users may have.
type program struct {
	name  string
	words []foreignWords
	// is reports whether an item at the top level of a file shows that the file is
	// this program's: by its first word, the text before its brace, and its whole text.
	is func(kind, head string, text []byte) bool
	// advice is about a whole file.
	advice string
}

// foreignWords are words of another program that have one answer.
type foreignWords struct {
	names  string // separated by spaces
	fate   fate
	advice string // a sentence; empty: the fate says it all
}

// A fate is what becomes of a word.
type fate string

// The fates.
const (
	counterpart fate = ""
	notYet      fate = "lvsd has no counterpart for it yet."
	never       fate = "lvsd has no counterpart for it, by design."
)

// remedy is what users of the word are told.
func (w foreignWords) remedy() string { return strings.TrimSpace(string(w.fate) + " " + w.advice) }

func programs() []program {
	return []program{keepalived(), ldirectord, heartbeat, haresources, authkeys}
}

// foreignRemedies returns what to tell about each word.
func foreignRemedies() map[string]string {
	all := map[string]string{}
	for _, p := range programs() {
		for _, w := range p.words {
			for name := range strings.FieldsSeq(w.names) {
				if all[name] == "" { // keepalived comes first
					all[name] = "This is " + possessive(p.name) + " syntax. " + w.remedy()
				}
			}
		}
	}
	return all
}

// A ForeignWord says what became of a word of another program in this language.
type ForeignWord struct {
	Counterpart bool   // there is something that does the same
	Fate        string // where there is none: a sentence
	Advice      string // what to write or do instead, or why there will be none; may be empty
}

// ForeignWords lists the words of another program that are known.
func ForeignWords(name string) (all []string) {
	for _, p := range programs() {
		for _, w := range p.words {
			if p.name == name {
				all = append(all, strings.Fields(w.names)...)
			}
		}
	}
	return all
}

// Foreign looks a word up that another program's configuration has, such as "keepalived"'s.
func Foreign(name, word string) (w ForeignWord, known bool) {
	for _, p := range programs() {
		for _, f := range p.words {
			if p.name == name && slices.Contains(strings.Fields(f.names), word) {
				return ForeignWord{Counterpart: f.fate == counterpart, Fate: string(f.fate), Advice: f.advice}, true
			}
		}
	}
	return ForeignWord{}, false
}

func possessive(name string) string {
	if strings.HasSuffix(name, "s") {
		return name + "'"
	}
	return name + "'s"
}

// alien returns a mistake where an item shows that its file is another program's.
func alien(kind, head string, text []byte) (summary, detail string) {
	for _, p := range programs() {
		if p.is(kind, head, text) {
			return "Configuration of " + p.name, "This file is in " + possessive(p.name) + " format, and lvsd has its own: " + p.advice + " README.md and examples/ show how they are written."
		}
	}
	return "", ""
}

// foreignValues are values, in lower case.
var foreignValues = map[string]string{
	"dr": "direct", "gate": "direct", "masq": "nat", "tun": "tunnel", "ipip": "tunnel",
	"http_get": "http", "ssl_get": "https", "tcp_check": "tcp", "udp_check": "udp", "ping_check": "ping",
	"dns_check": "dns", "smtp_check": "smtp",
	"negotiate": "http", "connect": "tcp",
}

// keepalivedBlocks begin at the top level of keepalived's files.
var keepalivedBlocks = []string{"global_defs", "vrrp_instance", "vrrp_script", "vrrp_sync_group", "virtual_server", "virtual_server_group"}

// assignment is what every argument of this language has, and none of
// keepalived's.
var assignment = text.Pattern(`(?m)^[ \t]*\w+[ \t]*=`)

func keepalived() program {
	return program{
		name: "keepalived",
		is: func(kind, head string, text []byte) bool {
			return slices.Contains(keepalivedBlocks, kind) && !strings.Contains(head, `"`) && !assignment().Match(text)
		},
		advice: "a vrrp_instance becomes a virtual_router, a virtual_server a virtual_service.",
		words:  slices.Concat(keepalivedVRRP, keepalivedIPVS, keepalivedGlobal),
	}
}

var keepalivedVRRP = []foreignWords{
	{"vrrp_instance", counterpart, `Write virtual_router "outside" { … }.`},
	{"virtual_router_id", counterpart, `Write id = 51, with that number.`},
	{"advert_int", counterpart, `Write advert_interval = "1s", with a unit.`},
	{"vrrp_version", counterpart, `Write version = 2 in the virtual_router; the default is 3.`},
	{"nopreempt", counterpart, `Write preempt = false.`},
	{"unicast_peer", counterpart, `Write peers = ["10.13.0.16"], with the other directors' addresses.`},
	{"unicast_src_ip mcast_src_ip", counterpart, `Write source = "10.13.0.15"; left out, adverts come from the interface's address.`},
	{"virtual_ipaddress", counterpart, `Write addresses = ["10.13.0.200/24"], a list.`},
	{"virtual_routes", counterpart, `Write route "10.9.0.0/16" { via = "10.13.0.1" }, one block for each route.`},
	{"virtual_rules", counterpart, `Write rule { from, table, priority }, one block for each rule.`},
	{"ipproto", counterpart, `Write protocol = "tcp" in the rule block.`},
	{"sport", counterpart, `Write source_port = "1024-65534" in the rule block.`},
	{"dport", counterpart, `Write destination_port = "443" in the rule block.`},
	{"suppress_prefixlength suppress_prefixlen", counterpart, `Write suppress_prefix_length = 0 in the rule block, with that number.`},
	{"advmss", counterpart, `Write advertised_mss = 1360 in the route block, with that number.`},
	{"nexthop", never, `A route of lvsd has one next hop, and is known by its destination, table and metric: write one route with another metric for each next hop, of which the kernel takes the first one that is there; to share the load among them is a routing daemon's work.`},
	{"encap", never, `Make the tunnel an interface of the system, and write interface = "gre1" in the route block.`},
	{"cwnd initcwnd initrwnd ssthresh reordering quickack congctl rtt rttvar rto_min fastopen_no_cookie features realm realms", never,
		`A director forwards, and its own TCP is tuned for the whole machine (sysctl): a route has mtu = 1400 and advertised_mss = 1360.`},
	{"tos dsfield", never, `Kernels differ in which values a rule matches: mark the packets in your own firewall (nftables: ip dscp), and write firewall_mark = 7 in the rule block.`},
	{"uidrange suppress_ifgroup", never, `Mark the packets in your own firewall (nftables: meta skuid), and write firewall_mark = 7 in the rule block.`},
	{"goto", never, `It leads to whatever rule has that priority, which may be somebody else's: write a rule with a table for each case, in the order of priority.`},
	{"home", never, `It marks the home address of a mobile node (RFC 6275), which a director is not.`},
	{"no_virtual_ipaddress", counterpart, `Write addresses = [], and what else moves.`},
	{"brd", counterpart, `Write address "10.13.0.200/24" { broadcast = "10.13.0.255" }, a block for an address with more than itself.`},
	{"preferred_lft", counterpart, `Write preferred = true in the address's block; false is the default.`},
	{"virtual_ipaddress_excluded", counterpart, `Write extra_address "192.168.1.254/24" {}, one block for each address that is not advertised.`},
	{"track_interface", counterpart, `Write track "interface" "eth1" { weight = -20 }, one block for each interface; without a weight, the director is not Master while it is down.`},
	{"interface_up_down_delays", counterpart, `Write down_after and up_after in the track block of the interface.`},
	{"vrrp_sync_group", counterpart, `Write sync_group "nat" { routers = ["outside", "inside"] } or, if adverts on one of the networks suffice, one virtual_router with the other addresses as extra_address blocks.`},
	{"global_tracking", counterpart, `Remove it: what one router of a sync_group tracks counts for all of them.`},
	{"sync_group_tracking_weight", counterpart, `Remove it: each track has its own weight, and it counts for all routers of a sync_group.`},
	{"state", counterpart, `Remove it: the priority alone determines who is Master.`},
	{"strict_mode vrrp_strict", counterpart, `Remove it: lvsd always keeps to the RFC, and accept = false drops what keepalived drops then.`},
	{"noaccept no_accept", counterpart, `Write accept = false.`},
	{"dont_track_primary", counterpart, `Write carrier = "ignore" in the virtual_router, if it is a cable straight to the other director.`},
	{"vrrp_delay_after_boot vrrp_startup_delay", counterpart, `Write link_up_delay = "30s" in the virtual_router, with that time.`},
	{"auth_pass", counterpart, `Write authentication { password = "1111" } with version = 2, with the first 8 bytes of what keepalived has. Everybody on the network can read it.`},
	{"auth_type", counterpart, `Remove it: for PASS, write authentication { password = "1111" } with version = 2. There is no AH, because RFC 3768 removed it and it stops at the first address translation.`},
	{"auth_hmac", counterpart, `Write authentication { signer = 1 } with a key "1" { file = "/etc/lvsd/vrrp.key" } in it, one for each key line: what follows there, hex: included, is the text of that file.`},
	{"active_key", counterpart, `Write signer = 1 in the authentication block, with that number.`},
	{"anti_replay", counterpart, `Write replay = "time" in the authentication block, or replay = "order" for monotonic.`},
	{"time_window", counterpart, `Write window = "5s" in the authentication block, with a unit.`},
	{"garp_master_repeat garp_master_refresh_repeat vrrp_garp_master_repeat vrrp_garp_master_refresh_repeat", counterpart, `Write announce { repeat = 5 }, with that number; 1 is the default.`},
	{"garp_master_refresh vrrp_garp_master_refresh", counterpart, `Write announce { refresh = "60s" }, with a unit.`},
	{"garp_interval gna_interval garp_group vrrp_garp_interval vrrp_gna_interval", counterpart, `Write announce { interval = "10ms" }, with a unit, in each virtual_router.`},
	{"garp_extra_if vmac_garp_intvl vrrp_vmac_garp_intvl vrrp_garp_extra_if", counterpart, `Write announce { interfaces = ["eth2"], refresh = "60s" }.`},
	{`garp_master_delay garp_lower_prio_delay garp_lower_prio_repeat vrrp_garp_lower_prio_delay
		vrrp_garp_lower_prio_repeat vrrp_min_garp vrrp_garp_master_delay`,
		counterpart, `Remove it: a new Master announces its addresses at once, after 100ms and after 5s, and one that meets another Master at once, and at most once a second.`},
	{"notify_master notify_backup notify_fault notify_stop notify_deleted", counterpart,
		`Write on "master" { run = ["/etc/lvsd/hooks/notify"] }, or with "backup", "fault" or "stop"; what the program is told is in its environment.`},
	{"notify", counterpart, `Write on "any" { run = ["/etc/lvsd/hooks/notify"] }; what keepalived gives as arguments is in the program's environment (LVSD_ROUTER, LVSD_STATE, LVSD_PRIORITY).`},
	{"script_user", counterpart, `Write user = "nobody" in each block that runs a program.`},
	{"enable_script_security", counterpart, `Remove it: lvsd never starts a program that others than root and its own user can change.`},
	{"notify_master_rx_lower_pri", never, `A Master that hears a worse one announces its addresses again and answers at once; that is an event (other-master), a finding and a metric to alert on.`},
	{"notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script", counterpart,
		`Write stream "all" { run = ["/etc/lvsd/hooks/collect"] } at the top level of a file: the program reads a JSON object a line from its standard input, and there is no FIFO to be made.`},
	{"notify_priority_changes vrrp_notify_priority_changes", counterpart, `Remove it: the program of a stream block is told of every change of a priority.`},
	{"fifo_write_vrrp_states_on_reload", never, `The program of a stream block is told the present states when it is started, and runs on through a reload.`},
	{`lvs_notify_fifo lvs_notify_fifo_script
		set_supplementary_groups`,
		notYet, `The log and the metrics report every change.`},
	{"notify_up notify_down", counterpart, `Write on "up" { run = ["/etc/lvsd/hooks/server"] } in the real_server, or with "down"; in the virtual_service it is for all its servers.`},
	{"quorum_up quorum_down", counterpart, `Write on "quorum_reached" { run = ["/etc/lvsd/hooks/quorum"] } in the virtual_service, or with "quorum_lost".`},
	{"rs_init_notifies", counterpart, `Write at_start = true in the block on "up".`},
	{"track_file vrrp_track_file init_file", counterpart, `Write track "file" "load" { … } with path = "/run/load", number = true and weight = 1; while the file is missing, it counts as 0.`},
	{"track_process vrrp_track_process process full_command param_match", counterpart, `Write track "process" "haproxy" { … }, with arguments where the name alone does not tell it.`},
	{"terminate_delay", counterpart, `Write up_after and down_after in the block of the condition.`},
	{"process_monitor_rcv_bufs process_monitor_rcv_bufs_force", never, `Where events of processes were lost, all processes are listed again.`},
	{"vrrp_script track_script script", counterpart, `Write track "exec" "gateway" { run = ["/etc/lvsd/programs/gateway", "argument"] }, a list and no shell; or condition "exec" at the top level of a file, for several virtual routers.`},
	{"init_fail", counterpart, `Write initial = "unmet" in the block of the condition.`},
	{`bfd neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multihop multiplier
		max_hops hoplimit
		track_bfd bfd_instance`,
		notYet, `What can be tracked are interfaces, addresses that answer to ping, virtual services, files, processes, and what programs say.`},
	{"down_timer_adverts vrrp_down_timer_adverts", counterpart, `Write missed_adverts = 3 in the virtual_router, with that number.`},
	{"check_unicast_src vrrp_check_unicast_src", counterpart, `Remove it: with peers, only their adverts are accepted.`},
	{"unicast_ttl", counterpart, `Write ttl = 255, with that number, where there are peers.`},
	{"vrrp_mcast_group4 vrrp_mcast_group6 mcast_dst_ip", counterpart, `Write multicast_group = "224.0.0.18" in the virtual_router, with that address.`},
	{"static_ipaddress", counterpart, `Write address "10.13.0.15/24" { interface = "eth1" } in a block static, at the top level of a file.`},
	{"static_routes", counterpart, `Write route "10.9.0.0/16" { via = "10.13.0.1" } in a block static, at the top level of a file.`},
	{"static_rules", counterpart, `Write a block rule with priority = 100 and table = 100 in a block static, at the top level of a file.`},
	{"track_group static_track_group", never, `What is static never moves; what a director must have to be Master is in its virtual_router.`},
	{"use_vmac", counterpart, `Write virtual_mac {} in the virtual_router, and in it device = "vrrp.51" for a name of its own.`},
	{"vmac_xmit_base", counterpart, `Write virtual_mac { adverts_from_interface = true }.`},
	{"vmac_prefix", counterpart, `Write device = "vrrp.51" in the virtual_mac block, the whole name.`},
	{"use_vmac_addr vmac_addr_prefix use_ipvlan", never, `Write virtual_mac {} in a virtual_router of its own.`},
	{"disable_local_igmp", counterpart, `Remove it: the device of a virtual MAC is down on a Backup, and says nothing.`},
	{"vrf", counterpart, `Remove it: the interface's own VRF counts.`},
	{"promote_secondaries", counterpart, `Remove it: lvsd sets it where it is needed.`},
	{"lvs_sync_daemon lvs_sync_daemon_interface", counterpart, `Write connection_sync { router = "outside" interface = "eth1" } in the director block.`},
	{"lvs_timeouts", counterpart, `Write tcp_timeout, tcp_fin_timeout and udp_timeout in an ipvs block of the director block.`},
	{"lvs_flush", counterpart, `Remove it: lvsd corrects the table that it finds. exclusive_table = true deletes what is not in the configuration.`},
	{"lvs_flush_onstop lvs_flush_on_stop", counterpart, `Write keep_table = false in the director block.`},
	{`lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
		lvs_netlink_monitor_rcv_bufs_force`, never, `lvsd reads the table service by service, and has buffers for that.`},
	{`smtp_alert vrrp_smtp_alert checker_smtp_alert smtp_alert_vrrp smtp_alert_checker notification_email
		notification_email_from smtp_server smtp_connect_timeout smtp_helo_name email_faults no_email_faults
		no_checker_emails`,
		notYet, `Alert on the metrics or on the log.`},
	{"vrrp_cpu_affinity", counterpart, `Write keeper_processors = "3" in the director block, with these numbers.`},
	{"bfd_cpu_affinity checker_cpu_affinity", never, `The checks run wherever there is time; keeper_processors = "3" in the director block is for the adverts.`},
	{"linkbeat_interfaces linkbeat_use_polling", never, `The kernel reports at once that a link is down.`},
	{"AH", never, `RFC 3768 removed it, and it ends at the first address translation: write authentication { signer = 1 } with a key "1" { file = "/etc/lvsd/vrrp.key" } in it.`},
	{"higher_prio_send_advert lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_lower_prio_no_advert", never,
		`RFC 9568 says who answers: a Master a worse advert, at once, and nobody a better one.`},
	{"skip_check_adv_addr vrrp_skip_check_adv_addr", never, `Adverts with other addresses are accepted, counted and reported.`},
	{"old_unicast_checksum v3_checksum_as_v2", never, `Both forms of the checksum are accepted, and the one that was heard last is sent.`},
	{"owner_ignore_adverts vrrp_owner_ignore_adverts", never, `Of two owners of an address, the one with the higher address of its own stays, and both report it.`},
	{"track_src_ip unicast_fault_no_peer", never, `A director without an address to send from is never Master, and peers must name somebody.`},
	{"thread_timer_expired timer_expired_backup", never, `A Master that has stalled listens before it goes on, and steps back if another one has taken over.`},
	{`vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy kernel_rx_buf_size vrrp_netlink_cmd_rcv_bufs
		vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force`,
		never, `The kernel lets only adverts of these virtual routers through, and everything is listed again when events were lost.`},
	{"native_ipv6 preempt_delay_sec", never, `keepalived itself has given it up.`},
	{`vrrp_priority checker_priority vrrp_rt_priority checker_rt_priority vrrp_no_swap checker_no_swap
		vrrp_rlimit_rttime bfd_priority bfd_no_swap bfd_rt_priority bfd_rlimit_rtime bfd_rlimit_rttime
		vrrp_rlimit_rtime checker_rlimit_rtime checker_rlimit_rttime`,
		never, `Adverts are always sent by a process of its own, with real-time priority and locked memory; the checks never have either.`},
	{"vrrp_process_name checker_process_name process_names process_name lvs_process_name bfd_process_name", never,
		`The process that sends the adverts is called lvsd-keeper, and the others are called lvsd.`},
}

var keepalivedIPVS = []foreignWords{
	{"virtual_server", counterpart, `Write virtual_service "web" { … } with address and port as arguments.`},
	{"virtual_server_group", counterpart, `Write addresses = ["10.13.0.200", "10.13.0.210-10.13.0.219"] and ports = [80, 443] in the virtual_service, lists that may have ranges; or firewall_mark = 7. For pairs of addresses and ports that are not all combinations of these, write several blocks.`},
	{"fwmark", counterpart, `Write firewall_mark = 7, with that number.`},
	{"ip_family", counterpart, `Write family = "ipv6".`},
	{"lb_algo lvs_sched", counterpart, `Write scheduler = "wlc", with the same name.`},
	{"lb_kind lvs_method", counterpart, `Write forward = "nat" (or "direct", "tunnel").`},
	{"mh-port mh-fallback sh-port sh-fallback mh_port mh_fallback sh_port sh_fallback flag-1 flag-2 flag-3", counterpart, `Write scheduler_flags = ["fallback"], a list.`},
	{"ops", counterpart, `Write one_packet = true.`},
	{"persistence_timeout", counterpart, `Write persistence { timeout = "300s" }.`},
	{"persistence_granularity", counterpart, `Write netmask = "255.255.255.0" in the persistence block.`},
	{"persistence_engine", counterpart, `Write engine = "sip" in the persistence block.`},
	{"sorry_server sorry_server_lvs_method", counterpart, `Write a fallback block with address and port.`},
	{"sorry_server_inhibit", counterpart, `Write a check block in the fallback block: it stays in the table then, with weight 0 while it is not needed or is down.`},
	{"uthreshold", counterpart, `Write upper_threshold = 100, with that number.`},
	{"lthreshold", counterpart, `Write lower_threshold = 80, with that number.`},
	{"HTTP_GET", counterpart, `Write check "http" { … }.`},
	{"SSL_GET", counterpart, `Write check "https" { … }; it verifies the certificate, unless tls { verify = false } is in it.`},
	{"TCP_CHECK", counterpart, `Write check "tcp" {}.`},
	{"PING_CHECK", counterpart, `Write check "ping" {}.`},
	{`BFD_CHECK
		max_reply_length min_reply_length`,
		notYet, `The kinds of checks that there are stand in lvsd.hcl(5).`},
	{"SMTP_CHECK", counterpart, `Write check "smtp" {}.`},
	{"helo_name", counterpart, `Write name = "lvs1.example.org" in the check block.`},
	{"DNS_CHECK", counterpart, `Write check "dns" { name = "example.org" }.`},
	{"UDP_CHECK", counterpart, `Write check "udp" { … }.`},
	{"require_reply", counterpart, `Write reply = true in the check block, or expect { pattern = "…" }.`},
	{"delay_loop", counterpart, `Write interval = "2s" in the check block.`},
	{"connect_timeout", counterpart, `Write timeout = "1s" in the check block.`},
	{"connect_port", counterpart, `Write port = 80 in the check block.`},
	{"retry nb_get_retry", counterpart, `Write fall = 3 in the check block: the number of probes in a row that must fail.`},
	{"delay_before_retry", counterpart, `Write fast_interval = "3s" in the check block: the time between two probes while failures are counted.`},
	{"warmup", counterpart, `Remove it: the first probes are spread over the interval by themselves.`},
	{"url", counterpart, `Write path = "/" in the check block, and status in its expect block.`},
	{"status_code", counterpart, `Write status = [200] in the expect block.`},
	{"digest", counterpart, `Write md5 = "…" in the expect block, with the same digits; or body = "expression", which also survives a change elsewhere in the page.`},
	{"hashed", counterpart, `Remove it: lvsd check names the digest that came, where it is not the one in the expect block.`},
	{"regex_no_match", counterpart, `Write not = "expression" in the expect block, in place of body.`},
	{"regex regex_options regex_min_offset regex_max_offset regex_stack", counterpart, `Write body = "expression" in the expect block.`},
	{"virtualhost http_protocol", counterpart, `Write host = "www.example.org" in the check block.`},
	{"enable_sni sni_name", counterpart, `Write server_name = "www.example.org" in the tls block; by default it is the check's host.`},
	{"fast_recovery", counterpart, `Write fast_interval = "3s" in the check block: it is for a server that comes back, too.`},
	{"connect_ip", counterpart, `Write address = "192.168.1.9" in the check block.`},
	{"bindto", counterpart, `Write via { source = "10.13.0.15" } in the check block.`},
	{"bind_port", counterpart, `Write via { source_ports = "40000" } in the check block, or a range of them.`},
	{"bind_if", counterpart, `Write via { interface = "eth1" } in the check block.`},
	{"alpha", counterpart, `Remove it: a server gets connections once its checks have passed, unless initial = "up".`},
	{"omega", counterpart, `Write at_stop = true in the blocks on "down" and "quorum_lost".`},
	{"quorum", counterpart, `Write min_healthy = "weight 2": keepalived's quorum is a sum of weights. With fewer, the fallback serves.`},
	{"hysteresis", counterpart, `Write recover_healthy = "weight 3", which is keepalived's quorum + hysteresis, beside min_healthy = "weight 1", which is quorum - hysteresis.`},
	{"quorum_max", notYet, ``},
	{"MISC_CHECK misc_path", counterpart, `Write check "exec" { run = ["/etc/lvsd/programs/check", "argument"] }, a list and no shell; its environment names the server.`},
	{"misc_timeout", counterpart, `Write timeout = "3s" in the block of the check.`},
	{"misc_dynamic", counterpart, `Write status_weight = true in the block of the check.`},
	{"FILE_CHECK", counterpart, `Write check "file" { path = "/run/weight" }, with weight = "absolute" if the file holds the server's weight.`},
	{"inhibit_on_failure", counterpart, `Write on_failure = "drain" in the virtual_service or the real_server.`},
	{"snmp_name virtualhost_name", never, `lvsd has metrics for Prometheus, by the names of the blocks.`},
}

var keepalivedGlobal = []foreignWords{
	{"global_defs", counterpart, `Remove it: the director block has the settings of the daemon as a whole.`},
	{"router_id", counterpart, `Remove it: the name of this director is its host name, or --node.`},
	{"include include_check", counterpart, `Remove it: all *.hcl files of the directory are read together.`},
	{"net_namespace net_namespace_ipvs namespace_with_ipsets use_pid_dir", never, `Start lvsd in that network namespace.`},
	{`enable_snmp_keepalived enable_snmp_vrrp enable_snmp_checker enable_snmp_rfc enable_snmp_rfcv2
		enable_snmp_rfcv3 enable_traps snmp_socket enable_snmp snmp_server
		snmp_rs_stats_update_interval snmp_vs_stats_update_interval`,
		never, `An agent would read requests from the network where the adverts are kept: set http in the director block, which has metrics for Prometheus and can be bridged to SNMP, or read lvsd status -o json.`},
	{"enable_dbus dbus_service_name dbus_no_interface_name", never,
		`A bus is one more daemon that must run: the commands lvsd status, vrrp, failover, standby and reload go by a socket of lvsd's own, and stream "all" { run = ["/etc/lvsd/hooks/collect"] } tells of every change.`},
	{"json_version json_dump_file state_dump_file stats_dump_file", never,
		`Nothing is written into files: lvsd status -o json and lvsd vrrp -o json print what they would have.`},
	{"dynamic_interfaces", counterpart, `Remove it: an interface may always appear later.`},
	{"default_interface", never, `Every virtual_router names its interface.`},
	{"vrrp_iptables vrrp_ipsets", never,
		`iptables has no transactions: accept = false has a table of nftables of lvsd's own, and all other rules stay yours.`},
	{"nftables nftables_counters nftables_ifindex nftables_priority", never,
		`The one table that lvsd has in nftables, for accept = false, has a fixed name and the one priority at which IPVS still works.`},
	{"nftables_ipvs", counterpart, `Write marked = true in the virtual_service: lvsd has a table of nftables of its own for all its addresses and ports, inet lvsd-services.`},
	{"nftables_ipvs_start_fwmark", counterpart, `Write marks = "1000-1999" in the director block, a range of firewall marks.`},
	{"nftables_ipvs_priority", never, `Packets are marked after connection tracking and before routing, which is the one priority that is needed.`},
	{`log_all_failures child_wait_time config_save_dir fork_delay iproute_etc_dir iproute_usr_dir reload_repeat
		shutdown_script_timeout startup_script_timeout use_symlink_paths tls_compliant checker_log_all_failures
		log_unknown_vrids umask random_seed max_auto_priority min_auto_priority_delay reload_check_config reload_file
		reload_time_file startup_script shutdown_script data_use_instance tmp_config_directory keep_script_fds`,
		never, `It concerns how keepalived itself runs.`},
	{"SSL certificate", counterpart, `Write tls { client { … } } in the check block, for the certificate by which the check shows who it is; ca_file in the tls block says what the servers' certificates are verified with.`},
}

// ldirectordService is a line that begins a service of ldirectord.
var ldirectordService = text.Pattern(`^virtual6?[ \t]*=[ \t]*[^"\s]`)

var ldirectord = program{
	name:   "ldirectord",
	is:     func(_, _ string, text []byte) bool { return ldirectordService().Match(text) },
	advice: "each \"virtual =\" becomes a virtual_service, and each \"real =\" a real_server in it; the addresses that Heartbeat moved become those of a virtual_router.",
	words: []foreignWords{
		{"virtual virtual6", counterpart, `Write virtual_service "web" { … } with address and port as arguments.`},
		{"real real6", counterpart, `Write real_server "192.168.1.4" { weight = 1 }.`},
		{"checktype", counterpart, `Write check "tcp" {} for connect, check "http" {} for negotiate, check "ping" {} or check "none" {}.`},
		{"checkport", counterpart, `Write port = 80 in the check block.`},
		{"checkinterval negotiateinterval", counterpart, `Write interval = "2s" in the check block, or for all services in check "*" { … } inside a block defaults.`},
		{"checktimeout negotiatetimeout", counterpart, `Write timeout = "1s" in the check block, or for all services in check "*" { … } inside a block defaults.`},
		{"checkcount failurecount", counterpart, `Write fall = 3 in the check block, or for all services in check "*" { … } inside a block defaults: the number of probes in a row that must fail.`},
		{"request", counterpart, `Write path = "/" in the check block.`},
		{"receive", counterpart, `Write body = "expression" in the expect block.`},
		{"virtualhost", counterpart, `Write host = "www.example.org" in the check block.`},
		{"httpmethod", counterpart, `Write method = "HEAD" in the check block.`},
		{"persistent", counterpart, `Write persistence { timeout = "300s" }.`},
		{"quiescent readdquiescent", counterpart, `Write on_failure = "drain" in the virtual_service; otherwise, a server that is down is removed from the table.`},
		{"checkcommand external external-perl", counterpart, `Write check "exec" { run = ["/etc/lvsd/programs/check"] }, a list and no shell; its environment names the server.`},
		{"login", counterpart, `Write user = "probe" in the check block.`},
		{"passwd", counterpart, `Write password_file = "/etc/lvsd/check.password" in the check block: the password is in that file.`},
		{"secret", counterpart, `Write secret_file = "/etc/lvsd/radius.secret" in the block of check "radius": the secret is in that file.`},
		{"load", never, `ldirectord reads it and makes no use of it.`},
		{"emailalert emailalertfrom emailalertfreq emailalertstatus smtp", notYet, `Alert on the metrics or on the log.`},
		{"fallbackcommand", counterpart, `Write on "quorum_lost" { run = ["/etc/lvsd/hooks/fallback"] } in the virtual_service, and the same with "quorum_reached".`},
		{"autoreload", never, `Run lvsd validate and systemctl reload lvsd after a change, so that no file is read half written.`},
		{"callback", never, `Copy the files by what you deploy with, and run lvsd validate on both directors before systemctl reload lvsd.`},
		{"execute", never, `All *.hcl files of the directory are read together by one daemon.`},
		{"monitorfile", never, `Every change is in the log and in the metrics.`},
		{"logfile supervised fork", never, `systemd runs lvsd and keeps its log; each server is checked on its own.`},
		{"cleanstop", counterpart, `Write keep_table = true or keep_table = false in the director block.`},
		{"maintenancedir", never, `Write check "file" { path = "/etc/lvsd/maintenance/web1", absent = true } in the real_server, which that file then takes out, or give it weight = 0.`},
		{"ops", counterpart, `Write one_packet = true.`},
	},
}

// heartbeatWords begin lines of Heartbeat's ha.cf.
var heartbeatWords = []string{"keepalive", "deadtime", "warntime", "initdead", "udpport", "bcast", "mcast", "ucast", "auto_failback", "logfacility", "debugfile", "respawn", "stonith_host", "crm", "baud", "ping_group"}

var heartbeat = program{
	name: "Heartbeat",
	is: func(kind, _ string, text []byte) bool {
		return slices.Contains(heartbeatWords, kind) && heartbeatLine().Match(text)
	},
	advice: "the nodes become a virtual_router with an id and a priority for each of them, and advert_interval is about a quarter of deadtime.",
	words: []foreignWords{
		{"keepalive", counterpart, `Write advert_interval = "1s" in the virtual_router.`},
		{"deadtime", counterpart, `Write missed_adverts = 10 in the virtual_router: a Master counts as dead after as many times advert_interval.`},
		{"initdead", counterpart, `Write link_up_delay = "30s" in the virtual_router.`},
		{"auto_failback nice_failback", counterpart, `Write preempt = true in the virtual_router, or preempt = false.`},
		{"udp bcast mcast mcast6", counterpart, `Write interface = "eth0" in the virtual_router, on which adverts are multicast.`},
		{"ucast ucast6", counterpart, `Write peers = ["10.13.0.16"] in the virtual_router, with the other directors' addresses.`},
		{"ping_group", counterpart, `Write track "ping" "gateways" { addresses = ["10.13.0.1"], weight = -20 } in the virtual_router.`},
		{"deadping", counterpart, `Write fall = 10 in the block track "ping": the number of probes in a row that must fail.`},
		{"stonith stonith_host", counterpart, `Write on "master" { run = ["/etc/lvsd/hooks/power-off"], before = true } in the virtual_router, with a program for the power switch.`},
		{"warntime", never, `A late advert is always counted and told.`},
		{"hopfudge udpport baud", never, `VRRP has no ports, and its adverts stay on one network.`},
		{"hbaping", never, `Write track "exec" with a program, which asks what it likes.`},
		{"respawn", never, `Write a unit of systemd with Restart=always.`},
		{"logfacility logfile debugfile use_logd conn_logd_time syslogmsgfmt log_badpack", never, `systemd keeps the log.`},
		{"apiauth", never, `Who may ask lvsd, the mode of its socket says.`},
		{"compression compression_threshold traditional_compression msgfmt", never, `Adverts are small, and have the form that VRRP gives them.`},
		{"realtime rtprio", never, `The process that sends adverts always has real-time priority.`},
		{"hbgenmethod uuidfrom", never, `Directors know each other by their addresses; replay in the block authentication says how an old advert is recognized.`},
		{"autojoin", never, `Whoever sends adverts of the virtual router takes part; keys in its block authentication keep others out.`},
		{"crm pacemaker", never, `What moves is in Pacemaker's configuration then: write it as virtual_router blocks.`},
		{"quorum_server", never, `VRRP needs no quorum.`},
		{`coredumps coreroot memreserve max_rexmit_delay use_apphbd crm_daemon_dir crmd_spawns_pengine record_config_changes
			record_pengine_inputs enable_config_writes`, never, `It concerns how Heartbeat itself runs.`},
	},
}

// heartbeatLine is a word with values, and neither a sign nor a brace.
var heartbeatLine = text.Pattern(`^\w+[ \t]+[^={\s][^={]*$`)

// resource is a line of Heartbeat's haresources: a node with an address, or with the
// script of a resource and its arguments.
var resource = text.Pattern(`^[\w.-]+[ \t]+(?:\d+\.\d+\.\d+\.\d+(?:/\S*)?(?:[ \t][^={]*)?$|[^={]*\w::|[^={]*(?:IPaddr2?|IPv6addr|ldirectord|LVSSyncDaemonSwap|MailTo|drbddisk)[ \t]*$)`)

var haresources = program{
	name: "Heartbeat",
	is: func(_, _ string, text []byte) bool {
		return resource().Match(text)
	},
	advice: "each IPaddr becomes an address of a virtual_router, in which the node at the start of the line has the higher priority: priority = { lvs1 = 150, lvs2 = 100 }[node.name].",
}

var authkeys = program{
	name: "Heartbeat",
	is: func(kind, _ string, text []byte) bool {
		return kind == "auth" && heartbeatLine().Match(text)
	},
	advice: "instead of authkeys, each key becomes a file of its own, and a block key in the block authentication of a virtual_router.",
}
