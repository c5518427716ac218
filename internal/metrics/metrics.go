// Package metrics exports the daemon's state to Prometheus.
//
// All values of a scrape are taken from one api.Status. None is stored here, so
// none can differ from the director's own.
package metrics

import (
	"context"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

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
		s.flag(directorUp, err == nil, none)
		if err == nil {
			s.status(st)
		}
		s.process()
		s.answer(w, r)
	})
}

func (s scrape) status(st *api.Status) {
	s.daemon(st)
	s.config(&st.Reload, st.Node)
	for i := range st.Routers {
		s.router(&st.Routers[i])
	}
	for i := range st.Services {
		s.service(&st.Services[i])
	}
	s.probes(&st.Probes)
	s.table(&st.Table)
}

func (s scrape) flag(f family, set bool, l labels) {
	v := 0.0
	if set {
		v = 1
	}
	s.number(f, v, l)
}

// moment adds a time, unless it is zero.
func (s scrape) moment(f family, t time.Time, l labels) {
	if !t.IsZero() {
		s.number(f, float64(t.UnixMicro())/1e6, l)
	}
}

func (s scrape) daemon(st *api.Status) {
	s.flag(buildInfo, true, label("goversion", runtime.Version(), "version", st.Version))
	s.flag(ready, st.Ready, none)
	s.flag(stopping, st.Stopping, none)
	s.findings(st.Findings)
	if len(st.Routers) > 0 {
		s.flag(keeperUp, st.Keeper.PID != 0, none)
	}
	s.number(keeperRestarts, float64(st.Keeper.Restarts), none)
	s.number(keeperDropped, float64(st.Keeper.EventsDropped), none)
	s.number(keeperUnclaimed, float64(st.Keeper.Unclaimed), none)
}

func (s scrape) findings(all []api.Finding) {
	count := map[api.Severity]int{api.Error: 0, api.Warning: 0}
	for i := range all {
		count[all[i].Severity]++
	}
	for severity, n := range count {
		s.number(findings, float64(n), label("severity", string(severity)))
	}
}

func (s scrape) config(r *api.Reload, node string) {
	s.flag(configInfo, true, label("digest", r.Digest, "node", node))
	s.flag(configSuccessful, r.OK, none)
	s.moment(configRead, r.Last, none)
	s.moment(configApplied, r.Applied, none)
	s.number(configReloads, float64(r.Succeeded), label("result", "success"))
	s.number(configReloads, float64(r.Failed), label("result", "failure"))
}

func (s scrape) router(r *api.Router) {
	l := label("router", r.Name)
	s.flag(routerInfo, true, label("interface", r.Interface, "router", r.Name,
		"version", strconv.Itoa(int(r.Version)), "vrid", strconv.Itoa(int(r.VRID))))
	for _, state := range []api.State{api.Initialize, api.Backup, api.Master} {
		s.flag(routerState, r.State == state, label("router", r.Name, "state", string(state)))
	}
	s.moment(routerSince, r.Since, l)
	s.number(routerPriority, float64(r.Priority), l)
	s.number(routerAddresses, float64(len(r.Addresses)), l)
	s.number(routerHeld, float64(r.Held), l)
	s.routerCounters(&r.Counters, r.Name, l)
}

func (s scrape) routerCounters(c *api.RouterCounters, name string, l labels) {
	s.number(routerTransitions, float64(c.BecameMaster), label("router", name, "transition", "to_master"))
	s.number(routerTransitions, float64(c.LeftMaster), label("router", name, "transition", "from_master"))
	s.number(routerSent, float64(c.AdvertsSent), l)
	s.number(routerReceived, float64(c.AdvertsReceived), l)
	s.number(routerZeroSent, float64(c.PriorityZeroSent), l)
	s.number(routerZeroReceived, float64(c.PriorityZeroReceived), l)
	for reason, n := range c.Discarded {
		s.number(routerDiscarded, float64(n), label("reason", reason, "router", name))
	}
	for reason, n := range c.Mismatched {
		s.number(routerMismatched, float64(n), label("reason", reason, "router", name))
	}
	s.number(routerOtherMasters, float64(c.OtherMasters), l)
	s.number(routerSendErrors, float64(c.SendErrors), l)
	s.number(routerStalls, float64(c.Stalls), l)
	s.number(routerRestored, float64(c.AddressesRestored), l)
}

func (s scrape) service(v *api.Service) {
	l := label("service", v.Name)
	s.flag(serviceInfo, true, label("address", v.Address, "scheduler", v.Scheduler, "service", v.Name))
	if v.InKernel || v.Supply != api.Withheld {
		s.flag(serviceInKernel, v.InKernel, l)
	}
	if v.Supply == api.Served || v.Supply == api.Unserved {
		s.flag(serviceServed, v.Supply == api.Served, l)
	}
	if v.Fallback != nil {
		s.flag(serviceFallback, v.Fallback.InKernel, l)
	}
	count := make(map[api.Health]int, 4)
	for i := range v.Servers {
		count[v.Servers[i].Health]++
	}
	for _, health := range []api.Health{api.Up, api.Down, api.Unknown, api.Unchecked} {
		s.number(serviceServers, float64(count[health]), label("health", string(health), "service", v.Name))
	}
	for i := range v.Servers {
		s.server(v.Name, &v.Servers[i])
	}
}

func (s scrape) server(service string, v *api.Server) {
	l := label("address", v.Address, "server", v.Name, "service", service)
	if v.Health != api.Unknown {
		s.flag(serverUp, v.Health != api.Down, l)
	}
	s.number(serverWeight, float64(v.Weight), l)
	if !v.InKernel {
		return
	}
	s.number(serverKernel, float64(v.KernelWeight), l)
	s.serverCounters(&v.Counters, l)
}

func (s scrape) serverCounters(c *api.Counters, l labels) {
	s.number(serverActive, float64(c.Active), l)
	s.number(serverInactive, float64(c.Inactive), l)
	s.number(serverConns, float64(c.Connections), l)
	s.number(serverReceived, float64(c.BytesIn), l)
	s.number(serverSent, float64(c.BytesOut), l)
}

func (s scrape) probes(c *api.Probes) {
	s.number(probeTargets, float64(c.Targets), none)
	s.number(probesInFlight, float64(c.InFlight), none)
	s.number(probesWaiting, float64(c.Waiting), none)
	s.number(probesLate, float64(c.Late), none)
	s.number(probeLateSeconds, c.LateSeconds, none)
	for _, kind := range slices.Sorted(maps.Keys(c.Kinds)) {
		k := c.Kinds[kind]
		for outcome, n := range map[api.Outcome]uint64{api.Passed: k.Passed, api.Failed: k.Failed, api.NotRun: k.NotRun} {
			s.number(probes, float64(n), label("kind", kind, "outcome", string(outcome)))
		}
		s.durations(kind, k)
	}
}

// durations turns the checker's buckets into cumulative ones.
func (s scrape) durations(kind string, k api.Kind) {
	var count uint64
	for i, n := range k.Buckets {
		count += n
		if i < len(checker.LatencyBounds) {
			le := strconv.FormatFloat(checker.LatencyBounds[i], 'g', -1, 64)
			s.part(probeDuration, "_bucket", float64(count), label("kind", kind, "le", le))
		}
	}
	l := label("kind", kind)
	s.part(probeDuration, "_bucket", float64(count), label("kind", kind, "le", "+Inf"))
	s.part(probeDuration, "_sum", k.Seconds, l)
	s.part(probeDuration, "_count", float64(count), l)
}

func (s scrape) table(t *api.Table) {
	for op, n := range t.Operations {
		s.number(tableOperations, float64(n), label("operation", op))
	}
	s.number(tableErrors, float64(t.Errors), none)
	s.number(tableDrift, float64(t.Drift), none)
	s.number(tableForeign, float64(t.Foreign), none)
	s.number(tablePending, float64(t.Pending), none)
	s.moment(tableAudited, t.Audited, none)
}
