package ipvsctl

import "maps"

// A view is the table as last seen or written, with its counters. Maps that it
// has given away never change again: the first write afterwards copies what
// it touches, so that a snapshot of a large table costs nothing.
type view struct {
	table    Table
	counters map[ServiceKey]map[DestinationKey]Counters
	// shared: others have the table; told: others have the counters.
	shared, told bool
	own          map[ServiceKey]bool // whose destinations were copied since then
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
	v.share(v.table)
	v.told = true
	return v.table, v.counters
}

// share makes t, which others have and which equals the table, the table: one
// copy of a large one serves all.
func (v *view) share(t Table) {
	v.table, v.shared = t, true
	clear(v.own)
}

// writable makes the table one that nobody else has.
func (v *view) writable() {
	if v.shared {
		v.table, v.shared = maps.Clone(v.table), false
	}
}

// count keeps what was counted for a service; nil forgets it.
func (v *view) count(key ServiceKey, c map[DestinationKey]Counters) {
	if v.told {
		v.counters, v.told = maps.Clone(v.counters), false
	}
	if c == nil {
		delete(v.counters, key)
	} else {
		v.counters[key] = c
	}
}

// apply makes in the view what the operation made in the kernel.
func (v *view) apply(op Op) {
	v.writable()
	v.table.apply(op, func(k ServiceKey) bool { return v.own[k] })
	switch {
	case op.Kind == DeleteService:
		v.count(op.Service, nil)
		delete(v.own, op.Service)
	case !op.Kind.ofService():
		v.own[op.Service] = true
	}
}

// put replaces a service by what was read.
func (v *view) put(key ServiceKey, vs VirtualService) {
	v.writable()
	v.table[key] = vs
	v.own[key] = true
}

// drop forgets a service.
func (v *view) drop(key ServiceKey) {
	v.writable()
	delete(v.table, key)
	delete(v.own, key)
	v.count(key, nil)
}
