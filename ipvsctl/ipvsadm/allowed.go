package ipvsadm

import (
	"slices"
	"strings"
	"sync"
)

// A use says with which commands an option goes.
type use struct {
	with   []Verb
	needed []Verb // which do not go without it
}

// uses are those of all options, by name.
var uses = sync.OnceValue(func() map[string]use {
	services, servers := []Verb{AddService, EditService}, []Verb{AddServer, EditServer}
	lists, daemons := []Verb{List}, []Verb{StartDaemon}
	return map[string]use{
		nameService: {with: []Verb{AddService, EditService, DeleteService, AddServer, EditServer, DeleteServer, List, Zero},
			needed: []Verb{AddService, EditService, DeleteService, AddServer, EditServer, DeleteServer}},
		"real-server": {with: []Verb{AddServer, EditServer, DeleteServer}, needed: []Verb{AddServer, EditServer, DeleteServer}},
		nameForward:   {with: servers},
		"weight":      {with: servers}, "u-threshold": {with: servers}, "l-threshold": {with: servers},
		"tun-type": {with: servers}, "tun-port": {with: servers},
		"tun-nocsum": {with: servers}, "tun-csum": {with: servers}, "tun-remcsum": {with: servers},
		"scheduler": {with: services}, "sched-flags": {with: services}, "persistent": {with: services},
		"netmask": {with: services}, "pe": {with: services}, "ops": {with: services},
		"numeric": {with: []Verb{List, Save}}, "output": {with: lists},
		"connection": {with: lists}, "timeout": {with: lists}, "daemon": {with: lists},
		"stats": {with: lists}, "rate": {with: lists}, "exact": {with: lists}, "thresholds": {with: lists},
		"persistent-conn": {with: lists}, "tun-info": {with: lists}, "nosort": {with: lists},
		"syncid":          {with: []Verb{StartDaemon, StopDaemon}},
		"mcast-interface": {with: daemons}, "sync-maxlen": {with: daemons},
		"mcast-group": {with: daemons}, "mcast-port": {with: daemons}, "mcast-ttl": {with: daemons},
	}
})

// given are the options of a command line by name, as they were written, in their order.
type given []struct{ name, text string }

// text returns how an option was written; "": it was not.
func (g given) text(name string) string {
	for i := range g {
		if g[i].name == name {
			return g[i].text
		}
	}
	return ""
}

// goTogether refuses options that do not go with the command, or with each other.
func goTogether(verb Verb, all given) error {
	for _, name := range []string{nameService, "real-server"} {
		if all.text(name) == "" && slices.Contains(uses()[name].needed, verb) {
			return mistake("--%s needs a %s: %s", verb, strings.ReplaceAll(name, "-", " "), spelled(name))
		}
	}
	for i := range all {
		if !slices.Contains(uses()[all[i].name].with, verb) {
			return mistake("%s does not go with --%s", all[i].text, verb)
		}
	}
	if verb != List {
		return nil
	}
	subjects := []string{nameService, "connection", "timeout", "daemon"}
	if err := alone(all, subjects, subjects); err != nil {
		return err
	}
	if err := alone(all, subjects[1:], []string{"stats", "rate", "thresholds"}); err != nil {
		return err
	}
	return alone(all, subjects[2:], []string{"persistent-conn"})
}

// alone refuses two options of which one is in each list.
func alone(all given, these, those []string) error {
	for _, a := range these {
		for _, b := range those {
			if a != b && all.text(a) != "" && all.text(b) != "" {
				return mistake("%s does not go with %s", all.text(b), all.text(a))
			}
		}
	}
	return nil
}

// spelled lists the options of a name.
func spelled(name string) string {
	var all []string
	for _, o := range options() {
		switch {
		case o.name != name:
		case o.short != 0:
			all = append(all, "-"+string(o.short))
		default:
			all = append(all, "--"+o.long)
		}
	}
	return strings.Join(all, ", ")
}

// ofTunnels are the options of tunnels alone.
var ofTunnels = []string{"tun-type", "tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"}

// tunnelTogether refuses options that do not go with the type of the tunnel.
func tunnelTogether(kind string, all given) error {
	for _, name := range ofTunnels[1:] {
		text := all.text(name)
		if text != "" && (kind == "ipip" || kind == "gre" && (name == "tun-port" || name == "tun-remcsum")) {
			return mistake("%s does not go with a tunnel of type %s", text, kind)
		}
	}
	if kind == "gue" && all.text("tun-port") == "" {
		return mistake("a tunnel of type gue needs a port: --tun-port")
	}
	return alone(all, ofTunnels[2:], ofTunnels[2:])
}
