package metrics

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/api/apitest"
	"github.com/lvsd/lvsd/internal/golden"
)

// fixed returns a source that always answers the same.
func fixed(st *api.Status) Source {
	return func(context.Context) (*api.Status, error) { return st, nil }
}

// large has 1,000 services with 10 real servers each.
func large() *api.Status {
	st := apitest.Healthy()
	like := st.Services[0]
	st.Services = nil
	for i := range 1000 {
		v := like
		v.Name, v.Servers, v.Fallback = fmt.Sprintf("shop-%04d", i), nil, nil
		for j := range 10 {
			s := like.Servers[0]
			s.Name = fmt.Sprintf("node-%04d-%02d", i, j)
			v.Servers = append(v.Servers, s)
		}
		st.Services = append(st.Services, v)
	}
	return st
}

// full is a status in which every metric has a value.
func full() *api.Status {
	st := apitest.Healthy()
	st.Routers[0].Counters.Mismatched = map[string]uint64{"addresses": 1}
	s := &st.Services[0].Servers[1]
	s.Health, s.InKernel, s.KernelWeight, s.Counters = api.Down, false, 0, api.Counters{}
	s.Checks = []api.Check{{Kind: "https", Last: api.Result{CertificateEnds: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}}}
	st.Findings = []api.Finding{{Severity: api.Warning, Text: "1 of 3 real servers is down"}}
	st.ServerMetrics = true
	st.Keeper.Watchdog = &api.Watchdog{Device: "/dev/watchdog", Fed: true}
	st.Rules = &api.Rules{Wanted: 1, Kept: true, Failures: 1, Repairs: 2, Faults: map[string]uint64{"ENOBUFS": 1}}
	st.SyncGroups = []api.SyncGroup{{Name: "nat", State: api.Master}}
	marked := st.Services[0]
	marked.Name, marked.Key = "marked", api.ServiceKey{Mark: 7, Address: netip.IPv6Unspecified()}
	marked.Tier = 2
	marked.Servers, marked.Fallback, marked.Transitions = nil, nil, api.Transitions{ToUp: 3, ToDown: 4}
	st.Services = append(st.Services, marked)
	return st
}

// scrapeText returns the metrics of the daemon, without the Go runtime's and
// the process's.
func scrapeText(t testing.TB, src Source) string {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(src).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics answers %d: %s", w.Code, w.Body)
	}
	var b strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "lvsd_") {
			b.WriteString(line)
		}
	}
	return strings.ReplaceAll(b.String(), runtime.Version(), "go1.x")
}

func TestMetrics(t *testing.T) {
	golden.Check(t, "testdata/metrics.txt", scrapeText(t, fixed(full())))
}

// TestMetricNames holds the names, and the whole text as Prometheus' own parser
// reads it, to its conventions.
func TestMetricNames(t *testing.T) {
	problems, err := promlint.New(strings.NewReader(scrapeText(t, fixed(full())))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// parse reads a whole answer with Prometheus' own parser.
func parse(t *testing.T, r io.Reader) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(r)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestProcessMetrics: what dashboards for Go programs ask for is there, in an
// answer that is compressed because the scraper asked for that.
func TestProcessMetrics(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "deflate, gzip;q=1.0")
	Handler(fixed(full())).ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("the answer is not compressed: %v, %v", w.Header(), err)
	}
	families := parse(t, z)
	for _, name := range []string{
		"go_info", "go_goroutines", "go_threads", "go_gc_duration_seconds", "go_memstats_heap_inuse_bytes",
		"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_resident_memory_bytes",
		"process_virtual_memory_bytes", "process_start_time_seconds", "lvsd_director_up",
	} {
		if f := families[name]; f == nil || len(f.Metric) != 1 {
			t.Errorf("%s: %v", name, f)
		}
	}
	if m := families["process_resident_memory_bytes"]; m != nil && m.Metric[0].GetGauge().GetValue() < 1<<20 {
		t.Errorf("this process is said to have %v", m)
	}
}

// TestEveryFamilyIsCollected finds declarations that nothing is sent for.
func TestEveryFamilyIsCollected(t *testing.T) {
	source, err := os.ReadFile("families.go")
	if err != nil {
		t.Fatal(err)
	}
	text := scrapeText(t, fixed(full()))
	declared := regexp.MustCompile(`(?:gauge|counter|histogram)\("(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 50 {
		t.Fatalf("found %d declarations", len(declared))
	}
	for _, d := range declared {
		if !strings.Contains(text, "# TYPE lvsd_"+d[1]+" ") {
			t.Errorf("%s is declared and never sent", d[1])
		}
	}
}

// What a virtual router counts is in the metrics, under whatever name.
func TestEveryCounterOfARouterIsAMetric(t *testing.T) {
	st := apitest.Healthy()
	counters := reflect.ValueOf(&st.Routers[0].Counters).Elem()
	const first = 770001
	for i := range counters.NumField() {
		if f := counters.Field(i); f.Kind() == reflect.Map {
			f.Set(reflect.ValueOf(map[string]uint64{"version": uint64(first + i)}))
		} else {
			f.SetUint(uint64(first + i))
		}
	}
	text := scrapeText(t, fixed(st))
	for i := range counters.NumField() {
		if strings.Count(text, fmt.Sprintf(" %d\n", first+i)) != 1 {
			t.Errorf("%s is not among the metrics, or twice", counters.Type().Field(i).Name)
		}
	}
}

func TestMetricsOfAHungLoop(t *testing.T) {
	hung := func(context.Context) (*api.Status, error) { return nil, errors.New("no answer") }
	w := httptest.NewRecorder()
	Handler(hung).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := w.Body.String()
	if !strings.Contains(body, "\nlvsd_director_up 0\n") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("a loop that hangs must not take the process's own metrics along:\n%.300s", body)
	}
	if strings.Contains(body, "lvsd_ready") {
		t.Error("metrics of a loop that did not answer")
	}
}

// TestMetricsSurviveBadText: names come from files, and one that Prometheus
// refuses must not cost the others.
func TestMetricsSurviveBadText(t *testing.T) {
	st := apitest.Healthy()
	st.ServerMetrics, st.Services[0].Name = true, "we\xffb\n\"x\""
	st.Services[0].Servers[1] = st.Services[0].Servers[0] // the same series twice
	st.Probes.Kinds = map[string]api.Kind{"ht\xfftp": {Passed: 1}, "tcp": {Buckets: make([]uint64, 99)}}
	text := scrapeText(t, fixed(st))
	servers := parse(t, strings.NewReader(text))["lvsd_real_server_weight"]
	if got, want := len(servers.GetMetric()), len(st.Services[0].Servers)-1; got != want {
		t.Errorf("%d series of real servers, want %d: Prometheus refuses the same one twice", got, want)
	}
	for _, want := range []string{
		`lvsd_service_in_kernel{service="we\\xffb\\n\"x\""} 1`, `server="192.168.2.2"`, `lvsd_router_priority{router="outside"} 150`,
		`lvsd_probes_total{kind="ht\\xfftp",outcome="passed"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

// An alert on these two must not fire on a director that leaves a service to
// the other one.
func TestServiceMetricsBySupply(t *testing.T) {
	for _, tt := range []struct {
		supply         api.Supply
		inKernel       bool
		served, kernel string // the values; empty: missing
	}{
		{api.Served, true, "1", "1"},
		{api.Unserved, true, "0", "1"},
		{api.Undecided, true, "", "1"},
		{api.Served, false, "1", "0"},
		{api.Withheld, false, "", ""},
		{api.Withheld, true, "", "1"},
	} {
		st := apitest.Healthy()
		st.Services[0].Supply, st.Services[0].InKernel = tt.supply, tt.inKernel
		text := scrapeText(t, fixed(st))
		for metric, want := range map[string]string{"service_served": tt.served, "service_in_kernel": tt.kernel} {
			_, after, found := strings.Cut(text, "\nlvsd_"+metric+`{service="web"} `)
			if got, _, _ := strings.Cut(after, "\n"); found != (want != "") || found && got != want {
				t.Errorf("%s, in the kernel %v: %s is %q, want %q", tt.supply, tt.inKernel, metric, got, want)
			}
		}
	}
}

// TestSeriesOfALargeDirector bounds what a director with 10,000 real servers
// costs Prometheus.
func TestSeriesOfALargeDirector(t *testing.T) {
	for _, tt := range []struct {
		servers bool
		limit   int
	}{{false, 1000*26 + 200}, {true, 10_000*8 + 1000*26 + 200}} {
		st := large()
		st.ServerMetrics = tt.servers
		text := scrapeText(t, fixed(st))
		series := 0
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") {
				series++
			}
		}
		t.Logf("%d series, %d bytes, with those of servers: %v", series, len(text), tt.servers)
		if series > tt.limit || series < tt.limit/2 {
			t.Errorf("%d series, want at most %d, with those of servers: %v", series, tt.limit, tt.servers)
		}
	}
}

// BenchmarkScrape is a scrape of 1,000 services with 10 real servers each, with
// and without the series of these.
func BenchmarkScrape(b *testing.B) {
	for _, servers := range []bool{false, true} {
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprintf("servers=%v/%s", servers, encoding), func(b *testing.B) {
				st := large()
				st.ServerMetrics = servers
				h, r := Handler(fixed(st)), httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept-Encoding", encoding)
				b.ReportAllocs()
				for b.Loop() {
					h.ServeHTTP(discard{http.Header{}}, r)
				}
			})
		}
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}
