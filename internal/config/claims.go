package config

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// A claim is what one block says that can be judged only when all blocks are
// known, or with what is known of this machine. Which block is the first to
// claim something, and so which is the duplicate, follows from the order of
// the files and not from the order of their decoding.
type claim struct {
	kind claimKind
	// key tells what is claimed apart from everything else of its kind, and
	// text is how a message names it.
	key, text string
	at        hcl.Range
}

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
)

// duplicates has the words about a second claim: what it is called, and what
// to do about it.
var duplicates = [mustBeUnique]struct{ what, remedy string }{
	directorBlock: {"director", "there is one daemon; put everything into one block"},
	routerName:    {"virtual_router", "choose another name"},
	routerID:      {"virtual router id", "on one interface every virtual router of a family has its own id"},
	routerAddress: {"virtual address", "one virtual router holds an address"},
	serviceName:   {"virtual_service", "choose another name"},
	serviceKey:    {"virtual service", "one block describes a service; add its servers there"},
}

func (d *decoder) claim(kind claimKind, key string, at hcl.Range) {
	d.claims = append(d.claims, claim{kind: kind, key: key, text: key, at: at})
}

// A whole is what all blocks are together.
type whole struct {
	reports
	options Options
	local   map[string]bool // this machine's addresses
	first   map[claimID]hcl.Range
	// addresses are those at which services expect clients.
	addresses []claim
}

type claimID struct {
	kind claimKind
	key  string
}

func newWhole(o Options) *whole {
	w := &whole{options: o, local: map[string]bool{}, first: map[claimID]hcl.Range{}}
	for _, p := range o.Local {
		w.local[p.Addr().String()] = true
	}
	return w
}

func mistake(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

func doubt(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// add adds the diagnostics and the claims of one block to those of the blocks
// before it.
func (w *whole) add(r *result) {
	w.addAll(r.reports)
	for _, c := range r.claims {
		w.judge(c)
	}
}

// judge judges a claim by those before it and by this machine.
func (w *whole) judge(c claim) {
	switch c.kind {
	case serviceAddress:
		w.addresses = append(w.addresses, c)
	case interfaceName:
		if known := w.options.Interfaces; known != nil && !slices.Contains(known, c.key) {
			w.reports.add(doubt(c.at, fmt.Sprintf("No interface %q on this machine", c.key), "%sThis machine has %s. An interface that is not there counts as one that is down.", didYouMean(c.key, known), listed(known)))
		}
	case peerAddress:
		if w.local[c.key] {
			w.reports.add(doubt(c.at, "Own address among peers", "%s is on this machine: leave it out here, for example by [for name, address in local.directors : address if name != node.name].", c.key))
		}
	default:
		w.judgeUnique(c)
	}
}

func (w *whole) judgeUnique(c claim) {
	id := claimID{c.kind, c.key}
	if first, again := w.first[id]; again {
		words := duplicates[c.kind]
		w.reports.add(mistake(c.at, fmt.Sprintf("Duplicate %s %s", words.what, c.text), "It is at %s already: %s.", position(first), words.remedy))
		return
	}
	w.first[id] = c.at
}

// finish judges what can be judged of a configuration without mistakes only:
// what was refused could be what is missing here.
func (w *whole) finish(s Sources, empty bool) {
	if w.mistakes > 0 {
		return
	}
	if len(s.files) > 0 && empty {
		w.refuseEmpty(s)
	}
	if w.options.Local != nil {
		w.checkHolders()
	}
}

// refuseEmpty refuses a configuration that serves nothing: at a reload it would
// take every address and every service down.
func (w *whole) refuseEmpty(s Sources) {
	what := filepath.Base(s.files[0].name)
	if len(s.files) > 1 {
		what = fmt.Sprintf("The configuration, %d files,", len(s.files))
	}
	w.reports.add(mistake(s.files[0].at(0), "Empty configuration", "%s has no virtual_router and no virtual_service: a disk that was full looks like this; to stop serving, stop lvsd.", what))
}

// checkHolders warns about a service whose address nobody holds.
func (w *whole) checkHolders() {
	warned := map[string]bool{}
	for _, c := range w.addresses {
		_, routed := w.first[claimID{routerAddress, c.key}]
		if routed || w.local[c.key] || warned[c.key] {
			continue
		}
		warned[c.key] = true
		w.reports.add(doubt(c.at, "Address held by nobody", "%s is no virtual_router's address and on no interface of this machine, so no packet for it arrives: add it to a virtual_router.", c.key))
	}
}
