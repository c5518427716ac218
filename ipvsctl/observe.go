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

// An observer reads the kernel's table, and keeps the view of it up to date.
type observer struct {
	kernel Kernel
	ours   *ownership

	view     view
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

// observe compares the view with the kernel, as far as that is due. The audit
// goes on as long as more reports true.
func (o *observer) observe(ctx context.Context, now time.Time, more func() bool) error {
	if o.unlisted {
		table, err := o.kernel.List(ctx)
		if err != nil {
			return err
		}
		o.unlisted = false
		o.view.list(table, o.ours.owns)
	}
	if !now.Before(o.audit.due) {
		if err := o.look(ctx); err != nil {
			return err
		}
		if _, err := o.reread(ctx, o.audit.slice(o.view.table, more)); err != nil {
			return err
		}
		o.audit.done(now)
	}
	_, err := o.reread(ctx, slices.Values(slices.SortedFunc(maps.Keys(o.stale), ServiceKey.Compare)))
	return err
}

// look compares all services, without their real servers. One that is gone is
// believed to be gone at once: if it exists after all, adding it is refused,
// and then it is read.
func (o *observer) look(ctx context.Context) error {
	services, err := o.kernel.Services(ctx)
	if err != nil {
		return err
	}
	o.view.foreign = map[ServiceKey]Service{}
	for key, svc := range services {
		had, known := o.view.table[key]
		switch {
		case !o.ours.owns(key):
			o.view.foreign[key] = svc
		case !known || had.Service != svc:
			o.stale[key] = true
		}
	}
	var gone []Op
	for key := range o.view.table {
		if _, exists := services[key]; !exists {
			gone = append(gone, Op{Kind: DeleteService, Service: key})
		}
	}
	slices.SortFunc(gone, func(a, b Op) int { return a.Service.Compare(b.Service) })
	for _, op := range gone {
		o.drift.add(op, 1+len(o.view.table[op.Service].Destinations))
	}
	o.view.apply(gone)
	return nil
}

// reread reads services and takes over what is other than last seen. It
// returns those that are the same.
func (o *observer) reread(ctx context.Context, keys iter.Seq[ServiceKey]) (same []ServiceKey, err error) {
	var changes []Op
	counters := map[ServiceKey]map[DestinationKey]Counters{}
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
		// What was not in the view is not drift but news, such as a service of
		// somebody else that is ours from now on.
		if _, known := o.view.table[key]; known || o.ours.exclusive {
			o.drift.add(done[0], len(done))
		}
	}
	o.view.count(counters)
	o.view.apply(changes)
	return same, err
}

// compare returns what was done to a service since it was last seen, and puts
// what the kernel counted for it into counters.
func (o *observer) compare(ctx context.Context, key ServiceKey, counters map[ServiceKey]map[DestinationKey]Counters) ([]Op, error) {
	had, seen := Table{}, Table{}
	if vs, known := o.view.table[key]; known {
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
