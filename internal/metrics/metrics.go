// Package metrics exports the daemon's state to Prometheus.
//
// All values of a scrape are taken from one api.Status. None is stored here, so
// none can differ from the director's own.
package metrics

import (
	"context"
	"maps"
	"math"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strconv"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
)

// A Source asks the director's loop for its state, within a bounded time.
type Source func(context.Context) (*api.Status, error)

// Handler answers scrapes with the source's state and the figures of the Go
// runtime and the process. What could not be gathered is left out, so that the
// rest of the scrape is not lost: lvsd_director_up is 0 when the loop did not
// answer.
func Handler(src Source) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := scrape{}
		st, err := src(r.Context())
		s.number(directorUp, oneIf(err == nil), none)
		if err == nil {
			s.status(st)
		}
		s.process()
		s.answer(w, r)
	})
}

// figures adds what is known of one T.
func figures[T any](s scrape, all []figure[T], v *T, l labels) {
	for i := range all {
		if x := all[i].of(v); !math.IsNaN(x) {
			s.number(all[i].family, x, l)
		}
	}
}

func (s scrape) status(st *api.Status) {
	figures(s, daemonFigures, st, none)
	s.number(buildInfo, 1, label("goversion", runtime.Version(), "version", st.Version))
	s.number(configInfo, 1, label("digest", st.Reload.Digest, "node", st.Node))
	s.number(configReloads, float64(st.Reload.Succeeded), label("result", "success"))
	s.number(configReloads, float64(st.Reload.Failed), label("result", "failure"))
	s.findings(st.Findings)
	for i := range st.Routers {
		s.router(&st.Routers[i])
	}
	for _, g := range st.SyncGroups {
		for _, state := range []api.State{api.Initialize, api.Backup, api.Master, api.Split} {
			s.number(groupState, oneIf(g.State == state), label("group", g.Name, "state", string(state)))
		}
		for _, r := range g.Resources {
			s.resource(&r, "group", g.Name)
		}
		for i := range g.Hooks {
			h := &g.Hooks[i]
			figures(s, hookFigures, h, label("group", g.Name, "hook", strconv.Itoa(i+1), "on", h.On, "program", h.Program))
			s.fencing(h, i, "group", g.Name)
		}
	}
	for i := range st.Streams {
		figures(s, streamFigures, &st.Streams[i], label("program", st.Streams[i].Program, "stream", st.Streams[i].Name))
	}
	for i := range st.Services {
		s.service(&st.Services[i])
		if st.ServerMetrics {
			s.servers(&st.Services[i])
		}
	}
	s.histogram(probeDelay, &api.Histogram{Bounds: checker.DelayBounds, Buckets: st.Probes.Delays, Sum: st.Probes.DelaySeconds})
	for _, kind := range slices.Sorted(maps.Keys(st.Probes.Kinds)) {
		s.kind(kind, st.Probes.Kinds[kind])
	}
	for op, n := range st.Table.Operations {
		s.number(tableOperations, float64(n), label("operation", op))
	}
	s.faults("table", st.Table.Faults)
	s.faults("rules", rules(st).Faults)
	s.faults("settings", st.SettingFaults)
	s.faults("addresses", addressFaults(st.Routers))
}

// addressFaults are those of all virtual routers.
func addressFaults(routers []api.Router) map[string]uint64 {
	all := make(map[string]uint64)
	for i := range routers {
		for kind, n := range routers[i].Counters.Faults {
			all[kind] += n
		}
	}
	return all
}

// faults adds how often exchanges with the kernel about something went wrong, by how.
func (s scrape) faults(about string, all map[string]uint64) {
	for kind, n := range all {
		s.number(kernelFaults, float64(n), label("about", about, "kind", kind))
	}
}

func (s scrape) findings(all []api.Finding) {
	count := map[api.Severity]int{api.Error: 0, api.Warning: 0}
	for i := range all {
		if s := all[i].Severity; s != api.Info { // There is nothing to do about it.
			count[s]++
		}
	}
	for severity, n := range count {
		s.number(findings, float64(n), label("severity", string(severity)))
	}
}

// fencing adds how often a hook that the addresses wait for has run, if it is one.
func (s scrape) fencing(h *api.Hook, i int, kind, of string) {
	if !h.Before {
		return
	}
	for outcome, n := range map[string]uint64{"success": h.Runs - h.Failures - h.CalledOff, "failure": h.Failures, "called_off": h.CalledOff} {
		s.number(fencingRuns, float64(n), label("hook", strconv.Itoa(i+1), "outcome", outcome, "program", h.Program, kind, of))
	}
}

// resource adds what is known of a resource.
func (s scrape) resource(r *api.Resource, kind, of string) {
	known := r.State == api.ResourceRunning || r.State == api.ResourceStopped || r.State == api.ResourceStuck
	l := label("kind", r.Kind, "name", r.Name, kind, of)
	s.number(resourceRuns, float64(r.Runs), l)
	s.number(resourceFailures, float64(r.Failures), l)
	s.number(resourceRunning, onlyIf(known, oneIf(r.State == api.ResourceRunning)), l)
	s.number(resourceFailed, oneIf(r.Failure != ""), l)
}

func (s scrape) router(r *api.Router) {
	figures(s, routerFigures, r, label("router", r.Name))
	s.number(routerInfo, 1, label("interface", r.Interface, "router", r.Name,
		"version", strconv.Itoa(int(r.Version)), "vrid", strconv.Itoa(int(r.VRID))))
	for _, state := range []api.State{api.Initialize, api.Backup, api.Master} {
		s.number(routerState, oneIf(r.State == state), label("router", r.Name, "state", string(state)))
	}
	s.number(routerTransitions, float64(r.Counters.BecameMaster), label("router", r.Name, "transition", "to_master"))
	s.number(routerTransitions, float64(r.Counters.LeftMaster), label("router", r.Name, "transition", "from_master"))
	for _, p := range r.Peers {
		s.number(routerPeerAge, p.Age.Seconds(), label("peer", p.Address.String(), "router", r.Name))
	}
	s.histogram(routerAdvertGap, &r.AdvertGaps, "router", r.Name)
	s.histogram(routerAdvertLate, &r.AdvertLateness, "router", r.Name)
	for _, c := range r.Conditions {
		s.number(routerConditionMet, onlyIf(!c.Unknown, oneIf(c.Met)), label("condition", c.Name, "router", r.Name))
	}
	for _, x := range r.Resources {
		s.resource(&x, "router", r.Name)
	}
	for i := range r.Hooks {
		h := &r.Hooks[i]
		figures(s, hookFigures, h, label("hook", strconv.Itoa(i+1), "on", h.On, "program", h.Program, "router", r.Name))
		s.fencing(h, i, "router", r.Name)
	}
	for reason, n := range r.Counters.Discarded {
		s.number(routerDiscarded, float64(n), label("reason", reason, "router", r.Name))
	}
	for reason, n := range r.Counters.Mismatched {
		s.number(routerMismatched, float64(n), label("reason", reason, "router", r.Name))
	}
}

func (s scrape) service(v *api.Service) {
	figures(s, serviceFigures, v, label("service", v.Name))
	s.number(serviceInfo, 1, infoOf(v))
	s.number(serviceTransitions, float64(v.Transitions.ToUp), label("service", v.Name, "transition", "to_up"))
	s.number(serviceTransitions, float64(v.Transitions.ToDown), label("service", v.Name, "transition", "to_down"))
	s.histogram(serviceProbe, &v.Probes.Latency, "service", v.Name)
	for reason, n := range v.Probes.Reasons {
		s.number(serviceFailures, float64(n), label("reason", reason, "service", v.Name))
	}
	for i := range v.Hooks {
		h := &v.Hooks[i]
		figures(s, hookFigures, h, label("hook", strconv.Itoa(i+1), "on", h.On, "program", h.Program, "service", v.Name))
	}
	count := make(map[api.Health]int, 4)
	for i := range v.Servers {
		count[v.Servers[i].Health]++
	}
	for _, health := range []api.Health{api.Up, api.Down, api.Unknown, api.Unchecked} {
		s.number(serviceServers, float64(count[health]), label("health", string(health), "service", v.Name))
	}
}

// infoOf are the labels that identify a service to people: by address and
// protocol, or by firewall mark.
func infoOf(v *api.Service) labels {
	if v.Key.Mark != 0 {
		family := "ipv4"
		if v.Key.Address.Is6() {
			family = "ipv6"
		}
		return label("family", family, "firewall_mark", strconv.FormatUint(uint64(v.Key.Mark), 10), "scheduler", v.Scheduler, "service", v.Name)
	}
	address := netip.AddrPortFrom(v.Key.Address, v.Key.Port).String()
	return label("address", address, "protocol", v.Key.ProtocolName, "scheduler", v.Scheduler, "service", v.Name)
}

// servers adds the series of each real server of a service.
func (s scrape) servers(v *api.Service) {
	for i := range v.Servers {
		srv := &v.Servers[i]
		figures(s, serverFigures, srv, label("address", srv.Address, "server", srv.Name, "service", v.Name))
	}
}

// kind adds what probes of one kind found.
func (s scrape) kind(kind string, k api.Kind) {
	for outcome, n := range map[api.Outcome]uint64{api.Passed: k.Passed, api.Failed: k.Failed, api.NotRun: k.NotRun} {
		s.number(probes, float64(n), label("kind", kind, "outcome", string(outcome)))
	}
	s.histogram(probeDuration, &api.Histogram{Bounds: checker.LatencyBounds, Buckets: k.Buckets, Sum: k.Seconds}, "kind", kind)
}

// histogram adds a histogram of which each bucket begins where the one before ends,
// while Prometheus wants them cumulative. It has one label, or none.
func (s scrape) histogram(f family, h *api.Histogram, of ...string) {
	var count uint64
	for i, n := range h.Buckets {
		count += n
		if i < len(h.Bounds) {
			le := strconv.FormatFloat(h.Bounds[i], 'g', -1, 64)
			s.part(f, "_bucket", float64(count), bucketLabel(of, le))
		}
	}
	s.part(f, "_bucket", float64(count), bucketLabel(of, "+Inf"))
	s.part(f, "_sum", h.Sum, label(of...))
	s.part(f, "_count", float64(count), label(of...))
}

// bucketLabel are the labels of a bucket, in their order.
func bucketLabel(of []string, le string) labels {
	if len(of) > 0 && of[0] < "le" {
		return label(of[0], of[1], "le", le)
	}
	return label(append([]string{"le", le}, of...)...)
}
