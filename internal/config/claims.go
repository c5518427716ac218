package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsd/lvsd/internal/block"
)

// A claimKind is what a block claims of the configuration or of this machine
// (see block.Claim).
type claimKind uint8

// The kinds of claims. Those before mustBeUnique may be made once in a
// configuration.
const (
	directorBlock claimKind = iota
	routerName
	routerID
	routerAddress
	serviceName
	serviceKey
	mustBeUnique
	serviceAddress // an address at which a service expects clients
	interfaceName  // the name of a network interface
	peerAddress    // an address to which adverts are sent
	realServers    // the number of a service's real servers
)

// duplicates has the words about a second claim: what it is called, and what
// to do about it.
var duplicates = [mustBeUnique]struct{ what, remedy string }{
	directorBlock: {"director", "there can be only one; put everything into that block"},
	routerName:    {"virtual_router", "choose another name"},
	routerID:      {"virtual router id", "each virtual router of a family on an interface needs its own id"},
	routerAddress: {"virtual address", "only one virtual router can hold an address"},
	serviceName:   {"virtual_service", "choose another name"},
	serviceKey:    {"virtual service", "one block describes a service; add its servers there"},
}

// claim notes what a block claims, where that is shown as it is told apart.
func claim(b *block.Body, kind claimKind, key string, at block.Place) {
	b.Claim(uint8(kind), key, key, at)
}

// A Machine is what is known of the machine on which the configuration is read.
// It decides nothing but warnings.
type Machine struct {
	// Local holds the addresses on its interfaces, for the warning about a
	// service address that nobody holds; nil: no such warning.
	Local []netip.Prefix
	// Interfaces holds the names of its interfaces, for the warning about one
	// that is not there; nil: no such warning. The daemon gives none: a virtual
	// router that misses its interface says so as long as it does.
	Interfaces []string
}

// A whole is what all blocks are together.
type whole struct {
	block.Reports
	machine Machine
	local   map[string]bool // this machine's addresses
	first   map[claimID]block.Place
	// addresses are those at which services expect clients.
	addresses []block.Claim
	servers   int
}

// maxServers bounds how many real servers there may be in all, since few lines
// can make many.
const maxServers = 100_000

type claimID struct {
	kind claimKind
	key  string
}

func newWhole(m Machine) *whole {
	w := &whole{machine: m, local: map[string]bool{}, first: map[claimID]block.Place{}}
	for _, p := range m.Local {
		w.local[p.Addr().String()] = true
	}
	return w
}

// add adds the reports and the claims of one block to those of the blocks
// before it.
func (w *whole) add(r *block.Result[declaration]) {
	w.Add(r.Reports)
	for _, c := range r.Claims {
		w.judge(c)
	}
}

// judge judges a claim by those before it and by this machine.
func (w *whole) judge(c block.Claim) {
	switch claimKind(c.Kind) {
	case serviceAddress:
		w.addresses = append(w.addresses, c)
	case realServers:
		before := w.servers
		n, _ := strconv.Atoi(c.Key)
		if w.servers += n; before <= maxServers && w.servers > maxServers {
			w.Mistake(c.At, "Too many real servers", "With this service there are %d in all, and the limit is %d.", w.servers, maxServers)
		}
	case interfaceName:
		if known := w.machine.Interfaces; known != nil && !slices.Contains(known, c.Key) {
			w.Doubt(c.At, fmt.Sprintf("No interface %q on this machine", c.Key), "%sThis machine has %s. A missing interface is treated like one that is down.", language.DidYouMean(c.Key, known), block.Listed(known))
		}
	case peerAddress:
		if w.local[c.Key] {
			w.Doubt(c.At, "Own address among peers", "%s is on this machine: leave it out here, for example with [for name, address in local.directors : address if name != node.name].", c.Key)
		}
	default:
		w.judgeUnique(c)
	}
}

func (w *whole) judgeUnique(c block.Claim) {
	id := claimID{claimKind(c.Kind), c.Key}
	if first, again := w.first[id]; again {
		words := duplicates[c.Kind]
		w.Mistake(c.At, fmt.Sprintf("Duplicate %s %s", words.what, c.Text), "It is already defined at %s: %s.", first, words.remedy)
		return
	}
	w.first[id] = c.At
}

// finish judges what can be judged of a configuration without mistakes only:
// what was refused could be what is missing here.
func (w *whole) finish(s Sources, empty bool) {
	if w.Mistakes > 0 {
		return
	}
	if at, what := s.Describe(); empty && what != "" {
		// At a reload it would take every address and every service down.
		w.Mistake(at, "Empty configuration", "%s has no virtual_router and no virtual_service. This is what a file looks like after its disk was full. To stop serving, stop lvsd.", what)
	}
	if w.machine.Local != nil {
		w.checkHolders()
	}
}

// checkHolders warns about a service whose address nobody holds.
func (w *whole) checkHolders() {
	warned := map[string]bool{}
	for _, c := range w.addresses {
		_, routed := w.first[claimID{routerAddress, c.Key}]
		if routed || w.local[c.Key] || warned[c.Key] {
			continue
		}
		warned[c.Key] = true
		w.Doubt(c.At, "Address held by nobody", "No virtual_router has %s, and no interface of this machine does, so no packet for it arrives: add it to a virtual_router.", c.Key)
	}
}
