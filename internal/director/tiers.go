package director

import (
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// tiers are some tiers of a service: a bit each.
type tiers uint8

// ranked is how the tiers of a service stand that has several.
type ranked struct {
	// Tier is the one whose servers serve; 0: none has enough of them.
	Tier uint8
	// low are those that have too few.
	low tiers
}

// tiered reports whether a service has several tiers.
func tiered(s *config.Service) bool {
	for i := range s.Servers {
		if s.Servers[i].TierOf() != s.Servers[0].TierOf() {
			return true
		}
	}
	return false
}

// rank judges the tiers of a service, of which low had too few servers before: the first
// that has enough serves. One server is enough where nothing else is said. Unsure: first
// results may still tell.
func rank(s *config.Service, states []checker.State, weights []Weight, awaited bool, was tiers) (r ranked, unsure bool) {
	var present tiers
	for i := range s.Servers {
		present |= 1 << s.Servers[i].TierOf()
	}
	for tier := uint8(1); tier <= config.MaxTiers; tier++ {
		bit := tiers(1) << tier
		if present&bit == 0 {
			continue
		}
		needed := watermark(s, was&bit != 0)
		needed.N = max(needed.N, 1)
		low, open := short(s, tier, needed, states, weights, awaited, was&bit != 0)
		if low {
			r.low |= bit
		} else if r.Tier == 0 {
			r.Tier, unsure = tier, open
		}
	}
	return r, unsure
}

// rest takes the weights of servers in other tiers than the one that serves: they keep the
// connections that they have. With persistence, clients would stay with a server that only
// waits for its turn.
func (r ranked) rest(s *config.Service, weights []Weight) {
	for i := range weights {
		tier := s.Servers[i].TierOf()
		if w := &weights[i]; r.Tier != 0 && tier != r.Tier {
			w.Idle, w.Value = w.Value > 0, 0
			w.Listed = w.Listed && (tier < r.Tier || s.Service.Flags&ipvsctl.Persistent == 0)
		}
	}
}

// late reports whether another tier serves than the first.
func (r ranked) late() bool { return r.Tier != 0 && r.low&(1<<r.Tier-1) != 0 }

// tellTier tells that servers of another tier serve. That none has enough, the service tells.
func (c *Core) tellTier(now time.Time, s *config.Service, was, is ranked) {
	severity, what := event.Info, "the servers of the first tier serve again"
	switch {
	case was.Tier == is.Tier || is.Tier == 0 || !is.late() && !was.late():
		return
	case is.late():
		severity, what = event.Warning, "servers of a later tier serve, since too few of those before take connections"
	}
	c.tell(now, severity, "tier-serves", s.Name, what, append(about(s), slog.Int("tier", int(is.Tier)))...)
}

// reserves finds services that are served by another tier than their first.
func (c *Core) reserves() findings {
	var all findings
	var names []string
	for i := range c.planned.Verdicts {
		if c.planned.Verdicts[i].late() {
			names = append(names, c.config.Services[i].Name)
		}
	}
	if len(names) > 0 {
		all.add(api.Warning, "tier-serves", "", "", "too few servers of the first tier take connections, so those of a later one serve: %s", text.Few(names))
	}
	return all
}
