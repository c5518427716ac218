package director

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// tellOutages writes one line for each service that has lost its last server,
// or has one again.
func (d *Director) tellOutages() {
	var lacking map[ipvsctl.ServiceKey]bool
	for i := range d.config.Services {
		s, v := &d.config.Services[i], d.planned.Verdicts[i]
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
