package keepalived

import (
	"net/netip"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// A virtualServer is a virtual_server.
type virtualServer struct {
	head  *Statement
	addr  netip.Addr
	port  uint16
	mark  uint32 // if there is no address
	group string // of which it is

	name                        setting[string]
	protocol, scheduler, family setting[string]
	flags                       []setting[string]
	onePacket                   setting[bool]
	method                      setting[method]
	persistence                 setting[time.Duration]
	netmask, engine             setting[string]
	quorum, hysteresis, weight  setting[uint64]
	up, down                    setting[program]
	alpha, omega                setting[bool]
	suspend, inhibit            setting[bool]
	host                        setting[string]
	timers
	sorry   *sorryServer
	servers []*realServer
	at      map[netip.AddrPort]*realServer
}

// A sorryServer is a sorry_server.
type sorryServer struct {
	head    *Statement
	addr    netip.Addr
	port    uint16
	inhibit setting[bool]
	method  setting[method]
}

// A realServer is a real_server.
type realServer struct {
	head *Statement
	addr netip.Addr
	port uint16 // 0: none was said

	name                 setting[string]
	weight, upper, lower setting[uint64]
	method               setting[method]
	inhibit, alpha       setting[bool]
	up, down             setting[program]
	host                 setting[string]
	timers
	checks []*checker
}

// A method is a forwarding method, by lvsd's words.
type method struct {
	forward, tunnel, checksum string
	port                      uint16
}

// A program is what a word has run.
type program struct {
	run         []string
	user, group string
}

// timers are what a virtual server says for its real servers, and these for their checks.
type timers struct {
	loop, delay, timeout setting[time.Duration]
	retry                setting[uint64]
}

// A checker is a block that checks a real server.
type checker struct {
	head *Statement
	timers
	alpha          setting[bool]
	addr, source   setting[netip.Addr]
	port, bindPort setting[uint64]
	mark           setting[uint64]
	iface          setting[string]
	hosts          []*checker // of SMTP_CHECK, as it once was

	host, serverName setting[string]
	sni              setting[bool]
	urls             []*url
	name, kind       setting[string]
	send, answer     setting[string]
	reply            setting[bool]
	program          setting[program]
	runTime          setting[time.Duration]
	dynamic          setting[bool]
	file             setting[string]
	weight           setting[fileWeight]
}

// A fileWeight says how a number in a file changes a weight.
type fileWeight struct {
	factor  int64
	reverse bool
}

// A url is what an HTTP check asks for.
type url struct {
	head               *Statement
	path, host, digest setting[string]
	status             []setting[string]
	regex              setting[string]
	not                setting[bool]
	options            []setting[string]
	seen               []importer.Place
}

// A tlsFiles is the block SSL.
type tlsFiles struct {
	head                 *Statement
	ca, certificate, key setting[string]
}

// familyOf says a family as lvsd does.
func familyOf(a netip.Addr) string {
	if a.Is6() {
		return "ipv6"
	}
	return "ipv4"
}
