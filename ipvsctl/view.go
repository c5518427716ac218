package ipvsctl

import (
	"maps"
	"slices"
)

// A view is the kernel's table as last seen or written. Its maps are handed
// out in snapshots, so none of them is ever written to: each batch of reads or
// writes replaces those that it changes.
type view struct {
	table    Table // ours; before the first goal the whole table as it was found
	counters map[ServiceKey]map[DestinationKey]Counters
	foreign  map[ServiceKey]Service // what is not ours
}

// list takes over a table that was listed whole.
func (v *view) list(t Table, owned func(ServiceKey) bool) {
	v.table, v.foreign = make(Table, len(t)), map[ServiceKey]Service{}
	for key, vs := range t {
		if owned(key) {
			v.table[key] = vs
		} else {
			v.foreign[key] = vs.Service
		}
	}
}

// apply makes the changes in the view that were made in the kernel, by us or
// by somebody else.
func (v *view) apply(ops []Op) {
	if len(ops) == 0 {
		return
	}
	v.table = v.table.after(ops)
	if slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == DeleteService }) {
		v.counters = maps.Clone(v.counters)
		maps.DeleteFunc(v.counters, func(key ServiceKey, _ map[DestinationKey]Counters) bool {
			_, exists := v.table[key]
			return !exists
		})
	}
}

// count takes over the counters of the services that were read.
func (v *view) count(read map[ServiceKey]map[DestinationKey]Counters) {
	if len(read) == 0 {
		return
	}
	v.counters = copied(v.counters)
	maps.Copy(v.counters, read)
}
