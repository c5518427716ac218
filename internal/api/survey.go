package api

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/text"
)

// A Survey is what is wrong with services and their servers, of which there may be
// thousands: its findings name a few of them.
type Survey struct {
	Services, servers int
	// Missing are services that are not in the kernel's table and should be.
	Missing []string
	// refusing and relieved are the unserved services by reason: those whose
	// clients are refused, and those whose fallback serves.
	refusing, relieved map[string][]string
	// down are servers, and Unknown is how many have no known health.
	down     []string
	reserves []string // fallbacks that are down
	low      []string // services that serve with fewer servers than they should
	Unknown  int
}

// SurveyOf surveys services: all of a status, or some.
func SurveyOf(services []Service) Survey {
	all := Survey{Services: len(services), refusing: map[string][]string{}, relieved: map[string][]string{}}
	for i := range services {
		s := &services[i]
		name := func() string { return s.Name + " (" + s.Address + ")" }
		switch {
		case !s.InKernel && s.Supply != Withheld:
			all.Missing = append(all.Missing, name())
		case s.Supply != Unserved && s.BelowMinimum:
			all.low = append(all.low, name())
		case s.Supply != Unserved:
		case s.FallbackServes():
			all.relieved[s.Reason] = append(all.relieved[s.Reason], name())
		default:
			all.refusing[s.Reason] = append(all.refusing[s.Reason], name())
		}
		all.servers += len(s.Servers)
		for j := range s.Fallbacks {
			if s.Fallbacks[j].Health == Down {
				all.reserves = append(all.reserves, s.Name+"/"+s.Fallbacks[j].Name)
			}
		}
		for j := range s.Servers {
			switch s.Servers[j].Health {
			case Down:
				all.down = append(all.down, s.Name+"/"+s.Servers[j].Name)
			case Unknown:
				all.Unknown++
			}
		}
	}
	return all
}

// Findings are about the services that serve badly, first those whose clients are
// refused, and about the servers that are down.
func (s Survey) Findings() []Finding {
	var all []Finding
	add := func(severity Severity, code, subject, format string, args ...any) {
		all = append(all, Finding{Code: code, Severity: severity, Subject: subject, Text: fmt.Sprintf(format, args...), Remedy: unservedRemedies[subject]})
	}
	if len(s.Missing) > 0 {
		add(Error, "services-missing", "", "%s: not in the kernel's table, so clients are not served", named(s.Missing))
	}
	for _, reason := range slices.Sorted(maps.Keys(s.refusing)) {
		add(Error, "services-unserved", reason, "%s: %s, so clients are refused", named(s.refusing[reason]), Explain(reason))
	}
	for _, reason := range slices.Sorted(maps.Keys(s.relieved)) {
		add(Warning, "fallback-serves", reason, "%s: %s, so the fallback serves", named(s.relieved[reason]), Explain(reason))
	}
	if len(s.low) > 0 {
		add(Warning, "below-minimum", "", "%s: fewer real servers take connections than min_healthy, and there is no fallback", named(s.low))
	}
	if len(s.down) > 0 {
		add(Warning, "servers-down", "", "%d of %s %s down: %s", len(s.down), text.Count(s.servers, "real server"), text.Be(len(s.down)), text.Few(s.down))
	}
	if len(s.reserves) > 0 {
		add(Warning, "fallbacks-down", "", "fallbacks do not pass their checks: %s", text.Few(s.reserves))
	}
	return all
}

// unservedRemedies are what to do about services without a server, as far as the
// reason does not say it.
var unservedRemedies = map[string]string{
	"full": "raise upper_threshold or add real servers; a fallback with when_full = true serves meanwhile",
}

// named returns names of services: "virtual services web, mail".
func named(names []string) string {
	if len(names) > 1 {
		return "virtual services " + text.Few(names)
	}
	return "virtual service " + text.Few(names)
}
