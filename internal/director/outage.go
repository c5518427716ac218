package director

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A Supply says, in one word, whether a virtual service is served.
type Supply string

// The supplies of a virtual service.
const (
	// Served: a real server takes connections.
	Served Supply = "served"
	// Undecided: none does, but the first results of some are awaited.
	Undecided Supply = "undecided"
	// Unserved: none does. The fallback serves, or clients are refused.
	Unserved Supply = "unserved"
	// Withheld: it is left out of the table on purpose while another director is
	// Master, because this one is among its servers.
	Withheld Supply = "withheld"
)

// A Reason says, in one word, why a virtual service is unserved.
type Reason string

// Why a virtual service is unserved.
const (
	// NoServer: no real server is configured.
	NoServer Reason = "no_server"
	// Drained: some have weight 0, by the configuration or as they were found in
	// the table at the start, and no other is up.
	Drained Reason = "drained"
	// NoneUp: some are down, and none is up.
	NoneUp Reason = "down"
	// NoResult: of none it is known whether it is up.
	NoResult Reason = "no_result"
)

// A Verdict says whether a virtual service is served, and why not.
type Verdict struct {
	Supply Supply
	// The real servers of one that is not served: those that are down, those of
	// weight 0, and those of which nothing was heard.
	down, drained, unheard int
}

// supplyOf judges a service by the standings of its servers. Awaited: what was
// not heard yet may still come.
func supplyOf(s *config.Service, standings []Standing, awaited bool) Verdict {
	v := Verdict{Supply: Unserved}
	for i, standing := range standings {
		switch standing {
		case Up:
			if s.Servers[i].Destination.Weight > 0 {
				return Verdict{Supply: Served}
			}
			v.drained++
		case Quiet:
			v.drained++
		case Down:
			v.down++
		case Unknown:
			v.unheard++
		}
	}
	if awaited && v.unheard > 0 {
		v.Supply = Undecided
	}
	return v
}

// Reason is why the service is unserved; empty where it is not.
func (v Verdict) Reason() Reason {
	switch {
	case v.Supply != Unserved:
		return ""
	case v.drained > 0:
		return Drained
	case v.down > 0:
		return NoneUp
	case v.unheard > 0:
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
	}{{v.down, "down"}, {v.drained, "with weight 0"}, {v.unheard, "without a result"}} {
		if part.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", part.n, part.text))
		}
	}
	if len(all) == 0 {
		return "no real server is configured"
	}
	return "real servers: " + strings.Join(all, ", ")
}

// endAwaiting no longer awaits the first results of servers that are new, when
// the time for that is over.
func (d *Director) endAwaiting(now time.Time) {
	if d.awaitedUntil.IsZero() || now.Before(d.awaitedUntil) {
		return
	}
	d.awaitedUntil = time.Time{}
	d.dirty = d.dirty || slices.ContainsFunc(d.verdicts, func(v Verdict) bool { return v.Supply == Undecided })
}

// tellOutages writes one line for each service that has lost its last server,
// or has one again.
func (d *Director) tellOutages() {
	var lacking map[ipvsctl.ServiceKey]bool
	for i := range d.config.Services {
		s, v := &d.config.Services[i], d.verdicts[i]
		was := d.lacking[s.Key]
		switch {
		case v.Supply == Unserved && !was:
			d.o.Log.Warn("virtual service has no server left", append(outageArgs(s), "why", v.why())...)
		case v.Supply == Served && was:
			d.o.Log.Info("virtual service has a server again", outageArgs(s)...)
		}
		if v.Supply == Unserved || was && v.Supply != Served {
			if lacking == nil {
				lacking = make(map[ipvsctl.ServiceKey]bool)
			}
			lacking[s.Key] = true
		}
	}
	d.lacking = lacking
}

func outageArgs(s *config.Service) []any {
	return []any{"service", s.Name, "address", s.Key.String(), "fallback", s.Fallback != nil}
}
