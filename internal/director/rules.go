package director

import (
	"cmp"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/text"
	"github.com/lvsd/lvsd/ipvsctl"
)

// Rules returns what the kernel's packet filter should do with packets of virtual services:
// a function of the configuration alone, so that a takeover neither waits for it nor begins
// without it.
func Rules(c *config.Config) (all ipvsctl.Ruleset) {
	for i := range c.Services {
		if s := &c.Services[i]; s.Packets != nil {
			all = append(all, ipvsctl.Marking{Service: s.Name, Mark: s.Mark, Selection: *s.Packets, SourceNAT: s.SourceNAT})
		}
	}
	slices.SortFunc(all, func(a, b ipvsctl.Marking) int { return cmp.Compare(a.Service, b.Service) })
	return all
}

// conntracked adds the parameter without which the source of no packet of IPVS is translated.
func conntracked(all map[machine.Setting]string, services []config.Service) {
	if slices.ContainsFunc(services, func(s config.Service) bool { return s.SourceNAT.Translates() }) {
		all[machine.IPVS("conntrack")] = "1"
	}
}

// ruleDifferences tell what two configurations have packets marked with.
func ruleDifferences(before, after *config.Config) (all []api.Difference) {
	for _, c := range ipvsctl.DiffRules(Rules(before), Rules(after)) {
		action := api.Add
		if c.Removed {
			action = api.Remove
		}
		all = append(all, api.Difference{Action: action, Kind: "packet_rule", Name: c.Rule, In: "virtual_service " + c.Service, What: []string{}, Now: true})
	}
	return all
}

// rules finds that packets are not marked as they should be.
func (all *findings) rules(r *api.Rules, services []api.Service) {
	if r == nil || r.LastError == "" {
		return
	}
	var names []string
	for i := range services {
		if services[i].Packets != "" {
			names = append(names, services[i].Name)
		}
	}
	all.add(api.Error, "rules-missing", "", "see to what the error says; it is tried again",
		"packets of %s are not marked by nftables, so they do not reach the real servers as they should: %s", text.Few(names), r.LastError)
}
