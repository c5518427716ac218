package director

import (
	"maps"
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// tellHooks tells the hooks of services which states have changed. Nothing is known of a
// service that has none.
func (c *Core) tellHooks() {
	told := make(map[string]serviceStates)
	var news TellHooks
	for i := range c.config.Services {
		if s := &c.config.Services[i]; len(s.Hooks) > 0 {
			was := c.told[s.Name]
			told[s.Name] = c.states(i, was)
			news = append(news, c.news(i, was, told[s.Name])...)
		}
	}
	c.told = nil
	if len(told) > 0 {
		c.told = told
	}
	if len(news) > 0 {
		c.do(news)
	}
}

// states are those of a service and of its servers. What is not certain is as it was.
func (c *Core) states(service int, was serviceStates) serviceStates {
	s := &c.config.Services[service]
	all := make(serviceStates, len(s.Servers)+1)
	for j := range s.Servers {
		name := s.Servers[j].Name
		switch c.healths.State(service, j) {
		case checker.Up:
			all[name] = config.ServerUp
		case checker.Down:
			all[name] = config.ServerDown
		default:
			all[name] = was[name]
		}
	}
	all[""] = was[""]
	switch v := c.planned.Verdicts[service]; {
	case v.Supply == api.Withheld || v.Supply == api.Undecided || v.unsure:
	case v.Below || v.Supply == api.Unserved && s.Policed().MinHealthy.N == 0:
		all[""] = config.QuorumLost
	default:
		all[""] = config.QuorumReached
	}
	return all
}

// news are the differences, in the order of the configuration, those of the service last.
func (c *Core) news(service int, was, is serviceStates) (all TellHooks) {
	if maps.Equal(was, is) {
		return nil
	}
	s := &c.config.Services[service]
	state := api.ServiceState{Service: s.Name, Address: s.Address(), Serving: c.serving(s), Servers: s.Real()}
	for j := range s.Servers {
		if server := &s.Servers[j]; was[server.Name] != is[server.Name] {
			st := state
			st.Server, st.ServerAddress, st.Weight = server.Name, server.Key.String(), server.Destination.Weight
			if st.State = is[server.Name]; st.State == config.ServerDown {
				st.Reason = c.healths.why(service, j)
			}
			all = append(all, st)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, configured := is[name]; !configured {
			all = append(all, api.ServiceState{Service: s.Name, Server: name})
		}
	}
	if state.State = is[""]; was[""] != is[""] {
		if state.State == config.QuorumLost {
			state.Reason = c.planned.Verdicts[service].why()
		}
		all = append(all, state)
	}
	return all
}

// serving counts the servers of a service that take connections.
func (c *Core) serving(s *config.Service) (n int) {
	rows := c.planned.Table[s.Key].Destinations
	for j := range s.Servers[:s.Real()] {
		if row, listed := rows.Get(s.Servers[j].Key); listed && row.Weight > 0 {
			n++
		}
	}
	return n
}
