package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
)

// A reloadedOption is what a reload changes an option from and to, among the
// contents of its block and others that it needs.
type reloadedOption struct {
	from, to string
	also     []string // lines of the virtual_service, in place of those below
}

// reloadedOptions has, for every option of every block but virtual_router, what a
// reload changes it to. An option that is not here fails the test.
var reloadedOptions = map[string]reloadedOption{
	"director/start_delay":         {"", `start_delay = "5s"`, nil},
	"director/probes_in_flight":    {"", `probes_in_flight = 7`, nil},
	"director/probes_per_second":   {"", `probes_per_second = 7`, nil},
	"director/isolation":           {"", `isolation = false`, nil},
	"director/certificate_days":    {"", `certificate_days = 7`, nil},
	"director/exclusive_table":     {"", `exclusive_table = true`, nil},
	"director/keep_table":          {"", `keep_table = false`, nil},
	"director/marks":               {"", `marks = "1000-1999"`, []string{"marked = true"}},
	"director/log_level":           {"", `log_level = "debug"`, nil},
	"director/http/server_metrics": {`listen = ":9112"`, "listen = \":9112\"\nserver_metrics = true", nil},
	"director/http/listen":         {`listen = ":9112"`, `listen = "127.0.0.1:9113"`, nil},

	"director/keeper_processors": {"", `keeper_processors = "1"`, nil},
	"director/watchdog/device":   {`device = "/dev/watchdog"`, `device = "/dev/watchdog1"`, nil},
	"director/watchdog/timeout":  {`device = "/dev/watchdog"`, "device = \"/dev/watchdog\"\ntimeout = \"20s\"", nil},

	"director/ipvs/tcp_timeout":               {"", `tcp_timeout = "10m"`, nil},
	"director/ipvs/tcp_fin_timeout":           {"", `tcp_fin_timeout = "1m"`, nil},
	"director/ipvs/udp_timeout":               {"", `udp_timeout = "1m"`, nil},
	"director/ipvs/expire_nodest_conn":        {"", `expire_nodest_conn = true`, nil},
	"director/ipvs/expire_quiescent_template": {"", `expire_quiescent_template = true`, nil},
	"director/ipvs/conn_reuse_mode":           {"", `conn_reuse_mode = 0`, nil},
	"director/ipvs/conntrack":                 {"", `conntrack = true`, nil},
	"director/ipvs/snat_reroute":              {"", `snat_reroute = false`, nil},
	"director/ipvs/nat_icmp_send":             {"", `nat_icmp_send = true`, nil},
	"director/ipvs/pmtu_disc":                 {"", `pmtu_disc = false`, nil},
	"director/ipvs/schedule_icmp":             {"", `schedule_icmp = true`, nil},
	"director/ipvs/sloppy_tcp":                {"", `sloppy_tcp = true`, nil},
	"director/ipvs/sloppy_sctp":               {"", `sloppy_sctp = true`, nil},
	"director/ipvs/ignore_tunneled":           {"", `ignore_tunneled = true`, nil},
	"director/ipvs/cache_bypass":              {"", `cache_bypass = true`, nil},
	"director/ipvs/backup_only":               {"", `backup_only = true`, nil},
	"director/ipvs/drop_entry":                {"", `drop_entry = 1`, nil},
	"director/ipvs/drop_packet":               {"", `drop_packet = 1`, nil},
	"director/ipvs/secure_tcp":                {"", `secure_tcp = 1`, nil},
	"director/ipvs/amemthresh":                {"", `amemthresh = 2048`, nil},
	"director/ipvs/am_droprate":               {"", `am_droprate = 20`, nil},
	"director/ipvs/run_estimation":            {"", `run_estimation = false`, nil},
	"director/ipvs/est_cpulist":               {"", `est_cpulist = "0-1"`, nil},
	"director/ipvs/est_nice":                  {"", `est_nice = -5`, nil},
	"director/ipvs/sync_threshold":            {"", `sync_threshold = "0 50"`, nil},
	"director/ipvs/sync_refresh_period":       {"", `sync_refresh_period = 10`, nil},
	"director/ipvs/sync_retries":              {"", `sync_retries = 2`, nil},
	"director/ipvs/sync_persist_mode":         {"", `sync_persist_mode = true`, nil},
	"director/ipvs/sync_ports":                {"", `sync_ports = 4`, nil},
	"director/ipvs/sync_qlen_max":             {"", `sync_qlen_max = 1000`, nil},
	"director/ipvs/sync_sock_size":            {"", `sync_sock_size = 65536`, nil},
	"director/ipvs/sync_version":              {"", `sync_version = 0`, nil},

	"director/connection_sync/router":     {"", `router = "inside"`, nil},
	"director/connection_sync/interface":  {"", `interface = "eth2"`, nil},
	"director/connection_sync/id":         {"", `id = 7`, nil},
	"director/connection_sync/group":      {"", `group = "224.0.0.82"`, nil},
	"director/connection_sync/port":       {"", `port = 8850`, nil},
	"director/connection_sync/ttl":        {"", `ttl = 2`, nil},
	"director/connection_sync/refresh":    {"", `refresh = "30s"`, nil},
	"director/connection_sync/rate":       {"", `rate = 5000`, nil},
	"director/connection_sync/max_length": {"", `max_length = 1400`, nil},

	"virtual_service/drain_timeout": {"", `drain_timeout = "1m"`, nil},

	"static/address/interface":  {`interface = "eth1"`, `interface = "eth2"`, nil},
	"static/address/label":      {"", `label = "eth1:a"`, nil},
	"static/address/scope":      {"", `scope = "link"`, nil},
	"static/address/broadcast":  {"", `broadcast = "10.14.0.255"`, nil},
	"static/address/peer":       {"", `peer = "10.14.0.1"`, nil},
	"static/route/type":         {"", "type = \"blackhole\"\nvia", nil},
	"static/route/via":          {"", `via = "10.13.0.2"`, nil},
	"static/route/interface":    {"", `interface = "eth1"`, nil},
	"static/route/source":       {"", `source = "10.14.0.15"`, nil},
	"static/route/metric":       {"", `metric = 7`, nil},
	"static/route/table":        {"", `table = 7`, nil},
	"static/route/scope":        {"", `scope = "site"`, nil},
	"static/route/onlink":       {`interface = "eth1"`, "interface = \"eth1\"\nonlink = true", nil},
	"static/rule/priority":      {"", `priority = 7`, nil},
	"static/rule/table":         {"", `table = 7`, nil},
	"static/rule/from":          {"", `from = "10.14.0.0/16"`, nil},
	"static/rule/to":            {"", `to = "10.14.0.0/16"`, nil},
	"static/rule/iif":           {"", `iif = "eth1"`, nil},
	"static/rule/oif":           {"", `oif = "eth1"`, nil},
	"static/rule/firewall_mark": {"", `firewall_mark = 7`, nil},
	"static/rule/firewall_mask": {`firewall_mark = 7`, "firewall_mark = 7\nfirewall_mask = 15", nil},
	"static/rule/family":        {"", `family = "ipv6"`, nil},

	"static/address/noprefixroute":       {"", `noprefixroute = true`, nil},
	"static/route/mtu":                   {"", `mtu = 1400`, nil},
	"static/route/advertised_mss":        {"", `advertised_mss = 1360`, nil},
	"static/route/hop_limit":             {"", `hop_limit = 32`, nil},
	"static/route/window":                {"", `window = 65535`, nil},
	"static/rule/protocol":               {"", `protocol = "tcp"`, nil},
	"static/rule/source_port":            {"", `source_port = "1024-65534"`, nil},
	"static/rule/destination_port":       {`destination_port = "80"`, `destination_port = "443"`, nil},
	"static/rule/suppress_prefix_length": {"", `suppress_prefix_length = 0`, nil},

	"virtual_service/address":         {`address = "10.13.0.200"`, `address = "10.13.0.201"`, nil},
	"virtual_service/port":            {`port = 80`, `port = 88`, nil},
	"virtual_service/protocol":        {``, `protocol = "udp"`, nil},
	"virtual_service/addresses":       {`addresses = ["10.13.0.200"]`, `addresses = ["10.13.0.200-10.13.0.203"]`, []string{"address"}},
	"virtual_service/ports":           {`ports = [80]`, `ports = [80, 443]`, []string{"port"}},
	"virtual_service/protocols":       {`protocols = ["tcp"]`, `protocols = ["tcp", "udp"]`, nil},
	"virtual_service/marked":          {``, `marked = true`, nil},
	"virtual_service/source_nat":      {``, `source_nat = "masquerade"`, []string{`forward = "nat"`}},
	"virtual_service/firewall_mark":   {`firewall_mark = 7`, `firewall_mark = 8`, []string{"address", "port", `check "none" {}`}},
	"virtual_service/family":          {`family = "ipv4"`, `family = "ipv6"`, []string{"address", "port", "firewall_mark = 7", `forward = "tunnel"`, `check "none" {}`}},
	"virtual_service/scheduler":       {``, `scheduler = "sh"`, nil},
	"virtual_service/scheduler_flags": {``, `scheduler_flags = ["port"]`, []string{`scheduler = "sh"`}},
	"virtual_service/forward":         {`forward = "nat"`, `forward = "direct"`, nil},
	"virtual_service/one_packet":      {``, `one_packet = true`, []string{`protocol = "udp"`}},
	"virtual_service/initial":         {``, `initial = "up"`, nil},
	"virtual_service/on_failure":      {``, `on_failure = "drain"`, nil},
	"virtual_service/min_healthy":     {``, `min_healthy = 3`, []string{`fallback { address = "192.168.1.8" }`}},
	"virtual_service/recover_healthy": {`min_healthy = 1`, "min_healthy = 1\nrecover_healthy = 3", []string{`fallback { address = "192.168.1.8" }`}},
	"virtual_service/suspicion":       {``, `suspicion = true`, nil},
	"virtual_service/manual_resume":   {``, `manual_resume = true`, nil},
	"virtual_service/up_after":        {``, `up_after = "10s"`, nil},
	"virtual_service/slow_start":      {``, `slow_start = "1m"`, []string{`real_server "192.168.1.4" { weight = 9 }`}},
	"virtual_service/panic_threshold": {``, `panic_threshold = "50%"`, nil},
	"virtual_service/panic_for":       {`panic_threshold = "50%"`, "panic_threshold = \"50%\"\npanic_for = \"5s\"", nil},

	"virtual_service/tunnel/type":         {`type = "ipip"`, `type = "gre"`, []string{`forward = "tunnel"`}},
	"virtual_service/tunnel/port":         {"type = \"gue\"\nport = 5555", "type = \"gue\"\nport = 5556", []string{`forward = "tunnel"`}},
	"virtual_service/tunnel/checksum":     {`type = "gre"`, "type = \"gre\"\nchecksum = \"plain\"", []string{`forward = "tunnel"`}},
	"virtual_service/persistence/timeout": {``, `timeout = "60s"`, nil},
	"virtual_service/persistence/netmask": {``, `netmask = "24"`, nil},
	"virtual_service/persistence/engine":  {``, `engine = "sip"`, []string{`protocol = "udp"`}},

	"virtual_service/real_server/address":         {`address = "192.168.1.4"`, `address = "192.168.1.6"`, nil},
	"virtual_service/real_server/port":            {``, `port = 8080`, nil},
	"virtual_service/real_server/weight":          {``, `weight = 5`, nil},
	"virtual_service/real_server/tier":            {``, `tier = 2`, nil},
	"virtual_service/real_server/upper_threshold": {``, `upper_threshold = 100`, nil},
	"virtual_service/real_server/lower_threshold": {`upper_threshold = 100`, "upper_threshold = 100\nlower_threshold = 10", nil},
	"virtual_service/real_server/forward":         {``, `forward = "direct"`, nil},
	"virtual_service/real_server/initial":         {``, `initial = "up"`, nil},
	"virtual_service/real_server/on_failure":      {``, `on_failure = "drain"`, nil},

	"virtual_service/real_server/tunnel/type":     {`type = "ipip"`, `type = "gre"`, []string{`forward = "tunnel"`}},
	"virtual_service/real_server/tunnel/port":     {"type = \"gue\"\nport = 5555", "type = \"gue\"\nport = 5556", []string{`forward = "tunnel"`}},
	"virtual_service/real_server/tunnel/checksum": {`type = "gre"`, "type = \"gre\"\nchecksum = \"plain\"", []string{`forward = "tunnel"`}},

	"virtual_service/fallback/address":         {`address = "192.168.1.8"`, `address = "192.168.1.9"`, nil},
	"virtual_service/fallback/port":            {`address = "192.168.1.8"`, "address = \"192.168.1.8\"\nport = 8080", nil},
	"virtual_service/fallback/forward":         {`address = "192.168.1.8"`, "address = \"192.168.1.8\"\nforward = \"direct\"", nil},
	"virtual_service/fallback/tunnel/type":     {`type = "ipip"`, `type = "gre"`, []string{`forward = "tunnel"`}},
	"virtual_service/fallback/when_full":       {``, `when_full = true`, nil},
	"virtual_service/fallback/tunnel/port":     {"type = \"gue\"\nport = 5555", "type = \"gue\"\nport = 5556", []string{`forward = "tunnel"`}},
	"virtual_service/fallback/tunnel/checksum": {`type = "gre"`, "type = \"gre\"\nchecksum = \"plain\"", []string{`forward = "tunnel"`}},
}

// reloadedChecks has the same for the options of checks, wherever they are.
var reloadedChecks = map[string]reloadedOption{
	"interval": {``, `interval = "5s"`, nil},
	"timeout":  {``, `timeout = "3s"`, nil},
	"rise":     {``, `rise = 3`, nil},
	"fall":     {``, `fall = 2`, nil},
	"port":     {``, `port = 8081`, nil},
	"address":  {``, `address = "192.168.1.77"`, nil},

	"run":                 {`run = ["/etc/lvsd/programs/a"]`, `run = ["/etc/lvsd/programs/b"]`, nil},
	"kill_children":       {``, `kill_children = true`, nil},
	"check \"exec\"/user": {``, `user = "nobody"`, nil},
	"status_weight":       {``, `status_weight = true`, nil},
	"weight":              {``, `weight = "percent"`, nil},
	"absent":              {``, `absent = true`, nil},
	"required":            {``, `required = true`, nil},

	"unknown_after": {``, `unknown_after = "5s"`, nil},
	"fast_interval": {``, `fast_interval = "100ms"`, nil},
	"down_interval": {``, `down_interval = "30s"`, nil},
	"idle_interval": {``, `idle_interval = "40s"`, nil},

	"method":   {``, `method = "HEAD"`, nil},
	"path":     {``, `path = "/health"`, nil},
	"at_least": {"check \"ping\" { fall = 1 }\ncheck \"tcp\" {}", "check \"ping\" { fall = 1 }\ncheck \"tcp\" {}\nat_least = 2", nil},
	"host":     {``, `host = "www.example.org"`, nil},
	"headers":  {``, `headers = { accept = "text/html" }`, nil},

	"expect/status": {``, `status = [204]`, nil},
	"expect/body":   {``, `body = "ok"`, nil},

	"follow_redirects": {``, `follow_redirects = 1`, nil},
	"version":          {``, `version = "2"`, nil},
	"service":          {``, `service = "orders"`, nil},
	"proxy":            {`host = "a"`, "host = \"a\"\nproxy = true", nil},

	"client/certificate_file":     {``, `certificate_file = "testdata/client.pem"`, nil},
	"client/key_file":             {``, `key_file = "/etc/lvsd/other.key"`, nil},
	"tls/client/certificate_file": {``, `certificate_file = "testdata/client.pem"`, nil},
	"tls/client/key_file":         {``, `key_file = "/etc/lvsd/other.key"`, nil},

	"expect/headers":   {``, `headers = { Via = "a" }`, nil},
	"expect/sha256":    {``, `sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`, nil},
	"expect/md5":       {``, `md5 = "d41d8cd98f00b204e9800998ecf8427e"`, nil},
	"expect/min_bytes": {``, `min_bytes = 1`, nil},
	"expect/max_bytes": {``, `max_bytes = 1`, nil},

	"half_open":      {``, `half_open = false`, nil},
	"send":           {``, `send = "PING"`, nil},
	"quit":           {``, `quit = "QUIT"`, nil},
	"reply":          {``, `reply = true`, nil},
	"expect/text":    {`text = "a"`, `text = "b"`, nil},
	"expect/pattern": {`pattern = "a"`, `pattern = "b"`, nil},
	"expect/not":     {`not = "a"`, `not = "b"`, nil},

	"via/source":        {`source = "10.13.0.11"`, `source = "10.13.0.12"`, nil},
	"via/source_ports":  {``, `source_ports = "40000-40999"`, nil},
	"via/interface":     {``, `interface = "eth1"`, nil},
	"via/firewall_mark": {``, `firewall_mark = 7`, nil},
	"via/ttl":           {``, `ttl = 1`, nil},
	"via/dscp":          {``, `dscp = 46`, nil},

	"via/forwarded":      {`forwarded = false`, `forwarded = true`, []string{`forward = "direct"`}},
	"via/proxy_protocol": {``, `proxy_protocol = "v2"`, nil},
	"file":               {"file = \"a\"\nuser = \"ftp\"", "file = \"b\"\nuser = \"ftp\"", nil},
	"group":              {``, `group = "comp.lang.go"`, nil},
	"uri":                {``, `uri = "sip:example.org"`, nil},
	"from":               {``, `from = "sip:lvsd@example.org"`, nil},
	"expect/stratum":     {``, `stratum = 3`, nil},
	"expect/offset":      {``, `offset = "1s"`, nil},

	"expect/greeting": {``, `greeting = 554`, nil},

	"name":           {``, `name = "example.org"`, nil},
	"type":           {``, `type = "MX"`, nil},
	"transport":      {``, `transport = "tcp"`, nil},
	"expect/code":    {``, `code = "REFUSED"`, nil},
	"expect/answers": {``, `answers = ["a b 1 2 3 4 5"]`, nil},
	"expect/primary": {`primary = "192.0.2.53"`, `primary = "192.0.2.53:5353"`, nil},

	"server_name": {``, `server_name = "www.example.org"`, nil},
	"verify":      {``, `verify = false`, nil},
	"ca_file":     {``, `ca_file = "testdata/ca.pem"`, nil},
	"min_version": {``, `min_version = "1.3"`, nil},

	"user":                {"user = \"a\"\npassword_file = \"/etc/lvsd/p\"", "user = \"b\"\npassword_file = \"/etc/lvsd/p\"", nil},
	"password_file":       {"user = \"a\"\npassword_file = \"/etc/lvsd/p\"", "user = \"a\"\npassword_file = \"/etc/lvsd/q\"", nil},
	"password_credential": {"user = \"a\"\npassword_credential = \"p\"", "user = \"a\"\npassword_credential = \"q\"", nil},
	"database":            {``, `database = "b"`, nil},
	"query":               {``, `query = "SELECT 2"`, nil},
	"base":                {``, `base = "dc=example"`, nil},
	"scope":               {``, `scope = "sub"`, nil},
	"filter":              {``, `filter = "(uid=lvsd)"`, nil},
	"attribute":           {`attribute = "a"`, `attribute = "b"`, nil},
	"tls/starttls":        {``, `starttls = true`, nil},
	"secret_file":         {`secret_file = "/etc/lvsd/p"`, `secret_file = "/etc/lvsd/q"`, nil},
	"secret_credential":   {"secret_file\nsecret_credential = \"p\"", "secret_file\nsecret_credential = \"q\"", nil},
	"answer":              {"user = \"a\"\npassword_file = \"/etc/lvsd/p\"", "user = \"a\"\npassword_file = \"/etc/lvsd/p\"\nanswer = \"any\"", nil},
	"role":                {``, `role = "master"`, nil},

	"tls/min_version": {``, `min_version = "1.3"`, nil},
	"tls/server_name": {``, `server_name = "www.example.org"`, nil},
	"tls/verify":      {``, `verify = false`, nil},
	"tls/ca_file":     {``, `ca_file = "testdata/ca.pem"`, nil},
}

// reloadedCheck returns the row of an option of a check: that of its kind, or of all.
func reloadedCheck(path string) (row reloadedOption, ok bool) {
	if row, ok = reloadedChecks[path]; !ok {
		_, option, _ := strings.Cut(path, "/")
		row, ok = reloadedChecks[option]
	}
	return row, ok
}

// contents are what each block has where nothing else is said of it.
var contents = map[string][]string{
	"connection_sync":  {`router = "outside"`, `interface = "eth1"`},
	"client":           {`certificate_file = "testdata/ca.pem"`, `key_file = "/etc/lvsd/client.key"`},
	"virtual_service":  {`drain_timeout = "0s"`, `address = "10.13.0.200"`, `port = 80`, `forward = "nat"`, `real_server "192.168.1.4" {}`, `real_server "192.168.1.5" {}`},
	"fallback":         {`address = "192.168.1.8"`},
	"address":          {`interface = "eth1"`},
	"route":            {`via = "10.13.0.1"`},
	`check "mysql"`:    {`user = "a"`, `query = "SELECT 1"`},
	`check "ldap"`:     {`attribute = "a"`},
	`check "radius"`:   {`secret_file = "/etc/lvsd/p"`},
	`check "postgres"`: {`user = "a"`, `query = "SELECT 1"`},
	"rule":             {`priority = 100`, `table = 100`},
	`check "exec"`:     {`run = ["/etc/lvsd/programs/a"]`},
	`check "file"`:     {`path = "/run/lvsd/weight"`},
	`check "agent"`:    {`port = 5555`},
}

// sharedBy is what all kinds of checks have by the same lines of tables; for these one
// kind stands for all.
var sharedBy = []string{"interval", "timeout", "rise", "fall", "unknown_after", "fast_interval", "down_interval", "idle_interval", "address", "via/", "tls/", "expect/text", "expect/pattern", "expect/not"}

// stands reports whether an option of a kind of check is tried by reload.
func stands(kind, option string) bool {
	shared := slices.ContainsFunc(sharedBy, func(prefix string) bool { return strings.HasPrefix(option, prefix) })
	return !shared || kind == "tcp" || kind == "https"
}

// A reload that changes one option of a file, and nothing else, leaves the director
// as one that was started so: the table that it wants, the checks that it runs, and
// what it makes of their results.
func TestEveryOptionTakesEffectByReload(t *testing.T) {
	for _, path := range leaves(config.Schema(), "") {
		top, inner, _ := strings.Cut(path, "/")
		row, ok := reloadedOptions[path]
		if i := strings.Index(inner, "check "); i >= 0 {
			kind, option, _ := strings.Cut(inner[i:], "/")
			if !stands(strings.Trim(strings.TrimPrefix(kind, "check "), `"`), option) {
				continue
			}
			row, ok = reloadedCheck(inner[i:])
		}
		switch {
		case strings.Contains(path, "/on/") || inner == "ha_suspend" || inner == "drain_timeout" || top == "virtual_router" || top == "sync_group" || top == "stream" || strings.HasPrefix(top, "condition "): // They have tests of their own.
			continue
		case !ok:
			t.Errorf("option %s has no row in this test", path)
			continue
		}
		t.Run(path, func(t *testing.T) {
			before, after := file(t, path, row.from, row.also), file(t, path, row.to, row.also)
			for _, up := range []bool{false, true} {
				reloaded, started := direct(t, before, after, up), direct(t, after, after, up)
				if strings.Contains(path, "fallback") && !up {
					// What serves stays for as long as the service is undecided.
					reloaded, started = decided(reloaded), decided(started)
				}
				if diff := cmp.Diff(started, reloaded); diff != "" {
					t.Errorf("with servers that are up: %v: it is not as one that was started so (-want +got):\n%s", up, diff)
				}
				over := up && (strings.HasSuffix(path, "initial") || strings.HasSuffix(path, "start_delay"))
				if !over && cmp.Equal(direct(t, before, before, up), reloaded) {
					t.Errorf("with servers that are up: %v: it is as if nothing had been changed, or this test does not show it", up)
				}
			}
		})
	}
}

// decided is what is seen from the first results on.
func decided(seen []string) []string { return seen[slices.Index(seen, "---- result 0 passed"):] }

// leaves are the paths of all arguments of a block and the blocks inside, but for those
// in a block of the same type.
func leaves(s *block.Schema, before string) (all []string) {
	for _, o := range s.Options {
		switch {
		case o.Block == nil:
			all = append(all, before+o.Name)
		case strings.HasPrefix(before[strings.LastIndex("/"+before[:max(0, len(before)-1)], "/"):], o.Name+" "): // a check in a check
		case len(o.Block.Kinds) > 0:
			for _, k := range o.Block.Kinds {
				if before == "defaults/" && k.Name == "any" {
					continue // It has none.
				}
				all = append(all, leaves(k.Schema(), fmt.Sprintf("%s%s %q/", before, o.Name, k.Name))...)
			}
		default:
			all = append(all, leaves(o.Block, before+o.Name+"/")...)
		}
	}
	return all
}
