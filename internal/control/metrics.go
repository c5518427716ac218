package control

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// A Collector turns one snapshot into metrics, anew for each scrape.
type Collector struct{ src Source }

// NewCollector returns a collector over src.
func NewCollector(src Source) *Collector { return &Collector{src} }

// Describe sends the description of every metric.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		ch <- d
	}
}

// Collect takes a snapshot and sends every metric in it.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := scrape(ch)
	st, err := snapshot(context.Background(), c.src)
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

// A sample is one value of a family. Its labels may be shared with the other
// samples of one real server, which prometheus.NewConstMetric can't do: of ten
// thousand servers' scrape that is a third of the memory and of the time.
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

// pairs makes labels of names and values in turn, in order of the names. Text
// that is no UTF-8 would lose its metrics, so it is made printable.
func pairs(nameValue ...string) []*dto.LabelPair {
	labels := make([]*dto.LabelPair, 0, len(nameValue)/2)
	for i := 0; i < len(nameValue); i += 2 {
		nameValue[i+1] = Printable(nameValue[i+1])
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

// moment sends a time; one that never came is missing.
func (s scrape) moment(f family, t time.Time, labels ...*dto.LabelPair) {
	if !t.IsZero() {
		s.number(f, float64(t.UnixMicro())/1e6, labels...)
	}
}

func (s scrape) daemon(st *director.Status) {
	s.flag(buildInfo, true, pairs("goversion", runtime.Version(), "version", st.Version)...)
	s.flag(ready, st.Ready)
	s.flag(stopping, st.Stopping)
	s.number(warnings, float64(len(Warnings(st))))
	if len(st.Routers) > 0 {
		s.flag(keeperUp, st.Keeper.PID != 0)
	}
	s.number(keeperRestarts, float64(st.Keeper.Restarts))
	s.number(keeperDropped, float64(st.Keeper.EventsDropped))
	s.number(keeperUnclaimed, float64(st.Keeper.Unclaimed))
}

func (s scrape) config(r *director.ReloadStatus, node string) {
	s.flag(configInfo, true, pairs("digest", r.Digest, "node", node)...)
	s.flag(configSuccessful, r.OK)
	s.moment(configRead, r.Last)
	s.moment(configApplied, r.Applied)
	s.number(configReloads, float64(r.Succeeded), pairs("result", "success")...)
	s.number(configReloads, float64(r.Failed), pairs("result", "failure")...)
}

func (s scrape) router(r *vrrp.Status) {
	l := pairs("router", r.Name)
	s.flag(routerInfo, true, pairs("interface", r.Interface, "router", r.Name,
		"version", strconv.Itoa(int(r.Version)), "vrid", strconv.Itoa(int(r.VRID)))...)
	for state := vrrp.Initialize; state <= vrrp.Master; state++ {
		s.flag(routerState, r.State == state, pairs("router", r.Name, "state", state.String())...)
	}
	s.moment(routerSince, r.Since, l...)
	s.number(routerPriority, float64(r.Priority), l...)
	s.number(routerAddresses, float64(len(r.Addresses)), l...)
	s.number(routerHeld, float64(r.Held), l...)
	s.routerCounters(&r.Counters, r.Name, l)
}

func (s scrape) routerCounters(c *vrrp.Counters, name string, l []*dto.LabelPair) {
	s.number(routerTransitions, float64(c.BecameMaster), pairs("router", name, "transition", "to_master")...)
	s.number(routerTransitions, float64(c.LeftMaster), pairs("router", name, "transition", "from_master")...)
	s.number(routerSent, float64(c.AdvertsSent), l...)
	s.number(routerReceived, float64(c.AdvertsReceived), l...)
	s.number(routerZeroSent, float64(c.PriorityZeroSent), l...)
	s.number(routerZeroReceived, float64(c.PriorityZeroReceived), l...)
	for reason, n := range c.Discarded {
		s.number(routerDiscarded, float64(n), pairs("reason", string(reason), "router", name)...)
	}
	for reason, n := range c.Mismatched {
		s.number(routerMismatched, float64(n), pairs("reason", string(reason), "router", name)...)
	}
	s.number(routerOtherMasters, float64(c.OtherMasters), l...)
	s.number(routerSendErrors, float64(c.SendErrors), l...)
	s.number(routerStalls, float64(c.Stalls), l...)
	s.number(routerRestored, float64(c.AddressesRestored), l...)
}

func (s scrape) service(v *director.ServiceStatus) {
	l := pairs("service", v.Name)
	s.flag(serviceInfo, true, pairs("address", v.Address, "scheduler", v.Scheduler, "service", v.Name)...)
	if v.InKernel || v.Supply != director.Withheld {
		s.flag(serviceInKernel, v.InKernel, l...)
	}
	if v.Supply == director.Served || v.Supply == director.Unserved {
		s.flag(serviceServed, v.Supply == director.Served, l...)
	}
	if v.Fallback != nil {
		s.flag(serviceFallback, v.Fallback.InKernel, l...)
	}
	count := countHealth(v)
	for _, health := range []director.Health{director.HealthUp, director.HealthDown, director.HealthUnknown, director.HealthUnchecked} {
		s.number(serviceServers, float64(count[health]), pairs("health", string(health), "service", v.Name)...)
	}
	for i := range v.Servers {
		s.server(v.Name, &v.Servers[i])
	}
}

func (s scrape) server(service string, v *director.ServerStatus) {
	l := pairs("address", v.Address, "server", v.Name, "service", service)
	if v.Health != director.HealthUnknown {
		s.flag(serverUp, v.Health != director.HealthDown, l...)
	}
	s.number(serverWeight, float64(v.Weight), l...)
	if !v.InKernel {
		return
	}
	s.number(serverKernel, float64(v.KernelWeight), l...)
	s.serverCounters(&v.Counters, l)
}

func (s scrape) serverCounters(c *ipvsctl.Counters, l []*dto.LabelPair) {
	s.number(serverActive, float64(c.Active), l...)
	s.number(serverInactive, float64(c.Inactive), l...)
	s.number(serverConns, float64(c.Connections), l...)
	s.number(serverReceived, float64(c.BytesIn), l...)
	s.number(serverSent, float64(c.BytesOut), l...)
}

func (s scrape) probes(c *checker.Stats) {
	s.number(probeTargets, float64(c.Targets))
	s.number(probesInFlight, float64(c.InFlight))
	s.number(probesWaiting, float64(c.Waiting))
	s.number(probesLate, float64(c.Late))
	s.number(probeLateSeconds, c.LateSeconds)
	for kind, k := range c.Kinds {
		for outcome, n := range map[checker.Outcome]uint64{checker.Passed: k.Passed, checker.Failed: k.Failed, checker.NotRun: k.NotRun} {
			s.number(probes, float64(n), pairs("kind", kind, "outcome", outcome.String())...)
		}
		s <- histogram(kind, k)
	}
}

// histogram makes cumulative buckets of the checker's.
func histogram(kind string, k checker.KindStats) prometheus.Metric {
	buckets := make(map[float64]uint64, len(checker.LatencyBounds))
	var count uint64
	for i, n := range k.Buckets {
		count += n
		if i < len(checker.LatencyBounds) {
			buckets[checker.LatencyBounds[i]] = count
		}
	}
	return prometheus.MustNewConstHistogram(probeDuration.desc, count, k.Seconds, buckets, Printable(kind))
}

func (s scrape) table(t *ipvsctl.Stats) {
	for op, n := range t.Operations {
		s.number(tableOperations, float64(n), pairs("operation", op)...)
	}
	s.number(tableErrors, float64(t.Errors))
	s.number(tableDrift, float64(t.Drift))
	s.number(tableForeign, float64(t.Foreign))
	s.number(tablePending, float64(t.Pending))
	s.moment(tableAudited, t.Audited)
}
