package director

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
)

// A Reason is one word for why a virtual service is unserved.
type Reason string

// The reasons why a virtual service is unserved.
const (
	// NoServer: no real server is configured.
	NoServer Reason = "no_server"
	// Full: all that are up have reached their upper thresholds.
	Full Reason = "full"
	// Drained: some have weight 0, by the configuration or as they were found in
	// the table at the start, and no other is up.
	Drained Reason = "drained"
	// NoneUp: some are down, and none is up.
	NoneUp Reason = "down"
	// NoResult: none has had a result that tells whether it is up.
	NoResult Reason = "no_result"
)

// A Verdict is how a virtual service is served, and why not if it is not.
type Verdict struct {
	Supply api.Supply
	// How many of its real servers take no connections, by why: they are full, they
	// are down, they have weight 0, they have had no result.
	full, down, drained, unknown int
}

// judge returns the verdict on a service, given the state and the weight of
// each of its real servers. Awaited: first results may still come.
func judge(states []checker.State, weights []Weight, awaited bool) Verdict {
	v := Verdict{Supply: api.Unserved}
	for i, w := range weights {
		switch {
		case w.serves():
			return Verdict{Supply: api.Served}
		case w.Full && w.Value > 0:
			v.full++
		case w.Listed:
			v.drained++
		case states[i] == checker.Down:
			v.down++
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
	case v.full > 0:
		return Full
	case v.drained > 0:
		return Drained
	case v.down > 0:
		return NoneUp
	case v.unknown > 0:
		return NoResult
	default:
		return NoServer
	}
}

// why is the reason in figures, for the log.
func (v Verdict) why() string {
	var all []string
	for _, part := range []struct {
		n    int
		text string
	}{{v.full, "at their upper_threshold"}, {v.down, "down"}, {v.drained, "with weight 0"}, {v.unknown, "without a result"}} {
		if part.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if len(all) == 0 {
		return "no real server is configured"
	}
	return "real servers: " + strings.Join(all, ", ")
}
