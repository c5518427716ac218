package director

import (
	"log/slog"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
)

// outages are the virtual services that have lost their last server and not
// got one since.
type outages map[ipvsctl.ServiceKey]bool

// An outage is the beginning of one, with why, or the end.
type outage struct {
	service    *config.Service
	severity   event.Severity
	code, text string
	why        string
}

func (o *outage) attributes() []slog.Attr {
	all := []slog.Attr{slog.String("service", o.service.Name), slog.String("address", o.service.Key.String()), slog.Bool("fallback", o.service.Fallback != nil)}
	if o.why != "" {
		all = append(all, slog.String("why", o.why))
	}
	return all
}

// update takes the newest verdicts, and returns the outages that begin and end
// by them. A service that is undecided or withheld keeps the outage it had.
func (o *outages) update(services []config.Service, verdicts []Verdict) []outage {
	var changes []outage
	now := outages{}
	for i, v := range verdicts {
		s := &services[i]
		was := (*o)[s.Key]
		switch {
		case v.Supply == Unserved && !was:
			changes = append(changes, outage{s, event.Warning, "service-unserved", "virtual service has no server left", v.why()})
		case v.Supply == Served && was:
			changes = append(changes, outage{s, event.Info, "service-served", "virtual service has a server again", ""})
		}
		if v.Supply == Unserved || was && v.Supply != Served {
			now[s.Key] = true
		}
	}
	*o = now
	return changes
}
