package vrrp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

const (
	// auditEvery is how often permanent holdings are looked after.
	auditEvery = 10 * time.Second
	// retryAfter is how soon the worker tries again what the kernel refused.
	retryAfter = time.Second
	// renewals is how often a lease is renewed before it ends.
	renewals = 3
)

// A layer is a part of what a router holds. Routes and rules come after the
// addresses, which they may need.
type layer int

const (
	ofAddresses layer = iota
	ofPaths           // routes and rules
	layers
)

// A job is the holdings of one router.
type job struct {
	key      routerKey
	name     string
	want     Holdings
	own      netip.Addr // is announced with it, and otherwise left alone
	announce bool       // what is wanted, once it is there
	// forgotten: the router is gone, and the job goes when it is done.
	forgotten bool
	how       Announcing // as it was announced last
	layers    [layers]progress

	// unannounced is what is left of an announcement that takes its time, and nextAt when
	// it goes on.
	unannounced []InterfaceAddress
	nextAt      time.Time

	// have may be there and is ours.
	have Holdings
	// foreign are there as well, and to be removed: somebody else added them.
	foreign []InterfaceAddress
	// missing is what could not be added.
	missing  Holdings
	paths    uint64 // of restored, those that are routes and rules
	restored uint64
	removed  uint64    // of foreign
	toldAt   time.Time // of removed, last
	faults   map[string]uint64
}

// fault counts what the kernel has failed by, or refused, by the kind that the edge says.
func (j *job) fault(err error) {
	if err == nil {
		return
	}
	kind := "other"
	var known interface{ FaultKind() string }
	if errors.As(err, &known) {
		kind = known.FaultKind()
	}
	if j.faults == nil {
		j.faults = make(map[string]uint64)
	}
	j.faults[kind]++
}

// A progress is how far the kernel agrees with one layer of a job.
type progress struct {
	due bool // the kernel is to be made to agree
	// complete: all that is wanted was there, so that what is missing was
	// removed by somebody else.
	complete bool
	auditAt  time.Time // when to look again
	failure  string    // as last reported
}

// schedule sets when to look again, after a task.
func (p *progress) schedule(t *task, now time.Time) {
	switch want := &t.of.want; {
	case p.failure != "":
		p.auditAt = now.Add(retryAfter)
	case !t.apply:
		// When to look again stays as it was.
	case want.empty() || t.layer == ofPaths: // These are looked at after the addresses.
		p.auditAt = time.Time{}
	case want.Lease > 0:
		p.auditAt = now.Add(want.Lease / renewals)
	default:
		p.auditAt = now.Add(auditEvery)
	}
}

// strays are what is foreign.
func (j *job) strays() Holdings { return Holdings{Addresses: j.foreign} }

func (j *job) pending() bool {
	return j.announce || j.layers[ofAddresses].due || j.layers[ofPaths].due
}

// failure is why the kernel does not agree; empty: nothing was refused.
func (j *job) failure() string {
	return strings.Trim(j.layers[ofAddresses].failure+"; "+j.layers[ofPaths].failure, "; ")
}

// about begins what is told of a job that is no router's.
func (j *job) about() string {
	if j.name == "" {
		return "static: "
	}
	return ""
}

// miss notes what a task has left missing.
func (j *job) miss(t *task) {
	switch {
	case j.want.empty():
		j.missing = Holdings{}
	case t.layer == ofPaths:
		j.missing.Routes, j.missing.Rules = t.missing.Routes, t.missing.Rules
	case t.apply:
		j.missing.Addresses = t.missing.Addresses
	}
	if j.want.paths().empty() {
		j.missing.Routes, j.missing.Rules = nil, nil
	}
}

// A work is what became of what a router holds, as far as its status tells.
type work struct {
	restored, paths, removed uint64
	complete                 bool
	missing                  int
	failure                  string
}

// complete reports whether all that is wanted was there.
func (j *job) complete() bool {
	return j.layers[ofAddresses].complete && (j.want.paths().empty() || j.layers[ofPaths].complete)
}

// touched is what is wanted, without the director's own address.
func (j *job) touched(name string) Holdings {
	h := j.want
	h.Addresses = nil
	for _, a := range j.want.Addresses {
		if a.Interface != name || a.Prefix.Addr() != j.own {
			h.Addresses = append(h.Addresses, a)
		}
	}
	return h
}

// part is what of h belongs to a layer. Whoever wants no routes and rules any more is
// rid of them with the addresses, before them.
func (j *job) part(l layer, h Holdings) Holdings {
	switch leaving := j.want.paths().empty(); {
	case l == ofPaths:
		return h.paths()
	case !leaving:
		h.Routes, h.Rules = nil, nil
	}
	return h
}

// A task is what there is to do for a layer of a job at one moment: what the job was
// then, and what is to be dropped.
type task struct {
	job
	of    *job
	layer layer
	apply bool
	hold  Holdings // what is wanted, without the own address
	drop  Holdings
}

// packets are the addresses that are to be announced, one after the other.
func (a *Announcing) packets(addresses []InterfaceAddress) []InterfaceAddress {
	var all []InterfaceAddress
	for range max(a.Repeat, 1) {
		for _, held := range addresses {
			all = append(all, held)
			for _, name := range a.Interfaces {
				if name != held.Interface {
					all = append(all, InterfaceAddress{name, held.Prefix})
				}
			}
		}
	}
	return all
}

// maxFailures bounds the failures of one router's addresses that are told.
const maxFailures = 3

// firstOf returns the first of joined errors as one line, and how many more there
// are.
func firstOf(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if more := len(lines) - maxFailures; more > 0 {
		lines = append(lines[:maxFailures], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "; ")
}
