package ipvsctl

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"time"
)

// An observer reads the kernel's table, and knows it as last seen or written.
type observer struct {
	kernel Kernel
	ours   *ownership

	// These are handed out in snapshots, so none of them is ever written to: each
	// batch of reads or writes replaces those that it changes.
	table    Table // ours; before the first goal the whole table as it was found
	counters map[ServiceKey]Rows[Counters]
	foreign  map[ServiceKey]Service // what is not ours
	packets  map[ServiceKey]uint64  // that have come for ours, at the last look; nil: nobody asks
	counting bool                   // somebody does
	watched  []ServiceKey           // services whose counters are read at each look

	listed   map[ServiceKey]bool // those of table at the last look, kept for its memory
	stale    map[ServiceKey]bool // services to be read before the next write
	unlisted bool                // the whole table must be listed before anything else
	audit    audit
	drift    drift // since it was last reported
}

// A drift sums up what others did to our rows.
type drift struct {
	services, rows int
	first          Op // what was done, as far as it can be told
}

func (d *drift) add(first Op, rows int) {
	if d.services == 0 {
		d.first = first
	}
	d.services++
	d.rows += rows
}

// observe compares what was last seen with the kernel, as far as that is due. The audit
// goes on as long as more reports true.
func (o *observer) observe(ctx context.Context, now time.Time, more func() bool) error {
	if o.unlisted {
		table, err := o.kernel.List(ctx)
		if err != nil {
			return err
		}
		o.unlisted = false
		o.list(table)
	}
	if !now.Before(o.audit.due) {
		if err := o.look(ctx); err != nil {
			return err
		}
		if _, err := o.reread(ctx, o.audit.slice(o.table, more)); err != nil {
			return err
		}
		if _, err := o.reread(ctx, o.audit.thresholds(o.table, o.watched, more)); err != nil {
			return err
		}
		o.audit.done(now)
	}
	_, err := o.reread(ctx, slices.Values(sorted(o.stale)))
	return err
}

// look compares all services, without their real servers. One that is gone is
// believed to be gone at once: if it exists after all, adding it is refused,
// and then it is read.
func (o *observer) look(ctx context.Context) error {
	foreign := map[ServiceKey]Service{}
	var packets map[ServiceKey]uint64
	if o.counting {
		packets = make(map[ServiceKey]uint64, len(o.table))
	}
	clear(o.listed)
	err := o.kernel.Services(ctx, func(key ServiceKey, svc Service, came uint64) {
		had, known := o.table[key]
		if known && packets != nil {
			packets[key] = came
		}
		if known {
			o.listed[key] = true
		}
		switch {
		case !o.ours.owns(key):
			foreign[key] = svc
		case !known || had.Service != svc:
			o.stale[key] = true
		}
	})
	if err != nil {
		return err
	}
	o.foreign, o.packets = foreign, packets
	var gone []Op
	for key := range o.table {
		if !o.listed[key] {
			gone = append(gone, Op{Kind: DeleteService, Service: key})
		}
	}
	slices.SortFunc(gone, func(a, b Op) int { return a.Service.Compare(b.Service) })
	for _, op := range gone {
		o.drift.add(op, 1+len(o.table[op.Service].Destinations))
	}
	o.apply(gone)
	return nil
}

// reread reads services and takes over what is other than last seen. It
// returns those that are the same.
func (o *observer) reread(ctx context.Context, keys iter.Seq[ServiceKey]) (same []ServiceKey, err error) {
	var changes []Op
	counters := map[ServiceKey]Rows[Counters]{}
	for key := range keys {
		var done []Op
		if done, err = o.compare(ctx, key, counters); err != nil {
			o.stale[key] = true
			break
		}
		delete(o.stale, key)
		if len(done) == 0 {
			same = append(same, key)
			continue
		}
		changes = append(changes, done...)
		// What was never seen is not drift but news, such as a service of
		// somebody else that is ours from now on.
		if _, known := o.table[key]; known || o.ours.exclusive {
			o.drift.add(done[0], len(done))
		}
	}
	o.count(counters)
	o.apply(changes)
	return same, err
}

// count takes over what the kernel has counted for some services. Whoever has had no
// client takes no memory: on a Backup, that is all of them.
func (o *observer) count(counters map[ServiceKey]Rows[Counters]) {
	if len(counters) == 0 {
		return
	}
	o.counters = copied(o.counters)
	for key, rows := range counters {
		rows = RowsOf(slices.DeleteFunc(rows, func(r Row[Counters]) bool { return r.Value == Counters{} }))
		if len(rows) > 0 {
			o.counters[key] = rows
		} else {
			delete(o.counters, key)
		}
	}
}

// compare returns what was done to a service since it was last seen, and puts
// what the kernel counted for it into counters.
func (o *observer) compare(ctx context.Context, key ServiceKey, counters map[ServiceKey]Rows[Counters]) ([]Op, error) {
	had, seen := Table{}, Table{}
	if vs, known := o.table[key]; known {
		had[key] = vs
	}
	vs, counted, err := o.kernel.Read(ctx, key)
	switch {
	case err == nil:
		seen[key], counters[key] = vs, counted
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return Diff(had, seen, func(ServiceKey) bool { return true }), nil
}

// list takes over a table that was listed whole.
func (o *observer) list(t Table) {
	o.table, o.foreign = make(Table, len(t)), map[ServiceKey]Service{}
	for key, vs := range t {
		if o.ours.owns(key) {
			o.table[key] = vs
		} else {
			o.foreign[key] = vs.Service
		}
	}
}

// apply takes over changes that were made in the kernel, by us or by somebody
// else.
func (o *observer) apply(ops []Op) {
	if len(ops) == 0 {
		return
	}
	o.table = o.table.after(ops)
	if slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == DeleteService }) {
		o.counters = maps.Clone(o.counters)
		maps.DeleteFunc(o.counters, func(key ServiceKey, _ Rows[Counters]) bool {
			_, exists := o.table[key]
			return !exists
		})
	}
}
