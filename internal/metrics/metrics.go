// Package metrics exports the daemon's state to Prometheus.
//
// All values of a scrape are taken from one api.Status. None is stored here, so
// none can differ from the director's own.
package metrics

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// A Source asks the director's loop for its state, within a bounded time.
type Source func(context.Context) (*api.Status, error)

// Handler answers scrapes with the source's state and the figures of the Go
// runtime and the process. What could not be gathered is left out, so that the
// rest of the scrape is not lost: lvsd_director_up is 0 when the loop did not
// answer.
func Handler(src Source) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collector{src},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// A collector turns one status into metrics, anew for each scrape.
type collector struct{ src Source }

// Describe sends nothing: what there is depends on the status.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks for a status and sends every metric in it.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := scrape(ch)
	st, err := c.src(context.Background())
	s.flag(directorUp, err == nil)
	if err != nil {
		return
	}
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

// A scrape is where the metrics of one scrape go.
type scrape chan<- prometheus.Metric

// A sample is one value of a family. It shares its labels with the other samples
// of a real server, which prometheus.NewConstMetric cannot do: in a scrape of ten
// thousand servers that saves a third of the memory and of the time.
type sample struct {
	family
	value  float64
	labels []*dto.LabelPair
}

// Desc returns the family's description.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write fills in out.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	if s.counter {
		out.Counter = &dto.Counter{Value: &s.value}
	} else {
		out.Gauge = &dto.Gauge{Value: &s.value}
	}
	return nil
}

// pairs makes labels of alternating names and values, in order of the names. A
// value that is not UTF-8 would cost the metric, so values are made printable.
func pairs(nameValue ...string) []*dto.LabelPair {
	labels := make([]*dto.LabelPair, 0, len(nameValue)/2)
	for i := 0; i < len(nameValue); i += 2 {
		nameValue[i+1] = text.Printable(nameValue[i+1])
		labels = append(labels, &dto.LabelPair{Name: &nameValue[i], Value: &nameValue[i+1]})
	}
	return labels
}

func (s scrape) number(f family, v float64, labels ...*dto.LabelPair) {
	s <- &sample{family: f, value: v, labels: labels}
}

func (s scrape) flag(f family, set bool, labels ...*dto.LabelPair) {
	v := 0.0
	if set {
		v = 1
	}
	s.number(f, v, labels...)
}

// moment sends a time, unless it is zero.
func (s scrape) moment(f family, t time.Time, labels ...*dto.LabelPair) {
	if !t.IsZero() {
		s.number(f, float64(t.UnixMicro())/1e6, labels...)
	}
}

func (s scrape) daemon(st *api.Status) {
	s.flag(buildInfo, true, pairs("goversion", runtime.Version(), "version", st.Version)...)
	s.flag(ready, st.Ready)
	s.flag(stopping, st.Stopping)
	s.findings(st.Findings)
	if len(st.Routers) > 0 {
		s.flag(keeperUp, st.Keeper.PID != 0)
	}
	s.number(keeperRestarts, float64(st.Keeper.Restarts))
	s.number(keeperDropped, float64(st.Keeper.EventsDropped))
	s.number(keeperUnclaimed, float64(st.Keeper.Unclaimed))
}

func (s scrape) findings(all []api.Finding) {
	count := map[api.Severity]int{api.Error: 0, api.Warning: 0}
	for i := range all {
		count[all[i].Severity]++
	}
	for severity, n := range count {
		s.number(findings, float64(n), pairs("severity", string(severity))...)
	}
}

func (s scrape) config(r *api.Reload, node string) {
	s.flag(configInfo, true, pairs("digest", r.Digest, "node", node)...)
	s.flag(configSuccessful, r.OK)
	s.moment(configRead, r.Last)
	s.moment(configApplied, r.Applied)
	s.number(configReloads, float64(r.Succeeded), pairs("result", "success")...)
	s.number(configReloads, float64(r.Failed), pairs("result", "failure")...)
}

func (s scrape) router(r *api.Router) {
	l := pairs("router", r.Name)
	s.flag(routerInfo, true, pairs("interface", r.Interface, "router", r.Name,
		"version", strconv.Itoa(int(r.Version)), "vrid", strconv.Itoa(int(r.VRID)))...)
	for _, state := range []api.State{api.Initialize, api.Backup, api.Master} {
		s.flag(routerState, r.State == state, pairs("router", r.Name, "state", string(state))...)
	}
	s.moment(routerSince, r.Since, l...)
	s.number(routerPriority, float64(r.Priority), l...)
	s.number(routerAddresses, float64(len(r.Addresses)), l...)
	s.number(routerHeld, float64(r.Held), l...)
	s.routerCounters(&r.Counters, r.Name, l)
}

func (s scrape) routerCounters(c *api.RouterCounters, name string, l []*dto.LabelPair) {
	s.number(routerTransitions, float64(c.BecameMaster), pairs("router", name, "transition", "to_master")...)
	s.number(routerTransitions, float64(c.LeftMaster), pairs("router", name, "transition", "from_master")...)
	s.number(routerSent, float64(c.AdvertsSent), l...)
	s.number(routerReceived, float64(c.AdvertsReceived), l...)
	s.number(routerZeroSent, float64(c.PriorityZeroSent), l...)
	s.number(routerZeroReceived, float64(c.PriorityZeroReceived), l...)
	for reason, n := range c.Discarded {
		s.number(routerDiscarded, float64(n), pairs("reason", reason, "router", name)...)
	}
	for reason, n := range c.Mismatched {
		s.number(routerMismatched, float64(n), pairs("reason", reason, "router", name)...)
	}
	s.number(routerOtherMasters, float64(c.OtherMasters), l...)
	s.number(routerSendErrors, float64(c.SendErrors), l...)
	s.number(routerStalls, float64(c.Stalls), l...)
	s.number(routerRestored, float64(c.AddressesRestored), l...)
}

func (s scrape) service(v *api.Service) {
	l := pairs("service", v.Name)
	s.flag(serviceInfo, true, pairs("address", v.Address, "scheduler", v.Scheduler, "service", v.Name)...)
	if v.InKernel || v.Supply != api.Withheld {
		s.flag(serviceInKernel, v.InKernel, l...)
	}
	if v.Supply == api.Served || v.Supply == api.Unserved {
		s.flag(serviceServed, v.Supply == api.Served, l...)
	}
	if v.Fallback != nil {
		s.flag(serviceFallback, v.Fallback.InKernel, l...)
	}
	count := make(map[api.Health]int, 4)
	for i := range v.Servers {
		count[v.Servers[i].Health]++
	}
	for _, health := range []api.Health{api.Up, api.Down, api.Unknown, api.Unchecked} {
		s.number(serviceServers, float64(count[health]), pairs("health", string(health), "service", v.Name)...)
	}
	for i := range v.Servers {
		s.server(v.Name, &v.Servers[i])
	}
}

func (s scrape) server(service string, v *api.Server) {
	l := pairs("address", v.Address, "server", v.Name, "service", service)
	if v.Health != api.Unknown {
		s.flag(serverUp, v.Health != api.Down, l...)
	}
	s.number(serverWeight, float64(v.Weight), l...)
	if !v.InKernel {
		return
	}
	s.number(serverKernel, float64(v.KernelWeight), l...)
	s.serverCounters(&v.Counters, l)
}

func (s scrape) serverCounters(c *api.Counters, l []*dto.LabelPair) {
	s.number(serverActive, float64(c.Active), l...)
	s.number(serverInactive, float64(c.Inactive), l...)
	s.number(serverConns, float64(c.Connections), l...)
	s.number(serverReceived, float64(c.BytesIn), l...)
	s.number(serverSent, float64(c.BytesOut), l...)
}

func (s scrape) probes(c *api.Probes) {
	s.number(probeTargets, float64(c.Targets))
	s.number(probesInFlight, float64(c.InFlight))
	s.number(probesWaiting, float64(c.Waiting))
	s.number(probesLate, float64(c.Late))
	s.number(probeLateSeconds, c.LateSeconds)
	for kind, k := range c.Kinds {
		for outcome, n := range map[api.Outcome]uint64{api.Passed: k.Passed, api.Failed: k.Failed, api.NotRun: k.NotRun} {
			s.number(probes, float64(n), pairs("kind", kind, "outcome", string(outcome))...)
		}
		s <- histogram(kind, k)
	}
}

// histogram turns the checker's buckets into cumulative ones.
func histogram(kind string, k api.Kind) prometheus.Metric {
	buckets := make(map[float64]uint64, len(checker.LatencyBounds))
	var count uint64
	for i, n := range k.Buckets {
		count += n
		if i < len(checker.LatencyBounds) {
			buckets[checker.LatencyBounds[i]] = count
		}
	}
	return prometheus.MustNewConstHistogram(probeDuration.desc, count, k.Seconds, buckets, text.Printable(kind))
}

func (s scrape) table(t *api.Table) {
	for op, n := range t.Operations {
		s.number(tableOperations, float64(n), pairs("operation", op)...)
	}
	s.number(tableErrors, float64(t.Errors))
	s.number(tableDrift, float64(t.Drift))
	s.number(tableForeign, float64(t.Foreign))
	s.number(tablePending, float64(t.Pending))
	s.moment(tableAudited, t.Audited)
}
