package ipvsctl

import "maps"

// A view is the table as last seen or written, with its counters. Maps that it
// has given away never change again: the first write afterwards copies what
// it touches, so that a snapshot of a large table costs nothing.
type view struct {
	table    Table
	counters map[ServiceKey]map[DestinationKey]Counters
	given    bool                // table and counters were given away
	own      map[ServiceKey]bool // whose destinations were copied since then
}

func newView(t Table) view {
	return view{
		table:    t,
		counters: map[ServiceKey]map[DestinationKey]Counters{},
		own:      map[ServiceKey]bool{},
	}
}

// give returns the maps as they are now, for others to keep.
func (v *view) give() (Table, map[ServiceKey]map[DestinationKey]Counters) {
	v.given = true
	clear(v.own)
	return v.table, v.counters
}

func (v *view) beforeWrite() {
	if v.given {
		v.table, v.counters, v.given = maps.Clone(v.table), maps.Clone(v.counters), false
	}
}

// apply makes in the view what the operation made in the kernel.
func (v *view) apply(op Op) {
	v.beforeWrite()
	v.table.apply(op, func(k ServiceKey) bool { return v.own[k] })
	switch {
	case op.Kind == DeleteService:
		delete(v.counters, op.Service)
		delete(v.own, op.Service)
	case !op.Kind.ofService():
		v.own[op.Service] = true
	}
}

// put replaces a service by what was read.
func (v *view) put(key ServiceKey, vs VirtualService, c map[DestinationKey]Counters) {
	v.beforeWrite()
	v.table[key], v.counters[key] = vs, c
	v.own[key] = true
}

// drop forgets a service.
func (v *view) drop(key ServiceKey) {
	v.beforeWrite()
	delete(v.table, key)
	delete(v.counters, key)
	delete(v.own, key)
}
