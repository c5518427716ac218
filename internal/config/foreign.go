package config

import (
	"regexp"
	"slices"
	"strings"
)

// Many users know keepalived's words. The tables have what to write in their
// place; a word that this language has too is not among them.

// foreignNames are the names of arguments and blocks.
var foreignNames = map[string]string{
	"virtual_router_id":       "Write id = 51, with that number.",
	"advert_int":              "Write advert_interval = \"1s\", with a unit.",
	"nopreempt":               "Write preempt = false.",
	"state":                   "Remove it: the priority alone determines who is Master.",
	"authentication":          "Remove it: VRRP's authentication gives no real protection. List the other directors in peers, and let the firewall drop adverts from all others.",
	"unicast_peer":            "Write peers = [\"10.13.0.16\"], with the other directors' addresses.",
	"unicast_src_ip":          "Write source = \"10.13.0.15\"; left out, adverts come from the interface's address.",
	"mcast_src_ip":            "Write source = \"10.13.0.15\"; left out, adverts come from the interface's address.",
	"virtual_ipaddress":       "Write addresses = [\"10.13.0.200/24\"], a list.",
	"track_interface":         "Write track \"interface\" \"eth1\" {}, one block for each interface.",
	"lb_algo":                 "Write scheduler = \"wlc\", with the same name.",
	"lvs_sched":               "Write scheduler = \"wlc\", with the same name.",
	"lb_kind":                 "Write forward = \"nat\" (or \"direct\", \"tunnel\").",
	"lvs_method":              "Write forward = \"nat\" (or \"direct\", \"tunnel\").",
	"sorry_server":            "Write a fallback block with address and port.",
	"delay_loop":              "Write interval = \"2s\" in the check block.",
	"connect_timeout":         "Write timeout = \"1s\" in the check block.",
	"connect_port":            "Write port = 80 in the check block.",
	"persistence_timeout":     "Write persistence { timeout = \"300s\" }.",
	"persistence_granularity": "Write netmask = \"255.255.255.0\" in the persistence block.",
	"vrrp_instance":           "Write virtual_router \"outside\" { … }.",
	"virtual_server":          "Write virtual_service \"web\" { … } with address and port as arguments.",
	"global_defs":             "Remove it: the director block has the settings of the daemon as a whole.",
	"HTTP_GET":                "Write check \"http\" { … }.",
	"SSL_GET":                 "Write check \"https\" { … }.",
	"TCP_CHECK":               "Write check \"tcp\" {}.",
	"PING_CHECK":              "Write check \"ping\" {}.",
}

// foreignValues are values, in lower case.
var foreignValues = map[string]string{
	"dr": "direct", "gate": "direct", "masq": "nat", "tun": "tunnel", "ipip": "tunnel",
	"http_get": "http", "ssl_get": "https", "tcp_check": "tcp", "ping_check": "ping",
}

// keepalivedBlocks begin at the top level of keepalived's files.
var keepalivedBlocks = []string{"global_defs", "vrrp_instance", "vrrp_script", "vrrp_sync_group", "virtual_server", "virtual_server_group"}

// assignment is what every argument of this language has, and none of
// keepalived's.
var assignment = regexp.MustCompile(`(?m)^[ \t]*\w+[ \t]*=`)

// keepalived returns a mistake where an item of a file is in keepalived's format.
func keepalived(kind, head string, text []byte) (summary, detail string) {
	if !slices.Contains(keepalivedBlocks, kind) || strings.Contains(head, `"`) || assignment.Match(text) {
		return "", ""
	}
	return "Configuration of keepalived", "This file is in keepalived's format, and lvsd has its own: a vrrp_instance becomes a virtual_router, a virtual_server a virtual_service. README.md and examples/ show how they are written."
}
