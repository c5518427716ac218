package realserver

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/ipvsctl"
)

// An Edge is the machine.
type Edge interface {
	// Look returns what it is like, with its Ports and Routes only where those are asked
	// for: the former may have the kernel load a module, the latter may be very many.
	Look(kinds map[Kind]bool) (Facts, error)
	// Set gives a part a value.
	Set(p Part, value string) error
}

// A Store is where the memory outlives the process.
type Store interface {
	Load() (Memory, error)
	Save(Memory) error
}

// A Result is what became of a pass.
type Result struct {
	// Done are the changes that were made, Left those that were not, of which Err says why.
	Done, Left []Change
	Err        error
}

// Check returns what a machine is in a configuration, and in Left what is wrong with it; it
// changes nothing.
func Check(e Edge, s Store, c *Cluster) (Role, Result) {
	role, left, _, err := judge(e, s, c)
	return role, Result{Left: left, Err: err}
}

// judge compares a machine with a configuration; nil: nothing is needed any more.
func judge(e Edge, s Store, c *Cluster) (role Role, changes []Change, memory Memory, err error) {
	if memory, err = s.Load(); err != nil {
		return role, nil, nil, err
	}
	facts, err := e.Look(interesting(c, memory))
	if err != nil {
		return role, nil, nil, err
	}
	if c != nil {
		role = RoleOf(c, &facts)
	}
	return role, Compare(role.Needs, &facts, memory), memory, nil
}

// interesting are the kinds of parts that a configuration, or what is remembered, is about.
func interesting(c *Cluster, m Memory) map[Kind]bool {
	kinds := make(map[Kind]bool)
	for p := range m {
		kinds[p.Kind] = true
	}
	if c == nil {
		return kinds
	}
	note := func(d *ipvsctl.Destination) {
		kinds[Port] = kinds[Port] || d.TunnelType == ipvsctl.TunnelGUE
		kinds[Route] = kinds[Route] || d.Forward == ipvsctl.NAT
	}
	for i := range c.Services {
		s := &c.Services[i]
		for j := range s.Servers {
			note(&s.Servers[j].Destination)
		}
		if s.Fallback != nil {
			note(&s.Fallback.Destination)
		}
	}
	return kinds
}

// Pass has a machine be what it is in a configuration, or with nil as it was before.
func Pass(e Edge, s Store, c *Cluster) (Role, Result) {
	role, changes, memory, err := judge(e, s, c)
	if err != nil {
		return role, Result{Err: err}
	}
	// What was before is remembered before it is changed: the process may end at any time.
	meanwhile := memory.With(changes)
	if !maps.Equal(meanwhile, memory) {
		if err := s.Save(meanwhile); err != nil {
			return role, Result{Left: changes, Err: err}
		}
	}
	r := carryOut(e, changes)
	if after := meanwhile.Without(r.Left, role.Needs, memory); !maps.Equal(after, meanwhile) {
		r.Err = errors.Join(r.Err, s.Save(after))
	}
	return role, r
}

// carryOut makes changes. Where one fails, what only the same services need does not follow: a
// virtual address without the parameters would be answered for by this machine, in the
// director's place. What is given back is tried in any case.
func carryOut(e Edge, changes []Change) (r Result) {
	failed := make(map[string]bool)
	for i := range changes {
		c := &changes[i]
		if !c.GivesBack() && !slices.ContainsFunc(c.Services, func(s string) bool { return !failed[s] }) {
			r.Left = append(r.Left, *c)
			continue
		}
		if err := e.Set(c.Part, c.To); err != nil {
			r.Err = errors.Join(r.Err, fmt.Errorf("cannot %s: %w", c.Describe(), err))
			r.Left = append(r.Left, *c)
			for _, s := range c.Services {
				failed[s] = true
			}
			continue
		}
		r.Done = append(r.Done, *c)
	}
	return r
}
