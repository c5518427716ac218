package ipvsctl

import "slices"

// Rows hold a value for each of the real servers of one virtual service, in the
// order of their keys. They take half of the memory of a map.
type Rows[V any] []Row[V]

// A Row is the value for one real server.
type Row[V any] struct {
	Key   DestinationKey
	Value V
}

// Get returns the value for a real server, and whether there is one.
func (r Rows[V]) Get(k DestinationKey) (v V, found bool) {
	if i, found := r.find(k); found {
		return r[i].Value, true
	}
	return v, false
}

// Set makes v the value for a real server.
func (r *Rows[V]) Set(k DestinationKey, v V) {
	i, found := r.find(k)
	if !found {
		*r = slices.Insert(*r, i, Row[V]{Key: k})
	}
	(*r)[i].Value = v
}

// Delete takes a real server out.
func (r *Rows[V]) Delete(k DestinationKey) {
	if i, found := r.find(k); found {
		*r = slices.Delete(*r, i, i+1)
	}
}

// RowsOf returns rows that are in any order. Of those with equal keys one stays.
func RowsOf[V any](rows []Row[V]) Rows[V] {
	slices.SortFunc(rows, func(a, b Row[V]) int { return a.Key.Compare(b.Key) })
	rows = slices.CompactFunc(rows, func(a, b Row[V]) bool { return a.Key == b.Key })
	if len(rows) < cap(rows) {
		rows = slices.Clone(rows) // without the room that appending has left
	}
	return rows
}

// find returns the index of a real server's row, or where to insert it.
func (r Rows[V]) find(k DestinationKey) (index int, found bool) {
	return slices.BinarySearchFunc(r, k, func(row Row[V], k DestinationKey) int { return row.Key.Compare(k) })
}
