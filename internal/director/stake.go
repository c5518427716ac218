package director

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A Stake is what served before a configuration went on trial, and how much of that may
// stop before the one before runs again at once.
type Stake struct {
	// Servers are the configured real servers by service, as "address:port", and whether
	// each had new connections.
	Servers map[string]map[string]bool
	// Spare is how many of those that had may have none.
	Spare int
}

// stake returns what serves now, of which so much may stop; nil: that does not matter.
func (c *Core) stake(l api.Lose) *Stake {
	if l.Any() {
		return nil
	}
	s := Stake{Servers: make(map[string]map[string]bool, len(c.config.Services))}
	serving := 0
	for i := range c.config.Services {
		of := &c.config.Services[i]
		servers := make(map[string]bool, of.Real())
		for j := range of.Real() {
			key := of.Servers[j].Key
			servers[key.String()] = c.serves(of, key)
			if c.serves(of, key) {
				serving++
			}
		}
		s.Servers[of.Name] = servers
	}
	s.Spare = l.Of(serving)
	return &s
}

// serves reports whether a real server gets new connections by the newest plan.
func (c *Core) serves(s *config.Service, key ipvsctl.DestinationKey) bool {
	row, _ := c.planned.Table[s.Key].Destinations.Get(key)
	return row.Weight > 0
}

// lost says why a configuration on trial serves fewer servers or services than the one
// before, by more than may be; empty: it does not. What it has removed itself, or given
// weight 0, is not lost, unless what has come in its place is down. What has no result yet
// is not lost either.
func (c *Core) lost(s *Stake) string {
	var services, servers []string
	for i, v := range c.planned.Verdicts {
		of := &c.config.Services[i]
		before, known := s.Servers[of.Name]
		if !known || v.Supply == api.Withheld {
			continue
		}
		if anyServed(before) && v.Supply == api.Unserved && v.failed() {
			services = append(services, fmt.Sprintf("virtual service %q is no longer served (%s)", of.Name, v.why()))
		}
		servers = append(servers, c.missing(i, before)...)
	}
	switch {
	case len(services) > 0:
		return some(services, "; ")
	case len(servers) > s.Spare:
		return fmt.Sprintf("%d real servers that served are down, and %d may be: %s", len(servers), s.Spare, some(servers, ", "))
	default:
		return ""
	}
}

// missing returns the real servers of a service that are down and served before, or are in
// the place of removed ones that did.
func (c *Core) missing(service int, before map[string]bool) (all []string) {
	s := &c.config.Services[service]
	var fresh []string
	gone := 0
	for _, had := range before {
		if had {
			gone++
		}
	}
	for j := range s.Real() {
		key := s.Servers[j].Key.String()
		had, known := before[key]
		wanted := s.Servers[j].Destination.Weight > 0
		if had && wanted {
			gone--
		}
		if !wanted || c.standing(service, j).State != checker.Down || c.serves(s, s.Servers[j].Key) {
			continue
		}
		if name := s.Name + " " + key; had {
			all = append(all, name)
		} else if !known {
			fresh = append(fresh, name)
		}
	}
	return append(all, fresh[:min(gone, len(fresh))]...)
}

// failed reports whether servers that should serve do not: nobody has asked for it.
func (v Verdict) failed() bool {
	switch v.Reason() {
	case NoneUp, TooFew, NoResult:
		return true
	}
	return false
}

// anyServed reports whether any of these served.
func anyServed(servers map[string]bool) bool {
	for _, had := range servers {
		if had {
			return true
		}
	}
	return false
}

// some joins the first of many.
func some(all []string, separator string) string {
	const most = 3
	if more := len(all) - most; more > 0 {
		all = append(all[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, separator)
}
