package control

import (
	"fmt"
	"io"
	"net/http"
	"strings"

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

// notReady says why the daemon is not ready; empty where it is.
func notReady(st *director.Status) string {
	if st.Stopping {
		return "stopping: handing over to the peer"
	}
	if st.Ready {
		return ""
	}
	why := []string{"starting"}
	if n := servicesMissing(st); n > 0 {
		why = append(why, fmt.Sprintf("%d of %d services are not in the kernel's table yet", n, len(st.Services)))
	}
	if n := unknownServers(st); n > 0 {
		why = append(why, fmt.Sprintf("of %d real servers it is not known yet whether they are up", n))
	}
	if st.Table.LastError != "" {
		why = append(why, "the kernel refused an operation: "+Printable(st.Table.LastError))
	}
	return strings.Join(why, "; ")
}

// servicesMissing counts the services that are not in the kernel and should be.
func servicesMissing(st *director.Status) (n int) {
	for i := range st.Services {
		if isMissing(&st.Services[i]) {
			n++
		}
	}
	return n
}

// unknownServers counts the real servers of which the results do not say enough.
func unknownServers(st *director.Status) (n int) {
	for i := range st.Services {
		for j := range st.Services[i].Servers {
			if st.Services[i].Servers[j].Health == director.HealthUnknown {
				n++
			}
		}
	}
	return n
}
