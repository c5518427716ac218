package control

import (
	"fmt"
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/lvsd/lvsd/internal/director"
)

// newHTTPHandler answers on the TCP address: read only, and without names of
// files or clients.
func newHTTPHandler(src Source) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", limit(newMetricsHandler(src), func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too many scrapes at one time", http.StatusServiceUnavailable)
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := snapshot(r.Context(), src); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		st, err := snapshot(r.Context(), src)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if why := notReady(st); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "lvsd\n\n/metrics  for Prometheus\n/healthz  does the daemon's loop answer?\n"+
			"/readyz   is the table loaded, and the daemon not stopping?\n")
	})
	return http.MaxBytesHandler(mux, maxHeader)
}

// newMetricsHandler exports the source's state, and the Go runtime's and the
// process's figures. What could not be gathered is left out rather than the
// whole scrape lost: lvsd_director_up tells when the loop did not answer.
func newMetricsHandler(src Source) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		NewCollector(src),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// notReady returns why the daemon is not ready; empty if it is.
func notReady(st *director.Status) string {
	for _, f := range st.Findings {
		if f.Code == "not-ready" {
			return Printable(f.String())
		}
	}
	return ""
}
