package director

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsd/lvsd/internal/machine"
)

// A look is what was seen of the machine.
type look struct {
	machine machine.Facts
	err     error
}

// look begins a look at the machine, where the last one has ended.
func (d *Director) look() {
	if d.looked != nil {
		return
	}
	looked := make(chan look, 1)
	d.looked = looked
	// Nobody waits for this one either: whoever deletes a thousand interfaces
	// holds the kernel's lock over them for seconds.
	go func() {
		m, err := d.o.Machine()
		looked <- look{m, err}
	}()
}

// saw takes what a look at the machine found.
func (d *Director) saw(l look) {
	if l.err != nil {
		d.o.Log.Warn("could not look at the machine", "error", l.err)
		return
	}
	d.judge(l.machine)
}

// judge works out what the machine, as last seen, means for the configuration.
func (d *Director) judge(m machine.Facts) {
	d.machine = m
	virtual := holders(d.config.Routers)
	own := make(map[netip.Addr]bool, len(m.Addresses))
	for _, p := range m.Addresses {
		a := p.Addr()
		// No other director can send anything to a loopback address.
		if _, ok := virtual[a]; !ok && !a.IsLoopback() {
			own[a] = true
		}
	}
	d.dirty = d.dirty || !maps.Equal(d.own, own)
	d.own = own
	before := d.warned
	d.warned = append(forwardingWarnings(d.config, m), d.healths.notRunWarnings(time.Now())...)
	for _, w := range d.warned {
		if !slices.ContainsFunc(before, w.sameSubject) {
			d.o.Log.Warn("something must be mended", "warning", w.text)
		}
	}
}
