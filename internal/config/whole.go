package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Block is one top-level block that has, or may have, virtual services.
type Block struct {
	// Key identifies what decides the meaning of a virtual_service block;
	// zero: the block is of another kind and always decoded anew.
	Key Key
	// Reused is set where the block was not parsed, as its summary was given.
	Reused bool
	// Source is where the block begins: "web.hcl:2".
	Source string
	// Services are those of a block that was decoded; nil where it was Reused, until
	// the outcome is complete. Their places are those of now.
	Services []Service
	// Summary is what ParseWith wants back next time in the place of the
	// block. Nil: the block can't be reused.
	Summary []byte
}

// An Outcome is what came of reading a configuration whose unchanged blocks
// were not parsed again.
type Outcome struct {
	// Config is the configuration without its services; nil where there are
	// mistakes.
	Config *Config
	// Blocks are those with services, in the order of the files.
	Blocks []Block
	// NamesHost: the files name the machine's Host.
	NamesHost bool
}

// Complete returns the whole configuration, nil where there are mistakes.
// known has, by its key, every block that was reused, as it was before; what it
// holds is not changed. The services of all blocks are a part of the configuration's
// then, so that whoever keeps them for the next time does not have them twice.
func (o Outcome) Complete(known map[Key]Block) *Config {
	if o.Config == nil {
		return nil
	}
	c := *o.Config
	n := 0
	for i := range o.Blocks {
		b := &o.Blocks[i]
		if b.Reused {
			b.Services = known[b.Key].Services
		}
		n += len(b.Services)
	}
	c.Services = slices.Grow(c.Services, n)
	for i := range o.Blocks {
		b := &o.Blocks[i]
		from := len(c.Services)
		c.Services = append(c.Services, b.Services...)
		b.Services = slices.Clip(c.Services[from:])
		for j := range b.Services {
			if b.Reused {
				b.Services[j].Source = b.Source
			}
		}
	}
	assignMarks(c.Services, c.Director.Marks)
	return &c
}

// Parse turns the files into a configuration for one node. It returns every
// mistake at once, and no Config where one is an error; a valid one may come
// with warnings.
func Parse(s Sources, o Options) (*Config, Diagnostics) {
	out, diags := ParseWith(s, o, Machine{}, nil)
	return out.Complete(nil), diags
}

// ParseWith is Parse for a process that reads the same configuration again and
// again. known holds what earlier calls returned: the Summary of blocks, by
// their Key. A virtual_service block whose key is among them, and whose files
// are unchanged, is not parsed but counts by its summary; the caller has its
// services. The diagnostics are those that Parse would return.
//
// With known nil, the outcome has neither keys nor summaries. The warnings about
// m are given too.
func ParseWith(s Sources, o Options, m Machine, known map[Key][]byte) (Outcome, Diagnostics) {
	r := reading{defaults: &defaults{}}
	results := block.Parse(language(), s, o, known, r.declare)
	out := Outcome{Config: &Config{Node: o.Node, Director: directorTable.Start()}, NamesHost: m.Host != "" && s.Mention(m.Host)}
	if out.NamesHost {
		m.Addresses = nil
	}
	w := newWhole(m)
	for i := range results {
		if w.Mistakes >= block.MaxMistakes {
			break
		}
		w.add(&results[i])
		out.add(&results[i])
	}
	w.finish(s, len(w.routers)+len(out.Blocks) == 0)
	diags := s.Diagnostics(w.Reports, language().Secrets())
	if diags.HasErrors() {
		return Outcome{NamesHost: out.NamesHost}, diags
	}
	out.Config.Routers, out.Config.Static = w.routers, w.static
	out.Config.Conditions = w.tracking.resolve(out.Config.Routers)
	withQuestions(out.Config.Routers, out.Config.Hooks)
	withResources(out.Config.Routers, out.Config.Resources)
	out.Config.Files = block.Files(results)
	o.Files = out.Config.Files
	out.Config.Digest = s.Digest(o)
	return out, diags
}

// add adds what one block declares.
func (o *Outcome) add(r *block.Result[declaration]) {
	for _, d := range r.Value.directors {
		o.Config.Director = d
	}
	o.Config.Hooks = append(o.Config.Hooks, r.Value.hooks...)
	o.Config.Streams = append(o.Config.Streams, r.Value.streams...)
	o.Config.Resources = append(o.Config.Resources, r.Value.resources...)
	if r.Reused || len(r.Value.services) > 0 {
		o.Blocks = append(o.Blocks, Block{
			Key: r.Key, Reused: r.Reused, Source: sourceOf(r.Begin), Services: r.Value.services, Summary: r.Summary,
		})
	}
}

// A whole is what all blocks are together.
type whole struct {
	block.Reports
	machine Machine
	local   map[string]bool // this machine's addresses
	first   map[claimID]block.Place
	// addresses are those at which services expect clients, absent the interfaces
	// that this machine does not have, and shared the priorities that all directors
	// have.
	addresses, absent, shared []block.Claim
	routers                   []vrrp.Config
	static                    vrrp.Holdings
	tracking                  tracking
	services                  []string // the names of all
	groups                    []syncGroup
	servers, forwarded        int
	watchdog                  *block.Claim // nil: none is to be fed
	told                      told
	markings                  markings
}

type claimID struct {
	kind int
	key  string
}

func newWhole(m Machine) *whole {
	w := &whole{machine: m, markings: markings{within: ipvsctl.DefaultMarks}, local: map[string]bool{}, first: map[claimID]block.Place{}}
	for _, a := range m.warning() {
		w.local[a.Prefix.Addr().String()] = true
	}
	return w
}

// add adds the reports and the claims of one block to those of the blocks
// before it.
func (w *whole) add(r *block.Result[declaration]) {
	w.Add(r.Reports)
	w.routers = append(w.routers, r.Value.routers...)
	w.tracking.definitions = append(w.tracking.definitions, r.Value.definitions...)
	w.groups = append(w.groups, r.Value.groups...)
	for i := range r.Value.directors {
		w.markings.direct(&r.Value.directors[i])
	}
	w.static = joinStatic(append([]vrrp.Holdings{w.static}, r.Value.statics...))
	for _, c := range r.Claims {
		w.judge(c)
	}
}

// judgeSecret judges where a secret is read from, once for all who share it.
func (w *whole) judgeSecret(c block.Claim, check func(file, credential string) (doubt bool, err error)) {
	id := claimID{c.Kind, c.Key + "\x00" + c.Text}
	if _, again := w.first[id]; again || check == nil {
		return
	}
	w.first[id] = c.At
	words := secretWords[c.Kind]
	switch doubt, err := check(c.Key, c.Text); {
	case err == nil:
	case doubt:
		w.Doubt(c.At, words.unread, "%s.", sentence(err))
	default:
		w.Mistake(c.At, words.unusable, "%s.", sentence(err))
	}
}

// judgeProcessors refuses processors that this machine does not have, unless it may be
// another one, or lacks them for the moment.
func (w *whole) judgeProcessors(c block.Claim) {
	absent, found := Processors(c.Key).absentFrom(w.machine.Processors)
	const summary, text = "No such processor", "This machine has no processor %d (it has %s): correct the number."
	switch {
	case !found:
	case w.machine.Whose == OfDirector:
		w.Mistake(c.At, summary, text, absent, w.machine.Processors)
	default:
		w.Doubt(c.At, summary, text, absent, w.machine.Processors)
	}
}

// judge judges a claim by those before it and by this machine.
func (w *whole) judge(c block.Claim) {
	switch c.Kind {
	case serviceAddress:
		w.addresses = append(w.addresses, c)
	case realServers:
		w.count(&w.servers, c, maxServers, "Too many real servers", "With this service there are %d in all, but the limit is %d.")
	case forwardedServers:
		w.count(&w.forwarded, c, ipvsctl.MaxPaths, "Too many forwarded checks", "With this service there are %d in all, but there are firewall marks for %d: check some of the servers at their own addresses.")
	case interfaceName:
		if known := w.machine.Interfaces; known != nil && !slices.Contains(known, c.Key) {
			w.absent = append(w.absent, c)
		}
	case programPath:
		if w.machine.Program == nil {
			return
		}
		if err := w.machine.Program(c.Key); err != nil {
			w.Doubt(c.At, "Program cannot be run", "On this machine, %v.", err)
		}
	case programUser:
		if w.machine.NoUsers {
			w.Doubt(c.At, "No other user", "lvsd.service lets lvsd start programs as its own user only: install the drop-in that allows others, programs.conf, which is among the examples, or remove user.")
		}
	case watchdogPath:
		w.watchdog = &c
		if w.machine.NoWatchdog {
			w.Doubt(c.At, "Watchdog that cannot be opened", "lvsd.service lets lvsd open no watchdog: install the drop-in that allows it, watchdog.conf, which is among the examples.")
		}
	case processors:
		w.judgeProcessors(c)
	case keyText:
		w.judgeSecret(c, w.machine.Key)
	case passwordText:
		w.judgeSecret(c, w.machine.Password)
	case privateKeyText:
		w.judgeSecret(c, w.machine.PrivateKey)
	case signedTime:
		if w.machine.Unsynchronized {
			w.machine.Unsynchronized = false // Once is enough.
			w.Doubt(c.At, "Clock that is not synchronized", "The kernel knows of nothing that keeps this machine's clock (NTP), and if that differs from the other director's by more than window, both are Master: let chrony or another service keep it, or set replay = \"order\".")
		}
	case samePriority:
		w.shared = append(w.shared, c)
	case conditionReference, pingedAddress, trackedService, suspendedService:
		w.tracking.add(c)
	case mixedService, syncedRouter:
		w.told.add(c)
	case firewallMark, markedPackets:
		w.markings.add(c)
	case serviceName:
		if name, err := strconv.Unquote(c.Key); err == nil {
			w.services = append(w.services, name)
		}
		w.judgeUnique(c)
	case peerAddress:
		w.first[claimID{c.Kind, c.Key}] = c.At
		if w.local[c.Key] {
			w.Doubt(c.At, "Own address among peers", "%s is on this machine: leave it out here, for example with [for name, address in local.directors : address if name != node.name].", c.Key)
		}
	case sourceAddress:
		w.checkSource(c)
	default:
		w.judgeUnique(c)
	}
}

// count adds the number that a claim has for its key to those before it, of which a limit
// is reported once.
func (w *whole) count(sum *int, c block.Claim, limit int, summary, text string) {
	before := *sum
	n, _ := strconv.Atoi(c.Key)
	if *sum += n; before <= limit && *sum > limit {
		w.Mistake(c.At, summary, text, *sum, limit)
	}
}

// firsts are the places where what may be claimed once was claimed, of a kind.
func (w *whole) firsts(kind int) map[string]block.Place {
	all := make(map[string]block.Place)
	for id, at := range w.first {
		if id.kind == kind {
			all[id.key] = at
		}
	}
	return all
}

func (w *whole) judgeUnique(c block.Claim) {
	id := claimID{c.Kind, c.Key}
	if first, again := w.first[id]; again {
		words := duplicates[c.Kind]
		w.Mistake(c.At, fmt.Sprintf("Duplicate %s %s", words.what, c.Text), "It is already defined at %s: %s.", first, words.remedy)
		return
	}
	w.first[id] = c.At
}

// finish judges what all claims are together. Some of it can be judged only where
// there are no mistakes: what was refused could be what is missing.
func (w *whole) finish(s Sources, empty bool) {
	w.checkInterfaces()
	w.tracking.checkDefinitions(&w.Reports)
	if s.Mention("node.name") { // several directors use these files
		w.checkPriorities()
	}
	if w.Mistakes > 0 {
		return
	}
	if at, what := s.Describe(); empty && what != "" {
		// At a reload it would take every address and every service down.
		w.Mistake(at, "Empty configuration", "%s has no virtual_router and no virtual_service. Has it been cut short, for instance by a full disk? To stop serving, stop lvsd.", what)
	}
	if w.watchdog != nil && len(w.routers) == 0 && len(w.static.Names()) == 0 {
		w.Doubt(w.watchdog.At, "Watchdog without virtual router", "It is fed by the process that sends the adverts, and there is none without a virtual_router or a static block: the watchdog is not opened.")
	}
	for _, g := range w.groups {
		joined{&w.Reports, w.routers}.judge(g)
	}
	w.tracking.checkReferences(&w.Reports, w.routers)
	w.tracking.checkServices(&w.Reports, w.services)
	w.tracking.checkSuspended(&w.Reports, w.routers)
	w.tracking.checkPinged(&w.Reports, w.routers)
	w.checkStatic()
	w.checkHolders()
	w.checkPlaces()
	w.told.check(&w.Reports, w.routers)
	w.markings.check(&w.Reports, func() map[string]block.Place { return w.firsts(serviceKey) })
}

// checkPlaces judges virtual routers by what is on this machine's interfaces.
func (w *whole) checkPlaces() {
	p := placed{report: &w.Reports, here: w.machine.warning(), own: w.machine.refusing(), virtual: map[netip.Addr]bool{},
		at:     func(a netip.Addr) block.Place { return w.first[claimID{routerAddress, a.String()}] },
		peerAt: func(a netip.Addr) block.Place { return w.first[claimID{peerAddress, a.String()}] }}
	for _, c := range w.routers {
		for _, a := range c.Addresses {
			p.virtual[a.Addr()] = true
		}
		for _, x := range c.Extra {
			p.virtual[x.Prefix.Addr()] = true
		}
	}
	p.fix()
	for i := range w.routers {
		p.judge(&w.routers[i])
	}
}

// checkSource warns about a source of adverts that is an address of this machine,
// but of another interface.
func (w *whole) checkSource(c block.Claim) {
	var on []string
	for _, a := range w.machine.warning() {
		if a.Prefix.Addr().String() == c.Key {
			on = append(on, a.Interface)
		}
	}
	if len(on) > 0 && !slices.Contains(on, c.Text) {
		w.Doubt(c.At, "Source on another interface", "%s is an address of %s, but adverts are sent and received on %s: they come from an address of that interface. VRRP does not work through several uplinks with one address on lo: write the address of one uplink, or make them one bond.", c.Key, on[0], c.Text)
	}
}

// checkInterfaces warns about interfaces that this machine does not have, about
// each of them once.
func (w *whole) checkInterfaces() {
	known := w.machine.Interfaces
	for len(w.absent) > 0 {
		c := w.absent[0]
		before := len(w.absent)
		w.absent = slices.DeleteFunc(w.absent, func(other block.Claim) bool { return other.Key == c.Key })
		places := ""
		if n := before - len(w.absent); n > 1 {
			places = fmt.Sprintf(" It is named in %d places.", n)
		}
		until := "the virtual router does not hold its addresses here"
		if c.Text != c.Key {
			until = c.Text
		}
		w.Doubt(c.At, fmt.Sprintf("No interface %q on this machine", c.Key), "%sThis machine has %s. Until the interface exists, %s.%s",
			language().DidYouMean(c.Key, known), block.Listed(known), until, places)
	}
}

// checkPriorities warns where the directors cannot differ.
func (w *whole) checkPriorities() {
	for _, c := range w.shared {
		switch c.Key {
		case strconv.Itoa(ownerPriority):
			w.Doubt(c.At, "Every director is the owner", "Every director that uses these files has priority 255 for virtual router %q, and a director with 255 never gives way: write priority = { lvs1 = 150, lvs2 = 100 }[node.name].", c.Text)
		default:
			w.Doubt(c.At, "Equal priorities", "Every director that uses these files has priority %s for virtual router %q, so which of them is Master is left to chance: write priority = { lvs1 = 150, lvs2 = 100 }[node.name].", c.Key, c.Text)
		}
	}
}

// checkStatic refuses an address that a virtual router has as well: two directors would
// answer for it.
func (w *whole) checkStatic() {
	for _, a := range w.static.Addresses {
		name := a.Prefix.Addr().String()
		if _, virtual := w.first[claimID{routerAddress, name}]; virtual {
			w.Mistake(w.first[claimID{fixedAddress, name}], "Virtual address that is static", "%s is an address of a virtual router, and only its Master may have it: remove one of the two.", name)
		}
	}
}

// checkHolders warns about services whose address nobody holds. Without virtual
// routers, the addresses are on the interfaces of machines, which are not known if
// this is another one.
func (w *whole) checkHolders() {
	elsewhere := w.machine.warning() == nil
	if elsewhere && len(w.routers) == 0 {
		return
	}
	missing := map[string]bool{}
	var shown []string
	var first block.Place
	for _, c := range w.addresses {
		_, routed := w.first[claimID{routerAddress, c.Key}]
		_, static := w.first[claimID{fixedAddress, c.Key}]
		if routed || static || w.local[c.Key] || missing[c.Key] {
			continue
		}
		if len(missing) == 0 {
			first = c.At
		}
		if len(shown) < 3 {
			shown = append(shown, c.Key)
		}
		missing[c.Key] = true
	}
	summary, names, them := "Address held by nobody", strings.Join(shown, ", "), "it"
	if n := len(missing); n > 1 {
		summary, them = fmt.Sprintf("%d addresses held by nobody", n), "them"
		if n > len(shown) {
			names += fmt.Sprintf(" and %d more", n-len(shown))
		}
	}
	switch {
	case len(missing) == 0:
	case elsewhere:
		w.Doubt(first, summary, "No virtual_router has %s, so no director holds %s unless its own interfaces do: add %[2]s to a virtual_router.", names, them)
	default:
		w.Doubt(first, summary, "No virtual_router has %s, and no interface of this machine does, so no packet for %s arrives: add %[2]s to a virtual_router.", names, them)
	}
}
