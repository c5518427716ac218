package ipvsctl

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

const (
	// The services whose real servers are compared at each look: this many,
	// or as many as make a round of the whole table in auditRounds looks.
	auditSlice  = 32
	auditRounds = 30
)

// lookAround compares all services, without their real servers. What is gone
// is believed at once: should it be there after all, adding it fails, and the
// service is read.
func (p *pass) lookAround(ctx context.Context) error {
	services, err := p.kernel.Services(ctx)
	if err != nil {
		return err
	}
	foreign := map[ServiceKey]Service{}
	for key, svc := range services {
		if !p.owns(key) {
			foreign[key] = svc
			continue
		}
		if had, known := p.table[key]; !known || had.Service != svc {
			p.doubts[key] = true
		}
	}
	p.foreign, p.stats.Foreign = foreign, len(foreign)
	for key, vs := range p.table {
		if _, there := services[key]; !there {
			p.drift.add(Op{Kind: DeleteService, Service: key}, 1+len(vs.Destinations))
			p.drop(key)
		}
	}
	return nil
}

// audit compares the real servers of some services, and reads their counters.
// A newer table interrupts it: the rest of the slice is left to the next look.
func (p *pass) audit(ctx context.Context, now time.Time) error {
	if len(p.auditee) == 0 {
		p.auditee = p.table.Keys()
	}
	slice := max(auditSlice, (len(p.table)+auditRounds-1)/auditRounds)
	for range min(slice, len(p.auditee)) {
		if p.superseded() {
			return nil
		}
		key := p.auditee[0]
		p.auditee = p.auditee[1:]
		if _, known := p.table[key]; !known {
			continue
		}
		if _, err := p.reread(ctx, key); err != nil {
			return err
		}
	}
	if len(p.auditee) == 0 {
		p.stats.Audited = now
	}
	return nil
}

// reread reads one service and tells whether it is other than last seen.
func (p *pass) reread(ctx context.Context, key ServiceKey) (changed bool, err error) {
	delete(p.doubts, key)
	had := Table{}
	if vs, known := p.table[key]; known {
		had[key] = vs
	}
	seen := Table{}
	vs, counters, err := p.kernel.Read(ctx, key)
	switch {
	case err == nil:
		seen[key] = vs
	case !errors.Is(err, fs.ErrNotExist):
		p.doubts[key] = true
		return false, err
	}
	done := Diff(had, seen, func(ServiceKey) bool { return true })
	if err != nil {
		p.drop(key)
	} else {
		p.count(key, counters)
		if len(done) > 0 {
			p.put(key, vs)
		}
	}
	// What was not in the view is not drift but news, such as a service of
	// somebody else that we shall have from now on.
	if len(done) > 0 && (len(had) > 0 || p.exclusive) {
		p.drift.add(done[0], len(done))
	}
	return len(done) > 0, nil
}

// A drift sums up what others did to our rows, for one line in the log.
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

// report counts the drift of this turn and says so in one line, however much
// it is; so it does with refusals beyond those that were logged.
func (p *pass) report() {
	if more := p.refusals - refusalLines; more > 0 {
		p.log.Error("the kernel refused more changes of the IPVS table", "operations", more)
	}
	p.refusals = 0
	if p.drift.services == 0 {
		return
	}
	p.stats.Drift += uint64(p.drift.rows)
	p.log.Warn("the IPVS table was changed by somebody else, repairing it",
		"services", p.drift.services, "rows", p.drift.rows, "such_as", p.drift.first.String())
	p.drift = drift{}
}
