package config

import "github.com/lvsd/lvsd/internal/block"

// The kinds of what a block claims of the configuration or of this machine (see
// block.Claim). Those before mustBeUnique may be made once in a configuration.
const (
	directorBlock = iota
	defaultsBlock
	routerName
	routerID
	routerAddress
	fixedAddress // of a static block
	routePlace   // the destination, table and metric of a route
	ruleItself
	groupName
	groupMember
	virtualDevice
	resourceItself
	streamName
	serviceName
	serviceKey
	mustBeUnique
	serviceAddress     // an address at which a service expects clients
	interfaceName      // the name of a network interface, with what does not work without it as text, unless that is a virtual router
	samePriority       // a router's priority that all directors have
	sourceAddress      // an address that adverts are sent from, with its interface as text
	peerAddress        // an address to which adverts are sent
	keyText            // a file with a key, or with the text the name of a credential
	passwordText       // the same for a password of checks
	privateKeyText     // the same for the private key of a certificate that checks show
	signedTime         // adverts that are accepted by the time at which they were signed
	realServers        // the number of a service's real servers
	forwardedServers   // how many of their checks are by the forwarding path
	pingedAddress      // an address that a condition pings
	trackedService     // a service that a condition is about
	suspendedService   // a service with ha_suspend, with its address as text
	firewallMark       // a firewall mark of the user's
	markedPackets      // packets that are to be marked, as a markedClaim, with the service's name as text
	mixedService       // a service with real servers of the other family
	syncedRouter       // the virtual router by whose role connections are told
	conditionReference // a condition that is tracked, and defined elsewhere, with the weight as text
	processors         // those that the keeper runs on
	programPath        // the path of a program that is to be run
	programUser        // whom a program is run as
	watchdogPath       // the device of a watchdog
)

// maxServers bounds how many real servers there may be in all, since few lines
// can make many.
const maxServers = 100_000

// duplicates has the words about a second claim: what it is called, and what
// to do about it.
var duplicates = [mustBeUnique]struct{ what, remedy string }{
	directorBlock:  {"director", "there can be only one; put everything into that block"},
	defaultsBlock:  {"defaults", "there can be only one; put everything into that block"},
	routerName:     {"virtual_router", "choose another name"},
	routerID:       {"virtual router id", "each virtual router of a family on an interface needs an id of its own"},
	routerAddress:  {"virtual address", "only one virtual router can hold an address"},
	fixedAddress:   {"static address", "remove one of the two"},
	routePlace:     {"route", "the kernel has room for one with that metric in a table; write another metric"},
	ruleItself:     {"rule", "remove one of the two"},
	groupName:      {"sync_group", "choose another name"},
	groupMember:    {"member", "a virtual router moves with one sync_group, and is in it once"},
	virtualDevice:  {"device of a virtual MAC", "give each a device of its own (device = \"vrrp4-a\")"},
	resourceItself: {"resource", "each can be of one virtual router or sync group only"},
	streamName:     {"stream", "choose another name"},
	serviceName:    {"virtual_service", "choose another name"},
	serviceKey:     {"virtual service", "write all servers of a service into one block"},
}

// secretWords has the words about a secret that cannot be used, and about one that the
// service cannot read.
var secretWords = map[int]struct{ unusable, unread string }{
	keyText:      {"Unusable key", "Key that the service cannot read"},
	passwordText: {"Unusable password", "Password that the service cannot read"},

	privateKeyText: {"Unusable private key", "Private key that the service cannot read"},
}

// claim notes what a block claims, where that is shown as it is told apart.
func claim(b *block.Body, kind int, key string, at block.Place) {
	b.Claim(kind, key, key, at)
}
