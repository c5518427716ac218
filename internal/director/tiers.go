package director

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// tiered reports whether a service has several tiers.
func tiered(s *config.Service) bool {
	for i := range s.Servers {
		if s.Servers[i].TierOf() != s.Servers[0].TierOf() {
			return true
		}
	}
	return false
}

// rank judges the tiers of a service, of which was had too few servers before: the first
// that has enough serves. One server is enough where nothing else is said, and of the last
// tier where there is no fallback, or none that is up: it is one then. None: no tier has
// as many as must be. Unsure: first results may still tell.
func rank(s *config.Service, states []checker.State, weights []Weight, awaited bool, was tiers) (r ranked, none, unsure bool) {
	var present tiers
	last := uint8(0)
	real := s.Real()
	for i := range s.Servers[:real] {
		present |= 1 << s.Servers[i].TierOf()
		last = max(last, s.Servers[i].TierOf())
	}
	for tier := uint8(1); tier <= last; tier++ {
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
	for _, tier := range [...]uint8{config.FallbackTier, last} {
		if r.Tier == 0 && s.Fallback == nil {
			if low, _ := short(s, tier, config.Quantity{N: 1}, states, weights, false, false); !low {
				r.Tier = tier
			}
		}
	}
	return r, r.low == present && s.Policed().MinHealthy.N > 0, unsure
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

// late reports whether another tier serves than the first, and is no fallback.
func (r ranked) late() bool { return r.Tier != 0 && !r.fallback() && r.low&(1<<r.Tier-1) != 0 }

// fallback reports whether fallbacks serve.
func (r ranked) fallback() bool { return r.Tier == config.FallbackTier }
