package director

import "github.com/lvsd/lvsd/checker"

// An advised is what all checks of one server together say beside whether it is up. Its
// zero value is that of checks which say nothing.
type advised struct {
	mode checker.Mode
	// absolute is the least weight that replaces the configured one, if there is any, and
	// percent the least share of that which the server is to have.
	replaced, reduced bool
	absolute          uint16
	percent           uint16
}

// add takes what one more check says.
func (a *advised) add(c checker.Advice) {
	a.mode = max(a.mode, c.Mode)
	switch c.Measure {
	case checker.Absolute:
		if !a.replaced || c.Weight < a.absolute {
			a.replaced, a.absolute = true, c.Weight
		}
	case checker.Percent:
		if !a.reduced || c.Weight < a.percent {
			a.reduced, a.percent = true, c.Weight
		}
	}
}

// weight is what the configured weight becomes. A weight of 0 in the configuration stays
// that. A share is rounded down, but never to 0: only a share of 0 is none.
func (a advised) weight(configured uint32) uint32 {
	if configured == 0 || a.mode >= checker.Drain {
		return 0
	}
	w := configured
	if a.replaced {
		w = uint32(a.absolute)
	}
	if a.reduced && a.percent > 0 && w > 0 {
		return max(1, uint32(uint64(w)*uint64(a.percent)/100))
	}
	if a.reduced {
		return 0
	}
	return w
}
