package director

import (
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// A Hold keeps servers in the table that have fallen silent since From, until Until;
// zero: until it ends.
type Hold struct {
	By          api.Decider
	From, Until time.Time
}

// holds reports whether a server is kept in the table.
func (h Hold) holds(now time.Time, s Standing) bool {
	over := due(h.Until, now)
	return s.State == checker.Down && s.Silent && !over && !s.Since.Before(h.From)
}

// A Weight is what a real server has in the IPVS table at one moment.
type Weight struct {
	// Listed: it has a row in the table.
	Listed bool
	// Value is the weight in that row; with 0 the server keeps the connections
	// that it has and gets no new ones.
	Value uint32
	// Full: it has reached its upper threshold, so it gets no new ones either.
	Full bool
	// Idle: servers of another tier serve.
	Idle bool
	// By is what has decided that, where it is something else than its health.
	By api.Decider
	// Until is when the weight changes by itself; zero: it does not.
	Until time.Time
}

// weigh returns the effective weight of a real server. It is a function of the
// server's configuration and state and never a sum of steps, so that a server
// which has recovered has its weight back by construction. One that is full keeps
// its weight: the kernel passes it over by itself, and knows the moment when it is
// not full any more.
//
// What decides is the first of these that has something to say: maintenance, which a
// check demands; manual_resume, since an operator is to decide; the holds, in their order
// (panic, then isolation); of a server that is up, up_after and slow_start; and its
// health. Wherever it has its weight then, that is the one that its checks leave of the
// configured one.
func weigh(now time.Time, c *config.Server, p config.Policy, s Standing, holds []Hold) Weight {
	if s.advised.mode == checker.Maintenance {
		return Weight{By: api.ByMaintenance}
	}
	if s.KeptOut {
		drained, until := stays(now, c, s)
		return Weight{Listed: drained, By: api.ByManualResume, Until: until}
	}
	whole := whole(c, s)
	for _, h := range holds {
		if h.holds(now, s) {
			whole.By, whole.Until = h.By, h.Until
			return whole
		}
	}
	begins := s.Since.Add(p.UpAfter)
	if s.Resumed.After(begins) {
		begins = s.Resumed
	}
	switch {
	case s.State == checker.Drained:
		return Weight{Listed: true}
	case s.State == checker.Down:
		if drained, until := stays(now, c, s); drained {
			return Weight{Listed: true, By: api.ByOnFailure, Until: until}
		}
		return Weight{}
	case s.State != checker.Up:
		return Weight{}
	case s.Recovered && now.Before(begins):
		return Weight{By: api.ByUpAfter, Until: begins}
	case s.Recovered && now.Before(begins.Add(p.SlowStart)):
		return ramp(now.Sub(begins), begins, p.SlowStart, whole)
	}
	return whole
}

// stays reports whether a server that has failed keeps its row, and until when; zero:
// without an end. One that is kept out has failed, whatever its checks say since.
func stays(now time.Time, c *config.Server, s Standing) (drained bool, until time.Time) {
	if !c.DrainOnFailure || c.DrainFor == 0 {
		return c.DrainOnFailure, time.Time{}
	}
	until = s.Since.Add(c.DrainFor)
	if s.State != checker.Down || !now.Before(until) {
		return false, time.Time{}
	}
	return true, until
}

// whole is the weight of a server that is used.
func whole(c *config.Server, s Standing) Weight {
	w := Weight{Listed: true, Value: s.advised.weight(c.Destination.Weight), Full: s.Full}
	switch {
	case s.advised.mode == checker.Drain:
		w.By = api.ByDrain
	case w.Value != c.Destination.Weight:
		w.By = api.ByChecks
	}
	return w
}

// maxSteps bounds the steps in which a weight rises, each of which is an operation on
// the kernel's table.
const maxSteps = 10

// ramp is a weight on its way to the whole one, so long after it began to rise.
func ramp(since time.Duration, began time.Time, whole time.Duration, w Weight) Weight {
	steps := time.Duration(min(w.Value, maxSteps))
	if steps < 2 {
		return w
	}
	done := since * steps / whole
	w.Value = max(1, w.Value*uint32(done+1)/uint32(steps+1))
	w.By, w.Until = api.BySlowStart, began.Add(((done+1)*whole+steps-1)/steps)
	return w
}

// serves reports whether the server takes new connections.
func (w Weight) serves() bool { return w.Value > 0 && !w.Full }

// earliest returns the first of two moments; zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// due reports whether a moment has come; zero never does.
func due(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
