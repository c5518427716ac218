package ipvsctl

import (
	"maps"
	"slices"
)

// Diff returns the operations that turn the table have into want. A service for
// which owned returns false is left alone with all its destinations, whatever
// want says.
//
// Rows are edited in place; no key is deleted and added again, because the
// kernel would forget its counters and its connections. Everything is added
// and edited before anything is deleted, so that no service is without a
// server on the way. A service comes before its destinations, and the order is
// the same for the same tables.
func Diff(have, want Table, owned func(ServiceKey) bool) []Op {
	var changed, gone []ServiceKey
	bound := 0
	for key, vs := range want {
		if was, known := have[key]; owned(key) && !(known && was.equal(vs)) {
			changed = append(changed, key)
			bound += 1 + len(vs.Destinations)
		}
	}
	for key := range have {
		if _, wanted := want[key]; !wanted && owned(key) {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(changed, ServiceKey.Compare)
	slices.SortFunc(gone, ServiceKey.Compare)
	d := diff{writes: make([]Op, 0, bound)}
	for _, key := range changed {
		was, known := have[key]
		d.service(key, was, known, want[key])
	}
	for _, key := range gone {
		d.deletes = append(d.deletes, Op{Kind: DeleteService, Service: key})
	}
	return append(d.writes, d.deletes...)
}

type diff struct{ writes, deletes []Op }

// service appends the operations for one service, which the kernel may not know
// yet.
func (d *diff) service(key ServiceKey, was VirtualService, known bool, want VirtualService) {
	switch {
	case !known:
		d.writes = append(d.writes, Op{Kind: AddService, Service: key, Config: want.Service})
	case was.Service != want.Service:
		d.writes = append(d.writes, Op{Kind: SetService, Service: key, Config: want.Service})
	}
	for _, row := range want.Destinations {
		had, exists := was.Destinations.Get(row.Key)
		switch {
		case !exists:
			d.writes = append(d.writes, Op{Kind: AddDestination, Service: key, Destination: row.Key, Dest: row.Value})
		case had != row.Value:
			d.writes = append(d.writes, Op{Kind: SetDestination, Service: key, Destination: row.Key, Dest: row.Value})
		}
	}
	for _, row := range was.Destinations {
		if _, wanted := want.Destinations.Get(row.Key); !wanted {
			d.deletes = append(d.deletes, Op{Kind: DeleteDestination, Service: key, Destination: row.Key})
		}
	}
}

// equal reports whether nothing is to be done about a service, which is nearly
// always so, and cheaper to ask than what is to be done.
func (s VirtualService) equal(other VirtualService) bool {
	return s.Service == other.Service && slices.Equal(s.Destinations, other.Destinations)
}

// Keys returns the services of the table in order: by mark, protocol, address
// and port.
func (t Table) Keys() []ServiceKey { return sorted(t) }

// sorted returns the keys of a map in order.
func sorted[V any](m map[ServiceKey]V) []ServiceKey {
	return slices.SortedFunc(maps.Keys(m), ServiceKey.Compare)
}
