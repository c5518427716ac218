package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/metrics"
	"github.com/lvsd/lvsd/internal/text"
)

// newHTTPHandler answers on the TCP address. It is read only.
func newHTTPHandler(src Source) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.Handler) {
		mux.Handle(pattern, limit(h, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too many requests at a time", http.StatusServiceUnavailable)
		}))
	}
	handle("GET /metrics", metrics.Handler(func(ctx context.Context) (*api.Status, error) { return ask(ctx, src.Status) }))
	handle("GET /healthz", serveText(func(ctx context.Context) (string, error) {
		_, err := ask(ctx, src.Ready)
		return "ok", err
	}))
	handle("GET /readyz", serveText(func(ctx context.Context) (string, error) {
		ready, err := ask(ctx, src.Ready)
		if err == nil && !ready {
			err = whyNotReady(ctx, src)
		}
		return "ready", err
	}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "lvsd\n\n/metrics  for Prometheus\n/healthz  200 if the director's loop responds\n"+
			"/readyz   200 if the table is loaded and the daemon is not stopping\n")
	})
	return http.MaxBytesHandler(forUs(mux), maxHeader)
}

// forUs refuses requests that name another host. A page that a browser on this
// network shows can have its own name resolve to this machine's address, and
// would be told everything otherwise (DNS rebinding).
func forUs(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ourHost(r.Host) {
			http.Error(w, "this is not the host that was asked for: ask for its address, or for its own name", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// ourHost reports whether the Host of a request, which browsers always send, is
// an address, localhost, or this machine's name with or without a domain.
func ourHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	own, _ := os.Hostname()
	own, _, _ = strings.Cut(strings.ToLower(own), ".")
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "" || err == nil || host == "localhost" || own != "" && (host == own || strings.HasPrefix(host, own+"."))
}

// serveText answers with a line of text, or with status 503 and the error.
func serveText(answer func(context.Context) (string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line, err := answer(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, line)
	})
}

// whyNotReady returns as an error why the daemon is not ready.
func whyNotReady(ctx context.Context, src Source) error {
	st, err := ask(ctx, src.Status)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(st.Findings, func(f api.Finding) bool { return f.Code == api.NotReady })
	if i < 0 {
		return errors.New("not ready a moment ago")
	}
	return errors.New(text.Printable(st.Findings[i].Text))
}
