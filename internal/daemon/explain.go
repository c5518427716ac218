package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
)

// maxSteps bounds how many steps of one check are told, and maxStep how much of each, in
// bytes.
const (
	maxSteps = 100
	maxStep  = 400
)

// Check runs the checks of a virtual service's real servers once, as the configuration
// says, and returns what each saw. A server is known by its name or its address; empty:
// all of them. A configuration that is not valid is an *InvalidError.
func Check(ctx context.Context, o Options, service, server string) (*api.Checked, error) {
	q, _, err := query(o.Config, o.Node, o.FileDirs)
	if err != nil {
		return nil, err
	}
	r, err := read(ctx, newReader(), q)
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, err
	}
	all, err := chosen(r.Config, service, server)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Config, err)
	}
	answer := &api.Checked{SchemaVersion: api.SchemaVersion, Path: r.Path, Node: r.Node, Checks: all.explain(ctx)}
	answer.Passed = all.pass(answer.Checks)
	return answer, nil
}

// A selection is a virtual service, and those of its real servers that are asked.
type selection struct {
	service *config.Service
	servers []*config.Server
}

// chosen returns what is to be asked.
func chosen(c *config.Config, service, server string) (selection, error) {
	var names []string
	for i := range c.Services {
		s := &c.Services[i]
		if s.Name != service {
			names = append(names, s.Name)
			continue
		}
		one := selection{service: s}
		for j := range s.Servers {
			if k := &s.Servers[j]; server == "" || server == k.Name || server == k.Key.String() || server == k.Key.Addr.String() {
				one.servers = append(one.servers, k)
			}
		}
		if len(one.servers) == 0 {
			return one, fmt.Errorf("virtual service %q has no real server %q: lvsd status %s lists them", service, server, service)
		}
		return one, nil
	}
	if len(names) == 0 {
		return selection{}, fmt.Errorf("there is no virtual service %q, nor any other", service)
	}
	return selection{}, fmt.Errorf("there is no virtual service %q: write one of %s", service, strings.Join(names[:min(len(names), 20)], ", "))
}

// pass reports whether every server passes, by what its checks saw.
func (s selection) pass(seen []api.Explained) bool {
	for _, server := range s.servers {
		n := len(server.Checks)
		state := server.Rule.State(n, func(place int) checker.State {
			if seen[place].Last.Outcome == api.Passed {
				return checker.Up
			}
			return checker.Down
		})
		if state != checker.Up {
			return false
		}
		seen = seen[n:]
	}
	return true
}

// explain runs all checks at once, and returns what they saw in the order of the
// configuration.
func (s selection) explain(ctx context.Context) (all []api.Explained) {
	prober := probe.New(starter(newSpawner()))
	prober.ForwardBy(newForwarder())
	all = []api.Explained{}
	var probes sync.WaitGroup
	for _, server := range s.servers {
		groups := server.Rule.Groups(len(server.Checks))
		for i := range server.Checks {
			t := server.Checks[i].Target
			all = append(all, api.Explained{
				Service: s.service.Name, Server: server.Name, Address: server.Key.String(), Asked: t.Asked(),
				Kind: t.Spec.Kind(), Group: groups[i], Wants: t.Spec.Wants(), Timeout: t.Timeout, TimeoutText: api.Duration(t.Timeout), Steps: []api.Step{},
			})
		}
	}
	limit := make(chan struct{}, checker.DefaultInFlight)
	n := 0
	for _, server := range s.servers {
		for i := range server.Checks {
			e, t := &all[n], server.Checks[i].Target
			n++
			limit <- struct{}{}
			probes.Go(func() {
				explain(ctx, prober, t, e)
				<-limit
			})
		}
	}
	probes.Wait()
	return all
}

// explain runs one probe, and notes what it sees.
func explain(ctx context.Context, p *probe.Prober, t checker.Target, e *api.Explained) {
	run := p.Compile(t.Spec)
	var mu sync.Mutex // a kind of check may say things in several goroutines
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	r := run(probe.WithTracer(ctx, func(step, text string) {
		mu.Lock()
		defer mu.Unlock()
		text = text[:min(len(text), maxStep)]
		if at := time.Since(began); len(e.Steps) < maxSteps {
			e.Steps = append(e.Steps, api.Step{At: at, AtText: api.Duration(at), Step: step, Text: text})
		}
	}), t)
	mu.Lock()
	defer mu.Unlock()
	r.At = time.Now()
	r.Latency = r.At.Sub(began)
	e.Last = api.Result{At: r.At, Latency: r.Latency, LatencyText: api.Duration(r.Latency), Outcome: api.Outcome(r.Outcome.String()),
		Reason: r.Reason.String(), Detail: r.Detail, CertificateEnds: r.CertificateEnds.Time()}
}
