package filter

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Table is the name of lvsd's own table of nftables for virtual services, of the family inet.
const Table = "lvsd-services"

// The chains of the table. IPVS takes packets that arrive after these hooks, in "input", and
// those of this machine in "output", both later than the priority of marks, which are given
// in the same chain. It sends packets on through "postrouting", where their source is
// translated.
const (
	arriving = "arriving"
	leaving  = "leaving"
	marks    = "marks"
	sources  = "sources"
)

// priority is where packets are marked: after connection tracking, before routing.
const priority = -150

const (
	// buffer is the room in the socket for a transaction, and for its answers, in bytes: the
	// kernel answers each rule before the first answer is read, and takes no memory for what
	// is not there. Of 5,000 services, a transaction is 4 MB and its answers 20.
	buffer = 64 << 20
	// answerTimeout is how long is waited for all answers, loading modules included.
	answerTimeout = 30 * time.Second
)

var _ ipvsctl.Filter = (*Filter)(nil)

// A Filter is that table in this network namespace.
type Filter struct {
	// found is what was there after the last Replace.
	found []entry
	// dial, if it is not nil, opens a test's way to the kernel.
	dial func() nltest
}

// An nltest takes requests, and without any it returns what was answered.
type nltest = func([]netlink.Message) ([]netlink.Message, error)

// An entry is a rule as the kernel knows it, or with the handle 0 a chain. A rule that is
// replaced has another handle, and what it refers to cannot be changed without it.
type entry struct {
	chain  string
	policy nftables.ChainPolicy
	handle uint64
}

// A writer collects one transaction.
type writer struct {
	conn  *nftables.Conn
	table *nftables.Table
	err   error
}

// Replace is part of ipvsctl.Filter.
func (f *Filter) Replace(rules ipvsctl.Ruleset) error { return fault.Of(f.replace(rules)) }

func (f *Filter) replace(rules ipvsctl.Ruleset) error {
	f.found = nil
	if len(rules) == 0 {
		return f.remove()
	}
	err := f.set(rules, false)
	if errors.Is(err, unix.EINVAL) { // Linux before 5.6 has no maps of ranges.
		err = f.set(rules, true)
	}
	if err != nil {
		return err
	}
	f.found, err = f.list()
	return err
}

// ours is the table.
func ours() *nftables.Table { return &nftables.Table{Name: Table, Family: nftables.TableFamilyINet} }

// remove removes the table, if there is one.
func (f *Filter) remove() error {
	c, err := f.open()
	if err != nil {
		return err
	}
	c.DelTable(ours())
	if err := c.Flush(); err != nil && !errors.Is(err, unix.ENOENT) && !lacking(err) {
		return fmt.Errorf("removing the table %s of nftables: %w", Table, err)
	}
	return nil
}

// set makes the table anew in one transaction. Singly, services with ranges have a rule each.
func (f *Filter) set(rules ipvsctl.Ruleset, singly bool) error {
	c, err := f.open()
	if err != nil {
		return err
	}
	c.AddTable(ours()) // or there may be none to delete
	c.DelTable(ours())
	w := &writer{conn: c, table: c.AddTable(ours())}
	w.write(rules, singly)
	if w.err != nil {
		return fmt.Errorf("encoding rules for nftables: %w", w.err)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("setting the table %s of nftables: %w", Table, explained(err, rules))
	}
	return nil
}

// open returns a connection of which each transaction and each list has a socket of its own:
// late answers to one that failed meet nobody.
func (f *Filter) open() (*nftables.Conn, error) {
	options := []nftables.ConnOption{nftables.WithSockOptions(func(c *netlink.Conn) error {
		return errors.Join(c.SetReadBuffer(buffer), c.SetWriteBuffer(buffer), c.SetDeadline(time.Now().Add(answerTimeout)))
	})}
	if f.dial != nil {
		options = []nftables.ConnOption{nftables.WithTestDial(f.dial())}
	}
	c, err := nftables.New(options...)
	if err != nil {
		return nil, fmt.Errorf("opening a socket for nftables: %w", err)
	}
	return c, nil
}

// lacking reports whether the kernel has said that it has no nftables, or not all that is
// asked for.
func lacking(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EPROTONOSUPPORT)
}

// explained adds what may be missing.
func explained(err error, rules ipvsctl.Ruleset) error {
	modules := "the module nf_tables"
	if rules.Translates() {
		modules = "the modules nf_tables, nft_chain_nat, nft_masq and nft_nat"
	}
	if errors.Is(err, unix.ENOENT) || lacking(err) {
		return fault.New(fault.NoModule, fmt.Errorf("%w (does this kernel have %s?)", err, modules))
	}
	return err
}

// write adds the chains with their rules.
func (w *writer) write(rules ipvsctl.Ruleset, singly bool) {
	at := func(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority nftables.ChainPriority) *nftables.Chain {
		return w.conn.AddChain(&nftables.Chain{Name: name, Table: w.table, Type: kind, Hooknum: hook, Priority: nftables.ChainPriorityRef(priority)})
	}
	marking := w.conn.AddChain(&nftables.Chain{Name: marks, Table: w.table})
	for _, chain := range []*nftables.Chain{
		at(arriving, nftables.ChainTypeFilter, nftables.ChainHookPrerouting, priority),
		at(leaving, nftables.ChainTypeFilter, nftables.ChainHookOutput, priority),
	} {
		w.add(chain, "", []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: marks}})
	}
	exact, ranged, apart := split(rules, singly)
	for _, m := range apart {
		w.add(marking, m.Service, append(w.selects(&m.Selection), mark(m.Mark)...))
	}
	for _, f := range families {
		w.lookUp(marking, f, exact, false)
		w.lookUp(marking, f, ranged, true)
	}
	if !rules.Translates() {
		return // The kernel need not have NAT.
	}
	chain := at(sources, nftables.ChainTypeNAT, nftables.ChainHookPostrouting, *nftables.ChainPriorityNATSource)
	for _, f := range families {
		w.translate(chain, f, rules)
	}
}

// note keeps the first error.
func (w *writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

// maxComment is the kernel's and nft's bound of a comment, in bytes.
const maxComment = 127

// comment is the name of a service as a comment.
func comment(service string) string { return service[:min(len(service), maxComment)] }

// add adds a rule, with the name of its service as a comment if it has one alone.
func (w *writer) add(chain *nftables.Chain, service string, exprs []expr.Any) {
	rule := &nftables.Rule{Table: w.table, Chain: chain, Exprs: exprs}
	if service != "" {
		rule.UserData = userdata.AppendString(nil, userdata.TypeComment, comment(service))
	}
	w.conn.AddRule(rule)
}

// Intact is part of ipvsctl.Filter.
func (f *Filter) Intact() (bool, error) {
	now, err := f.list()
	return err == nil && len(now) > 0 && slices.Equal(now, f.found), fault.Of(err)
}

// list returns the chains and the rules of the table; nothing where there is no such table.
func (f *Filter) list() (all []entry, err error) {
	c, err := f.open()
	if err != nil {
		return nil, err
	}
	chains, err := c.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, fmt.Errorf("listing the chains of nftables: %w", err)
	}
	for _, chain := range chains {
		if chain.Table.Name != Table {
			continue
		}
		e := entry{chain: chain.Name}
		if chain.Policy != nil {
			e.policy = *chain.Policy
		}
		all = append(all, e)
		rules, err := c.GetRules(chain.Table, chain)
		if errors.Is(err, unix.ENOENT) {
			continue // It has gone meanwhile.
		}
		if err != nil {
			return nil, fmt.Errorf("listing the rules of nftables: %w", err)
		}
		for _, r := range rules {
			e.handle = r.Handle
			all = append(all, e)
		}
	}
	return all, nil
}
