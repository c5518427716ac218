package realserver

import (
	"maps"
	"slices"
)

// A Change is what differs between a machine and what it should be.
type Change struct {
	Part
	// From is its value now, To the one that it should have.
	From, To string
	// Services are those that need it; none: it is given back what it was.
	Services []string
}

// GivesBack reports whether nobody needs the part any more.
func (c *Change) GivesBack() bool { return len(c.Services) == 0 }

// A Memory holds, for each part that lvsd has changed, what it was before the first change.
type Memory map[Part]string

// Compare returns what is to be changed, in the order in which that is to be done: what is
// needed comes before what is given back.
func Compare(needs []Need, f *Facts, m Memory) (changes []Change) {
	needed := make(map[Part]bool, len(needs))
	for _, n := range needs {
		needed[n.Part] = true
		if now := f.Parts[n.Part]; now != n.Value {
			changes = append(changes, Change{n.Part, now, n.Value, n.Services})
		}
	}
	kept := slices.SortedFunc(maps.Keys(m), Part.compare)
	for _, p := range slices.Backward(kept) {
		if now := f.Parts[p]; !needed[p] && now != m[p] && !m.stays(p, f, needed) {
			changes = append(changes, Change{Part: p, From: now, To: m[p]})
		}
	}
	return changes
}

// stays reports whether a part is left as it is although nobody needs it: the parameter or
// mode of a device that was not there before, or is not any more, and a device by which
// somebody else has an address now.
func (m Memory) stays(p Part, f *Facts, needed map[Part]bool) bool {
	switch p.Kind {
	case Parameter, Mode:
		return m[p] == "" || f.Parts[p] == ""
	case Device:
		for other := range f.Parts {
			_, ours := m[other]
			if other.Kind == Address && other.Interface == p.Interface && (needed[other] || !ours) {
				return true
			}
		}
	}
	return false
}

// With returns the memory for when some changes are about to be made.
func (m Memory) With(changes []Change) Memory {
	after := make(Memory, len(m)+len(changes))
	maps.Copy(after, m)
	for i := range changes {
		if _, known := after[changes[i].Part]; !known {
			after[changes[i].Part] = changes[i].From
		}
	}
	return after
}

// Without returns the memory for when changes were made but for some. What nobody needs
// any more is given back, and forgotten. What could not be changed, and was never, is
// not to be given back either: somebody else may do it.
func (m Memory) Without(left []Change, needs []Need, before Memory) Memory {
	after := make(Memory, len(m))
	for p, was := range m {
		isLeft := slices.ContainsFunc(left, func(c Change) bool { return c.Part == p })
		isNeeded := slices.ContainsFunc(needs, func(n Need) bool { return n.Part == p })
		_, changed := before[p]
		if isLeft && changed || isNeeded && (changed || !isLeft) {
			after[p] = was
		}
	}
	return after
}

// Describe says what the change does: "add address 10.13.0.200/32 on lo".
func (c *Change) Describe() string {
	switch {
	case c.Kind == Route && c.To != "":
		return "set " + c.String() + " via " + c.To
	case c.Kind == Route:
		return "remove " + c.String() + " via " + c.From
	case (c.Kind == Parameter || c.Kind == Mode) && c.From == "":
		return "set " + c.String() + " to " + c.To
	case c.Kind == Parameter || c.Kind == Mode:
		return "set " + c.String() + " from " + c.From + " to " + c.To
	case c.To == "":
		return "remove " + c.String()
	case c.Kind == Device:
		return "set " + c.String() + " " + c.To
	default:
		return "add " + c.String()
	}
}
