package director

import (
	"maps"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// What makes a server suspect: in so many looks in a row, one a second, at which clients'
// packets had come, none was answered, and in all of these there were so many packets, with
// direct routing and tunnelling connections. A connection that is answered has more packets
// than so many, since the client acknowledges, asks and closes.
const (
	suspectLooks   = 2
	suspectPackets = 5
	fewPackets     = 3
)

// suspectPause is how long a server is not suspected again: its checks have been hurried, and
// decide.
const suspectPause = 30 * time.Second

// A suspect is what is known of the answers of one server.
type suspect struct {
	counters ipvsctl.Counters // at the last look
	looks    int              // in a row without an answer
	came     uint64           // in these: packets, or connections
	until    time.Time        // it is not suspected again before
	known    bool
}

// next is the suspect by newer counters, of a server that was seen to answer or whose answers
// do not come back through this director.
func (s suspect) next(now time.Time, forward ipvsctl.Forward, n ipvsctl.Counters) (is suspect, suspected bool) {
	was := s.counters
	anew := !s.known || n.Connections < was.Connections || n.PacketsIn < was.PacketsIn
	s.counters, s.known = n, true
	packets, connections := n.PacketsIn-was.PacketsIn, n.Connections-was.Connections
	answered := n.PacketsOut != was.PacketsOut || n.PacketsOut == 0
	came := packets
	if forward != ipvsctl.NAT {
		answered = n.Active > was.Active || packets > fewPackets*connections
		came = connections
	}
	switch {
	case anew:
		s.looks, s.came = 0, 0
		return s, false
	case packets == 0:
		return s, false // Nothing was asked, so nothing tells.
	case answered:
		s.looks, s.came = 0, 0
		return s, false
	}
	s.looks++
	s.came += came
	if s.looks < suspectLooks || s.came < suspectPackets || now.Before(s.until) {
		return s, false
	}
	return suspect{counters: n, known: true, until: now.Add(suspectPause)}, true
}

// A suspected service is one whose servers may be suspected.
type suspected struct {
	servers map[ipvsctl.DestinationKey]suspect
	count   uint64 // of suspicions since the daemon started
}

// suspects are those of the services whose servers may be suspected.
type suspects map[ipvsctl.ServiceKey]suspected

// of returns those of another configuration.
func (all suspects) of(services []config.Service) suspects {
	var kept suspects
	for i := range services {
		s := &services[i]
		if !s.Policed().Suspicion {
			continue
		}
		if kept == nil {
			kept = make(suspects)
		}
		was, known := all[s.Key]
		if !known {
			was.servers = make(map[ipvsctl.DestinationKey]suspect)
		}
		maps.DeleteFunc(was.servers, func(key ipvsctl.DestinationKey, _ suspect) bool {
			return !slices.ContainsFunc(s.Servers, func(srv config.Server) bool { return srv.Key == key })
		})
		kept[s.Key] = was
	}
	return kept
}

// services are their keys, in their order.
func (all suspects) services() []ipvsctl.ServiceKey {
	return slices.SortedFunc(maps.Keys(all), ipvsctl.ServiceKey.Compare)
}
