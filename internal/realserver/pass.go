package realserver

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// An Edge is the machine.
type Edge interface {
	// Look returns what it is like, with its Ports only where that is asked for: that may
	// have the kernel load a module.
	Look(ports bool) (Facts, error)
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
func Check(e Edge, s Store, c *config.Config) (Role, Result) {
	role, left, _, err := judge(e, s, c)
	return role, Result{Left: left, Err: err}
}

// judge compares a machine with a configuration; nil: nothing is needed any more.
func judge(e Edge, s Store, c *config.Config) (role Role, changes []Change, memory Memory, err error) {
	if memory, err = s.Load(); err != nil {
		return role, nil, nil, err
	}
	facts, err := e.Look(hasPorts(c, memory))
	if err != nil {
		return role, nil, nil, err
	}
	if c != nil {
		role = RoleOf(c, &facts)
	}
	return role, Compare(role.Needs, &facts, memory), memory, nil
}

// hasPorts reports whether the kernel's Ports are of any interest.
func hasPorts(c *config.Config, m Memory) bool {
	for p := range m {
		if p.Kind == Port {
			return true
		}
	}
	return c != nil && slices.ContainsFunc(c.Services, func(s config.Service) bool {
		return s.Fallback != nil && s.Fallback.Destination.TunnelType == ipvsctl.TunnelGUE ||
			slices.ContainsFunc(s.Servers, func(r config.Server) bool { return r.Destination.TunnelType == ipvsctl.TunnelGUE })
	})
}

// Pass has a machine be what it is in a configuration, or with nil as it was before.
func Pass(e Edge, s Store, c *config.Config) (Role, Result) {
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
