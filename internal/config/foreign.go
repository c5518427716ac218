package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Who comes from keepalived knows its words. The tables say what stands in
// their place; where a word is this language's too, it is not among them.

// foreignNames are the names of arguments and blocks.
var foreignNames = map[string]string{
	"virtual_router_id":       "Write id = 51, with that number.",
	"advert_int":              "Write advert_interval = \"1s\", with a unit.",
	"nopreempt":               "Write preempt = false.",
	"state":                   "Remove it: who is Master follows from priority alone.",
	"authentication":          "Remove it: VRRP has no authentication that protects. List the other directors in peers, and let the firewall drop the adverts of others.",
	"unicast_peer":            "Write peers = [\"10.13.0.16\"], with the other directors' addresses.",
	"unicast_src_ip":          "Write source = \"10.13.0.15\"; left out, adverts come from the interface's address.",
	"mcast_src_ip":            "Write source = \"10.13.0.15\"; left out, adverts come from the interface's address.",
	"virtual_ipaddress":       "Write addresses = [\"10.13.0.200/24\"], a list of texts.",
	"track_interface":         "Write track \"interface\" \"eth1\" {}, a block for each.",
	"lb_algo":                 "Write scheduler = \"wlc\", with the name that stands there.",
	"lvs_sched":               "Write scheduler = \"wlc\", with the name that stands there.",
	"lb_kind":                 "Write forward = \"nat\" (or \"direct\", \"tunnel\").",
	"lvs_method":              "Write forward = \"nat\" (or \"direct\", \"tunnel\").",
	"sorry_server":            "Write a block fallback with address and port.",
	"delay_loop":              "Write interval = \"2s\" in the block check.",
	"connect_timeout":         "Write timeout = \"1s\" in the block check.",
	"connect_port":            "Write port = 80 in the block check.",
	"persistence_timeout":     "Write persistence { timeout = \"300s\" }.",
	"persistence_granularity": "Write netmask = \"255.255.255.0\" in the block persistence.",
	"vrrp_instance":           "Write virtual_router \"outside\" { … }.",
	"virtual_server":          "Write virtual_service \"web\" { … } with address and port as arguments.",
	"global_defs":             "Remove it: the block director holds what concerns the daemon as a whole.",
	"HTTP_GET":                "Write check \"http\" { … }.",
	"SSL_GET":                 "Write check \"https\" { … }.",
	"TCP_CHECK":               "Write check \"tcp\" {}.",
	"PING_CHECK":              "Write check \"ping\" {}.",
}

const keepalivedWord = "This is keepalived's word. "

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

// keepalived says whether a file is in keepalived's format, whose one mistake
// that is.
func (d *decoder) keepalived(f *source) bool {
	for _, c := range f.blocks {
		head := c.header(f.text)
		if !slices.Contains(keepalivedBlocks, c.kind) || strings.Contains(head, `"`) || assignment.Match(f.text[c.start:c.end]) {
			continue
		}
		d.mistake(f.head(c), "Configuration of keepalived", "This file is in keepalived's format, and lvsd has its own: a vrrp_instance becomes a virtual_router, a virtual_server a virtual_service. README.md and examples/ show how they are written.")
		return true
	}
	return false
}

// How lines look that are meant well.
var (
	// bare is an IP address without its quotes: a value, the first item of a
	// list, a label, or alone on its line.
	bare = regexp.MustCompile(`^[ \t]*(?:\w+[ \t]*[ \t=][ \t]*\[?[ \t]*)?((?:\d+\.\d+\.\d+[\d.]*|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*)(?:/\d+)?)`)
	// unassigned is a word and a value, and nothing between them.
	unassigned = regexp.MustCompile(`^[ \t]*(\w+)[ \t]+([^"={}#\s]+)[ \t]*(?:#|$)`)
	// plain is a value that needs no quotes.
	plain = regexp.MustCompile(`^(?:\d+|true|false|null)$|[\[\](]`)
)

// translate explains a mistake in a line's syntax by what the line was meant
// to be: a word of keepalived's, an argument without its sign, an address
// without quotes. It says whether it could.
func translate(f *source, diag *hcl.Diagnostic) bool {
	if diag.Subject == nil {
		return false
	}
	line := f.line(diag.Subject.Start.Byte)
	word := firstWord(line)
	if remedy, foreign := foreignNames[word]; foreign {
		diag.Summary, diag.Detail = fmt.Sprintf("Unknown word %q", word), keepalivedWord+remedy
		return true
	}
	if m := unassigned.FindSubmatch(line); m != nil && len(language()[word]) > 0 {
		value := string(m[2])
		if !plain.MatchString(value) {
			value = strconv.Quote(value)
		}
		diag.Summary, diag.Detail = "Missing equals sign", fmt.Sprintf("An argument has one: write %s = %s.", word, value)
		return true
	}
	m := bare.FindSubmatch(line)
	if m == nil || bytes.Contains(line, []byte(`"`)) {
		return false
	}
	diag.Summary, diag.Detail = "Address without quotes", fmt.Sprintf("Write it in quotes: \"%s\".", m[1])
	if word == "" || bytes.HasPrefix(m[1], []byte(word)) {
		diag.Detail = fmt.Sprintf("An address is the value of an argument, in quotes; for example: addresses = [\"%s\"]", m[1])
	}
	return true
}

// firstWord returns the word with which a line begins.
func firstWord(line []byte) string {
	word := bytes.TrimLeft(line, " \t")
	if i := bytes.IndexFunc(word, notInName); i >= 0 {
		word = word[:i]
	}
	return string(word)
}

// line returns the line around a byte of a file, as much of it as is shown.
func (f *source) line(i int) []byte {
	i = min(max(i, 0), len(f.text))
	from := max(0, i-maxQuoted)
	start := from + bytes.LastIndexByte(f.text[from:i], '\n') + 1
	line, _, _ := bytes.Cut(f.text[start:min(len(f.text), i+maxQuoted)], []byte("\n"))
	return line
}
