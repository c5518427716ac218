package director

import "time"

const (
	// briefly is how long results may take that the next ones need not wait for, and
	// longestRest how long those wait at most.
	briefly     = 5 * time.Millisecond
	longestRest = 100 * time.Millisecond
	// burstLimit is about how many results are planned for together at most.
	burstLimit = 1 << 14
	// resultQueue is how many reports may wait for the loop before the probes do.
	resultQueue = 256
)

// A gathering is results that the core is told of together.
type gathering struct {
	all Probed
	// from is when it may be told of them; zero: at once.
	from time.Time
}

func (g *gathering) add(results Probed) { g.all = append(g.all, results...) }

// ripe reports whether the core is to be told now.
func (g *gathering) ripe(now time.Time) bool {
	return len(g.all) >= burstLimit || len(g.all) > 0 && !now.Before(g.from)
}

// due is when they will be ripe; zero: there are none.
func (g *gathering) due() time.Time {
	if len(g.all) == 0 {
		return time.Time{}
	}
	return g.from
}

// told begins anew, after the core has been told. Planning for 100,000 servers takes 40 ms:
// if it followed each few results, there would be no time for the checks that bring them.
func (g *gathering) told(begun, ended time.Time) {
	clear(g.all)
	if g.all = g.all[:0]; cap(g.all) > 4*resultQueue {
		g.all = nil // the burst of a start is no reason to keep as much
	}
	if took := ended.Sub(begun); took >= briefly {
		g.from = ended.Add(min(2*took, longestRest))
	}
}
