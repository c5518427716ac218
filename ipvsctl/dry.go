package ipvsctl

import (
	"context"
	"io/fs"
)

var _ Kernel = (*Dry)(nil)

// A Dry is a Kernel that is never written to: it has a table as a kernel had it once, and
// what the operations would have made of it, which it tells.
type Dry struct {
	table Table
	would func(Op)
}

// NewDry returns a Dry with a table, which tells by would what is not done.
func NewDry(table Table, would func(Op)) *Dry { return &Dry{table, would} }

// List returns the table.
func (d *Dry) List(context.Context) (Table, error) { return d.table.Clone(), nil }

// Services calls each with every service. None has packets.
func (d *Dry) Services(_ context.Context, each func(ServiceKey, Service, uint64)) error {
	for key, vs := range d.table {
		each(key, vs.Service, 0)
	}
	return nil
}

// Read returns one service. None has counters.
func (d *Dry) Read(_ context.Context, key ServiceKey) (VirtualService, Rows[Counters], error) {
	vs, known := d.table[key]
	if !known {
		return VirtualService{}, nil, fs.ErrNotExist
	}
	return vs, nil, nil
}

// Apply tells the operations, of which the kernel might refuse some.
func (d *Dry) Apply(_ context.Context, ops []Op) ([]Failure, error) {
	for _, op := range ops {
		d.would(op)
	}
	d.table = d.table.after(ops)
	return nil, nil
}
