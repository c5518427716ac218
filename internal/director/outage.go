package director

import (
	"fmt"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A supply says whether a service has a real server that takes connections.
type supply uint8

const (
	// undecided: none is known to, but of some nothing was heard yet.
	undecided supply = iota
	served
	unserved
)

// supplyOf says whether a service is served, and why where it is not. One of
// weight 0 takes no connection.
func supplyOf(s *config.Service, standing func(server int) Standing) (supply, string) {
	down, unknown := 0, 0
	for i := range s.Servers {
		switch standing(i) {
		case Up:
			if s.Servers[i].Destination.Weight > 0 {
				return served, ""
			}
		case Down:
			down++
		case Unknown:
			unknown++
		}
	}
	switch {
	case unknown > 0:
		return undecided, ""
	case down == len(s.Servers):
		return unserved, fmt.Sprintf("all real servers are down (%d)", down)
	case down == 0:
		return unserved, fmt.Sprintf("all real servers have weight 0 (%d)", len(s.Servers))
	default:
		return unserved, fmt.Sprintf("%d real servers are down, the others have weight 0 (%d)", down, len(s.Servers)-down)
	}
}

// tellOutages writes one line for each service that has lost its last server,
// or has one again.
func (d *Director) tellOutages() {
	var lacking map[ipvsctl.ServiceKey]bool
	for i := range d.config.Services {
		s := &d.config.Services[i]
		now, why := supplyOf(s, func(server int) Standing { return d.healths.Standing(i, server) })
		was := d.lacking[s.Key]
		args := []any{"service", s.Name, "address", s.Key.String(), "fallback", s.Fallback != nil}
		switch {
		case now == unserved && !was:
			d.o.Log.Warn("virtual service has no server left", append(args, "why", why)...)
		case now == served && was:
			d.o.Log.Info("virtual service has a server again", args...)
		}
		if now == unserved || now == undecided && was {
			if lacking == nil {
				lacking = make(map[ipvsctl.ServiceKey]bool)
			}
			lacking[s.Key] = true
		}
	}
	d.lacking = lacking
}
