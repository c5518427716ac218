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

// goTogether refuses options that do not go with the command, or with each other. given are
// the options by name, as they were written.
func goTogether(verb Verb, given map[string]string) error {
	for _, o := range options() {
		u, written := uses()[o.name], given[o.name]
		switch {
		case written == "" && slices.Contains(u.needed, verb):
			return mistake("--%s needs a %s: %s", verb, strings.ReplaceAll(o.name, "-", " "), spelled(o.name))
		case written != "" && !slices.Contains(u.with, verb):
			return mistake("%s does not go with --%s", written, verb)
		}
	}
	if verb != List {
		return nil
	}
	subjects := []string{nameService, "connection", "timeout", "daemon"}
	if err := alone(given, subjects, subjects); err != nil {
		return err
	}
	if err := alone(given, subjects[1:], []string{"stats", "rate", "thresholds"}); err != nil {
		return err
	}
	return alone(given, subjects[2:], []string{"persistent-conn"})
}

// alone refuses two options of which one is in each list.
func alone(given map[string]string, these, those []string) error {
	for _, a := range these {
		for _, b := range those {
			if a != b && given[a] != "" && given[b] != "" {
				return mistake("%s does not go with %s", given[b], given[a])
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

// tunnelTogether refuses options that do not go with the type of the tunnel.
func tunnelTogether(kind string, given map[string]string) error {
	checksums := []string{"tun-nocsum", "tun-csum", "tun-remcsum"}
	refused := map[string][]string{"ipip": {"tun-port", "tun-nocsum", "tun-csum", "tun-remcsum"}, "gre": {"tun-port", "tun-remcsum"}}
	for _, name := range refused[kind] {
		if given[name] != "" {
			return mistake("%s does not go with a tunnel of type %s", given[name], kind)
		}
	}
	if kind == "gue" && given["tun-port"] == "" {
		return mistake("a tunnel of type gue needs a port: --tun-port")
	}
	return alone(given, checksums, checksums)
}
