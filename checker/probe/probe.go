package probe

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// A Starter runs a program, and waits for its end; after timeout, or when ctx ends,
// it ends the program with all that this has started. An error is why it could not be run.
type Starter func(ctx context.Context, e checker.Exec, timeout time.Duration) (Ended, error)

// An Ended is what came of a program.
type Ended struct {
	// Status is its exit status; -1 if it did not end by itself in time.
	Status int
	// Failure is what it did wrong: "exited with status 1"; empty: nothing.
	Failure string
}

// maxPrograms bounds how many programs of servers' checks run at one time, since each has
// a process of some megabytes beside it. Those of conditions, which are few, do not wait
// for them.
const maxPrograms = 64

// A Prober compiles Specs to probes over the network of the network namespace
// that they run in. It is also the checker's Engine, by way of its knocker.
type Prober struct {
	*knocker
	// readers is how many files are being read at this moment.
	readers      atomic.Int64
	authorities  *authorities
	passwords    *passwords
	ping4, ping6 pinger
	processes    processes
	start        Starter
	forwarder    Forwarder     // nil: nobody is asked by way of IPVS
	places       chan struct{} // for programs that run at one time
}

// New returns a Prober that starts programs by start; nil: it starts none. It opens the
// sockets for ping when a probe first needs them, and keeps them.
func New(start Starter) *Prober {
	p := &Prober{
		knocker:   newKnocker(),
		start:     start,
		places:    make(chan struct{}, maxPrograms),
		ping4:     pinger{family: ipv4Echo},
		ping6:     pinger{family: ipv6Echo},
		processes: processes{root: "/proc"},
	}
	p.authorities = &authorities{newFiles(&p.readers, readCertificates), newFiles(&p.readers, readClient)}
	p.passwords = newFiles(&p.readers, readPassword)
	return p
}

// OnProcesses has changed called soon after a process that probes count has begun or ended,
// where the kernel tells that: then they are to look again. It is called before the first
// probe, or never.
func (p *Prober) OnProcesses(changed func()) { p.processes.changed = changed }

// ForwardBy has servers asked by way of IPVS as f knows it. It is called before the first
// Spec is compiled, or never.
func (p *Prober) ForwardBy(f Forwarder) { p.forwarder = f }

// A run is one probe of a target, whose address is valid and not an IPv4
// address mapped to IPv6. It returns no error if the probe passed, and one made
// by notRun for a reason of this director's own.
type run func(ctx context.Context, t checker.Target) (found, error)

// A kind is what compiles the Specs of one kind of check.
type kind struct {
	compile func(*Prober, checker.Spec) (run, error)
	// local: it probes this machine itself, and needs no address.
	local bool
}

var kinds = make(map[string]kind)

// register adds the kind of check that base names. The options of a Spec are
// decoded into a copy of base, and compiled.
func register[O checker.Options](base O, compile func(*Prober, O) (run, error)) {
	kinds[base.Kind()] = kind{compile: func(p *Prober, s checker.Spec) (run, error) {
		options := base
		if err := s.Decode(&options); err != nil {
			return nil, err
		}
		return compile(p, options)
	}}
}

// registerLocal is register for a kind that needs no address.
func registerLocal[O checker.Options](base O, compile func(*Prober, O) (run, error)) {
	register(base, compile)
	k := kinds[base.Kind()]
	k.local = true
	kinds[base.Kind()] = k
}

// Compile returns what runs the probes of a Spec.
func (p *Prober) Compile(s checker.Spec) checker.ProbeFunc {
	var probe run
	err := fmt.Errorf("this version has no check of kind %q", s.Kind())
	k := kinds[s.Kind()]
	if k.compile != nil {
		probe, err = k.compile(p, s)
	}
	v, wrong := viaOfSpec(s)
	err = errors.Join(err, wrong)
	switch {
	case err != nil:
		err = notRun(fmt.Errorf("the check cannot be run: %w", err))
	case v != nil && v.Forwarded.Is():
		probe = forwarded(p.forwarder, *v, probe)
	}
	return func(ctx context.Context, t checker.Target) checker.Result {
		switch {
		case err != nil:
			return verdict(ctx, t, err)
		case !k.local && !t.Addr.IsValid():
			return verdict(ctx, t, notRun(errors.New("the target has no address")))
		}
		t.Addr = t.Addr.Unmap()
		seen, err := probe(withVia(ctx, v), t)
		r := verdict(ctx, t, err)
		r.Report = seen.report
		if seen.lenient && r.Outcome == checker.Failed {
			r.Outcome, r.Reason = checker.Passed, 0
		}
		r.Number, r.CertificateEnds, r.Advice = seen.number, seen.certificateEnds, seen.advice
		return r
	}
}
