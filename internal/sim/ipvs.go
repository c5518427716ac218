package sim

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"syscall"

	"github.com/lvsd/lvsd/ipvsctl"
)

var _ ipvsctl.Kernel = (*IPVS)(nil)

// IPVS is a kernel's IPVS table in memory. It refuses what the kernel refuses,
// with the same errors. Its methods may be called by several goroutines, so that
// a test can act as an administrator beside a director; its fields must be set
// before a director has it.
type IPVS struct {
	// Refuse, if set, is called before each operation of a director: an error
	// refuses the operation.
	Refuse func(ipvsctl.Op) error
	// Break, if set, is called before each exchange ("list", "services", "read",
	// "apply"): an error ends the exchange. For "apply" it is called before each
	// operation, so that an exchange can break halfway.
	Break func(exchange string) error

	mu       sync.Mutex
	table    ipvsctl.Table
	counters map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters]
	writes   int
	reads    int
}

// NewIPVS returns an empty table.
func NewIPVS() *IPVS {
	return &IPVS{
		table:    ipvsctl.Table{},
		counters: map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters]{},
	}
}

// List returns a copy of the table.
func (k *IPVS) List(context.Context) (ipvsctl.Table, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.breaks("list"); err != nil {
		return nil, err
	}
	return k.table.Clone(), nil
}

// Services calls each with every service and its packets, without its destinations.
func (k *IPVS) Services(_ context.Context, each func(ipvsctl.ServiceKey, ipvsctl.Service, uint64)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.breaks("services"); err != nil {
		return err
	}
	for key, vs := range k.table {
		total, _ := k.counters[key].Get(ipvsctl.DestinationKey{})
		each(key, vs.Service, total.PacketsIn)
	}
	return nil
}

// Read returns a copy of one service.
func (k *IPVS) Read(_ context.Context, key ipvsctl.ServiceKey) (ipvsctl.VirtualService, ipvsctl.Rows[ipvsctl.Counters], error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reads++
	if err := k.breaks("read"); err != nil {
		return ipvsctl.VirtualService{}, nil, err
	}
	vs, ok := k.table[key]
	if !ok {
		return ipvsctl.VirtualService{}, nil, fs.ErrNotExist
	}
	vs.Destinations = slices.Clone(vs.Destinations)
	return vs, slices.Clone(k.counters[key]), nil
}

// Apply carries out a director's operations and counts them.
func (k *IPVS) Apply(_ context.Context, ops []ipvsctl.Op) ([]ipvsctl.Failure, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var failures []ipvsctl.Failure
	for i, op := range ops {
		if err := k.breaks("apply"); err != nil {
			return nil, err
		}
		k.writes++
		var err error
		if k.Refuse != nil {
			err = k.Refuse(op)
		}
		if err == nil {
			err = k.write(op)
		}
		if err != nil {
			failures = append(failures, ipvsctl.Failure{Index: i, Err: err})
		}
	}
	return failures, nil
}

func (k *IPVS) breaks(exchange string) error {
	if k.Break == nil {
		return nil
	}
	return k.Break(exchange)
}

// ByHand carries out operations as an administrator would with ipvsadm: they are
// not counted, and refused only by the kernel's rules.
func (k *IPVS) ByHand(ops ...ipvsctl.Op) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, op := range ops {
		if err := k.write(op); err != nil {
			return fmt.Errorf("ipvsadm %v: %w", op, err)
		}
	}
	return nil
}

// Flush empties the table, as "ipvsadm --clear" does.
func (k *IPVS) Flush() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.table)
	clear(k.counters)
}

// Count sets the counters of a destination.
func (k *IPVS) Count(key ipvsctl.ServiceKey, dk ipvsctl.DestinationKey, c ipvsctl.Counters) {
	k.mu.Lock()
	defer k.mu.Unlock()
	counters := k.counters[key]
	counters.Set(dk, c)
	k.counters[key] = counters
}

// Writes returns how many operations directors asked for, including refused
// ones.
func (k *IPVS) Writes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.writes
}

// Reads returns how many times a service was read.
func (k *IPVS) Reads() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reads
}

// Table returns a copy of the table.
func (k *IPVS) Table() ipvsctl.Table {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.table.Clone()
}

// String returns the table as "ipvsadm --save --numeric" prints it.
func (k *IPVS) String() string { return k.Table().String() }

// write does what ip_vs_genl_set_cmd does (net/netfilter/ipvs/ip_vs_ctl.c), with
// the same errors in the same order.
func (k *IPVS) write(op ipvsctl.Op) error {
	vs, known := k.table[op.Service]
	if op.Kind == ipvsctl.AddService && known {
		return syscall.EEXIST
	}
	if op.Kind != ipvsctl.AddService && !known {
		return fmt.Errorf("%w: %w", syscall.ESRCH, fs.ErrNotExist)
	}
	_, exists := vs.Destinations.Get(op.Destination)
	counters := k.counters[op.Service]
	switch op.Kind {
	case ipvsctl.AddService, ipvsctl.SetService:
		if err := checkService(op); err != nil {
			return err
		}
		k.putService(op, vs)
	case ipvsctl.DeleteService:
		delete(k.table, op.Service)
		delete(k.counters, op.Service)
	case ipvsctl.AddDestination, ipvsctl.SetDestination:
		if err := checkDestination(op, exists); err != nil {
			return err
		}
		vs.Destinations.Set(op.Destination, op.Dest)
		if !exists {
			counters.Set(op.Destination, ipvsctl.Counters{})
		}
		k.table[op.Service], k.counters[op.Service] = vs, counters
	case ipvsctl.DeleteDestination:
		if !exists {
			return syscall.ENOENT
		}
		vs.Destinations.Delete(op.Destination)
		counters.Delete(op.Destination)
		k.table[op.Service], k.counters[op.Service] = vs, counters
	}
	return nil
}

func (k *IPVS) putService(op ipvsctl.Op, vs ipvsctl.VirtualService) {
	vs.Service = op.Config
	if op.Kind == ipvsctl.AddService {
		vs.Destinations = nil
	}
	k.table[op.Service] = vs
}

func checkService(op ipvsctl.Op) error {
	switch {
	case op.Config.Scheduler == "":
		return syscall.EINVAL
	case op.Config.Scheduler == "none-such":
		return fmt.Errorf("the kernel cannot find the scheduler %q", op.Config.Scheduler)
	case op.Service.Addr.Is6() && (op.Config.Netmask < 1 || op.Config.Netmask > 128):
		return syscall.EINVAL
	}
	return nil
}

func checkDestination(op ipvsctl.Op, exists bool) error {
	mixed := op.Destination.Addr.Is4() != op.Service.Addr.Is4()
	d := op.Dest
	switch {
	case mixed && d.Forward != ipvsctl.Tunnel:
		return syscall.EINVAL
	case d.Weight > 1<<31-1, d.Lower > d.Upper:
		return syscall.ERANGE
	case d.TunnelType == ipvsctl.TunnelGUE && d.TunnelPort == 0:
		return syscall.EINVAL
	case op.Kind == ipvsctl.AddDestination && exists:
		return syscall.EEXIST
	case op.Kind == ipvsctl.SetDestination && !exists:
		return syscall.ENOENT
	}
	return nil
}
