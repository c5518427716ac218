package director

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// choose returns the rows of one virtual service, given the weight of each of
// its real servers: all that are listed, and the fallback beside them exactly
// while none of them takes new connections.
func choose(s *config.Service, weights []Weight) map[ipvsctl.DestinationKey]ipvsctl.Destination {
	rows := make(map[ipvsctl.DestinationKey]ipvsctl.Destination, len(s.Servers))
	served := false
	for i, w := range weights {
		if w.Listed {
			row := s.Servers[i].Destination
			row.Weight = w.Value
			rows[s.Servers[i].Key] = row
			served = served || w.Value > 0
		}
	}
	if s.Fallback != nil && !served {
		rows[s.Fallback.Key] = s.Fallback.Destination
	}
	return rows
}
