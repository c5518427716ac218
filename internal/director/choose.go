package director

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// choose returns the rows of one virtual service, given the weight of each of
// its real servers: all that are listed, and the fallback beside them exactly
// while none of them takes new connections.
func choose(s *config.Service, weights []Weight) ipvsctl.Rows[ipvsctl.Destination] {
	all := make([]ipvsctl.Row[ipvsctl.Destination], 0, len(s.Servers))
	served := false
	for i, w := range weights {
		if w.Listed {
			row := ipvsctl.Row[ipvsctl.Destination]{Key: s.Servers[i].Key, Value: s.Servers[i].Destination}
			row.Value.Weight = w.Value
			all = append(all, row)
			served = served || w.Value > 0
		}
	}
	rows := ipvsctl.RowsOf(all)
	if s.Fallback != nil && !served {
		rows.Set(s.Fallback.Key, s.Fallback.Destination)
	}
	return rows
}
