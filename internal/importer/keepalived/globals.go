package keepalived

import "slices"

// Globals are the global definitions that virtual routers begin with.
type globals struct {
	*section
	used   map[*Statement]bool
	weighs bool // something changes priorities
}

// globalWords are those of global_defs that routers ask for.
var globalWords = []string{
	"vrrp_version", "vrrp_strict", "vrrp_down_timer_adverts", "vrrp_mcast_group4", "vrrp_mcast_group6", "vrrp_startup_delay",
	"vrrp_delay_after_boot", "vrrp_garp_master_repeat", "vrrp_garp_master_refresh", "vrrp_garp_interval", "vrrp_gna_interval",
	"vrrp_garp_extra_if", "vmac_prefix", "script_user", "default_interface", "dynamic_interfaces", "enable_script_security", "router_id",
}

// ask returns the statement of global_defs that begins with a word; nil if there is none.
func (g *globals) ask(word string) (found *Statement) {
	for _, s := range g.all {
		if s.Words[0] == word {
			found = s
		}
	}
	if found != nil {
		g.used[found], g.taken[found] = true, true
	}
	return found
}

// readGlobals gathers the blocks global_defs.
func readGlobals(w *walk, top *section) *globals {
	all := top.lines("global_defs")
	return &globals{section: w.section(all), used: map[*Statement]bool{}, weighs: weighs(top.all)}
}

// weighs reports whether statements have a word that changes priorities.
func weighs(list []*Statement) bool {
	return slices.ContainsFunc(list, func(s *Statement) bool { return slices.Contains(s.Words, "weight") || weighs(s.Block) })
}
