package control

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/vrrp"
)

// full is a status in which every metric has a value.
func full() *director.Status {
	st := healthy()
	st.Routers[0].Counters.Mismatched = map[vrrp.Reason]uint64{"addresses": 1}
	fail(&st.Services[0].Servers[1], "connection refused", time.Millisecond)
	st.Findings = director.Findings(st)
	return st
}

// scrapeText returns the metrics of the daemon, without the Go runtime's and
// the process's.
func scrapeText(t testing.TB, src Source) string {
	t.Helper()
	w := httptest.NewRecorder()
	newHTTPHandler(src).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
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
	golden(t, "metrics.txt", scrapeText(t, fixed{full()}))
}

// TestMetricNames holds the names to Prometheus' conventions.
func TestMetricNames(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(NewCollector(fixed{full()}))
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestEveryFamilyIsCollected finds descriptions that nothing is sent for.
func TestEveryFamilyIsCollected(t *testing.T) {
	text := scrapeText(t, fixed{full()})
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	for _, d := range descriptions {
		if n := name.FindStringSubmatch(d.String())[1]; !strings.Contains(text, "# TYPE "+n+" ") {
			t.Errorf("%s is described and never sent", n)
		}
	}
}

func TestMetricsOfAHungLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, body := ask(newHTTPHandler(hung{}), "GET", "/metrics")
		if !strings.Contains(body, "\nlvsd_director_up 0\n") || !strings.Contains(body, "go_goroutines") {
			t.Errorf("a loop that hangs must not take the process's own metrics along:\n%.300s", body)
		}
		if strings.Contains(body, "lvsd_ready") {
			t.Error("metrics of a loop that did not answer")
		}
	})
}

// TestMetricsSurviveBadText: names come from files, and one that Prometheus
// refuses must not cost the others.
func TestMetricsSurviveBadText(t *testing.T) {
	st := healthy()
	st.Services[0].Name = "we\xffb\n\"x\""
	st.Services[0].Servers[1] = st.Services[0].Servers[0] // the same series twice
	st.Probes.Kinds = map[string]checker.KindStats{"ht\xfftp": {Passed: 1}, "tcp": {Buckets: make([]uint64, 99)}}
	text := scrapeText(t, fixed{st})
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
		supply         director.Supply
		inKernel       bool
		served, kernel string // the values; empty: missing
	}{
		{director.Served, true, "1", "1"},
		{director.Unserved, true, "0", "1"},
		{director.Undecided, true, "", "1"},
		{director.Served, false, "1", "0"},
		{director.Withheld, false, "", ""},
		{director.Withheld, true, "", "1"},
	} {
		st := healthy()
		st.Services[0].Supply, st.Services[0].InKernel = tt.supply, tt.inKernel
		text := scrapeText(t, fixed{st})
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
	text := scrapeText(t, fixed{large(1000, 10)})
	series := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	t.Logf("%d series, %d bytes", series, len(text))
	if limit := 10_000*8 + 1000*7 + 200; series > limit {
		t.Errorf("%d series, want at most %d", series, limit)
	}
}

// BenchmarkScrape is a scrape of 1,000 services with 10 real servers each.
func BenchmarkScrape(b *testing.B) {
	h := newHTTPHandler(fixed{large(1000, 10)})
	b.ReportAllocs()
	for b.Loop() {
		w := discard{http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	}
}

// BenchmarkStatusJSON is lvsd status of the same, on the daemon's side.
func BenchmarkStatusJSON(b *testing.B) {
	h := newSocketHandler(fixed{large(1000, 10)})
	b.ReportAllocs()
	for b.Loop() {
		w := discard{http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/status", nil))
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}
