package director

import (
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// choose returns the rows of one virtual service, given the weight of each of
// its real servers: all that are listed, and the fallback beside them exactly
// while none of them takes new connections. Servers that are full count for that
// only where the fallback is meant for them. Such a fallback comes and goes with
// the load, so it keeps its row between, with weight 0, for the connections that
// it has. With persistence, its clients would stay with it that way.
//
// Where fewer servers take connections than must, and there is a fallback, it serves
// in their place, and they keep the connections that they have.
func choose(s *config.Service, weights []Weight, low bool) ipvsctl.Rows[ipvsctl.Destination] {
	all := make([]ipvsctl.Row[ipvsctl.Destination], 0, len(s.Servers))
	served := false
	for i, w := range weights {
		if w.Listed {
			row := ipvsctl.Row[ipvsctl.Destination]{Key: s.Servers[i].Key, Value: s.Servers[i].Destination}
			row.Value.Weight = w.Value
			if low && s.Fallback != nil {
				row.Value.Weight = 0
			}
			all = append(all, row)
			served = served || w.serves() || w.Value > 0 && (s.Fallback == nil || !s.Fallback.WhenFull)
		}
	}
	rows := ipvsctl.RowsOf(all)
	switch f := s.Fallback; {
	case f == nil:
	case !served || low:
		rows.Set(f.Key, f.Destination)
	case f.WhenFull && s.Service.Flags&ipvsctl.Persistent == 0:
		idle := f.Destination
		idle.Weight = 0
		rows.Set(f.Key, idle)
	}
	return rows
}
