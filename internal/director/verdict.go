package director

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// A Reason is one word for why a virtual service is unserved.
type Reason string

// The reasons why a virtual service is unserved.
const (
	// NoServer: no real server is configured.
	NoServer Reason = "no_server"
	// Full: all that are up have reached their upper thresholds.
	Full Reason = "full"
	// Drained: some have weight 0, by the configuration, by their checks or as they
	// were found in the table at the start, or are in maintenance, and no other is up.
	Drained Reason = "drained"
	// Waiting: some stay out until an operator lets them in (manual_resume), and no other
	// is up.
	Waiting Reason = "manual_resume"
	// NoneUp: some are down, and none is up.
	NoneUp Reason = "down"
	// TooFew: some take connections, but fewer than min_healthy.
	TooFew Reason = "min_healthy"
	// NoResult: none has had a result that tells whether it is up.
	NoResult Reason = "no_result"
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

// A Verdict is how a virtual service is served, and why not if it is not.
type Verdict struct {
	Supply api.Supply
	// How many of its real servers take no connections, by why: they are full, they
	// are down, in maintenance, they have weight 0, they wait for an operator, they have had
	// no result.
	full, down, away, drained, waiting, unknown int
	// Below: fewer of them take connections than min_healthy. Unsure: first results may
	// still tell.
	Below, unsure bool
	ranked
}

// below reports whether fewer of a service's servers take connections than must.
// Servers that are full count. While some are awaited that would be enough, it is as
// it was, and unsure.
func below(s *config.Service, states []checker.State, weights []Weight, awaited, was bool) (low, unsure bool) {
	return short(s, 0, watermark(s, was), states, weights, awaited, was)
}

// watermark is how many servers must take connections, and of those that were too few.
func watermark(s *config.Service, was bool) config.Quantity {
	if was && s.Policed().RecoverHealthy.N > 0 {
		return s.Policed().RecoverHealthy
	}
	return s.Policed().MinHealthy
}

// short is below for the servers of one tier, or of all with 0, by a watermark.
func short(s *config.Service, tier uint8, needed config.Quantity, states []checker.State, weights []Weight, awaited, was bool) (low, unsure bool) {
	if needed.N == 0 {
		return false, false
	}
	var have, coming, all uint64
	for i, w := range weights {
		if tier != 0 && s.Servers[i].TierOf() != tier {
			continue
		}
		each, weight := uint64(1), uint64(s.Servers[i].Destination.Weight)
		if needed.Measure == config.Weight {
			each = weight
		}
		all += min(weight, 1)
		switch {
		case w.Value > 0:
			have += each
		case awaited && states[i] == checker.Unknown:
			coming += each
		}
	}
	least := uint64(needed.N)
	if needed.Measure == config.Percent {
		least = (all*least + 99) / 100
	}
	if have < least && have+coming >= least {
		return was, true
	}
	return have < least, false
}

// lower is the verdict on a service that has too few servers, or not: its fallback
// serves then, if there is one.
func (v Verdict) lower(below, fallback bool) Verdict {
	v.Below = below
	if below && fallback && v.Supply == api.Served {
		v.Supply = api.Unserved
	}
	return v
}

// judge returns the verdict on a service, given the state and the weight of
// each of its real servers, and perhaps the weights of its fallbacks. Awaited: first results
// may still come.
func judge(states []checker.State, weights []Weight, awaited bool) Verdict {
	v := Verdict{Supply: api.Unserved}
	for i := range states {
		switch w := weights[i]; {
		case w.serves():
			return Verdict{Supply: api.Served}
		case w.Idle:
		case w.Full && w.Value > 0:
			v.full++
		case w.By == api.ByManualResume:
			v.waiting++
		case w.By == api.ByMaintenance:
			v.away++
		case states[i] == checker.Down:
			v.down++
		case w.Listed:
			v.drained++
		default:
			v.unknown++
		}
	}
	if awaited && v.unknown > 0 {
		v.Supply = api.Undecided
	}
	return v
}

// Reason returns why the service is unserved; empty where it is not.
func (v Verdict) Reason() Reason {
	switch {
	case v.Supply != api.Unserved:
		return ""
	case v.none() && v.Below:
		return TooFew
	case v.full > 0:
		return Full
	case v.drained+v.away > 0:
		return Drained
	case v.waiting > 0:
		return Waiting
	case v.down > 0:
		return NoneUp
	case v.unknown > 0:
		return NoResult
	default:
		return NoServer
	}
}

// none reports whether nothing was counted: some server takes connections.
func (v Verdict) none() bool { return v.full+v.down+v.away+v.drained+v.waiting+v.unknown == 0 }

// why is the reason in figures, for the log.
func (v Verdict) why() string {
	if v.none() && v.Below {
		return "fewer take connections than min_healthy"
	}
	var all []string
	for _, part := range []struct {
		n    int
		text string
	}{{v.full, "at their upper_threshold"}, {v.down, "down"}, {v.drained, "with weight 0"}, {v.away, "in maintenance"}, {v.waiting, "kept out until lvsd resume"}, {v.unknown, "without a result"}} {
		if part.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if len(all) == 0 {
		return "no real server is configured"
	}
	return "real servers: " + strings.Join(all, ", ")
}
