package control

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Bounds on what clients can ask of the daemon, so that none of them delays it
// or makes it grow.
const (
	maxConnections = 64 // for each listener
	maxInFlight    = 2  // requests of one kind
	maxWaiting     = 16 // requests of one kind that wait for those
	maxSending     = 4  // answers of one kind that clients have not read yet
	waitTimeout    = 3 * time.Second
	maxHeader      = 16 << 10 // bytes, of a body too
	readTimeout    = 5 * time.Second
	writeTimeout   = 30 * time.Second // a large status on a slow line
	idleTimeout    = 5 * time.Second
	closeTimeout   = time.Second
	// reloadTimeout is longer than the director may take for two readings of
	// the configuration: one that is under way, and the one that is asked for.
	reloadTimeout = 2 * time.Minute
	// orderTimeout is longer than a failover may take: six of the longest advert
	// intervals.
	orderTimeout = 30 * time.Minute

	// maxConfiguration bounds a configuration that is to be planned, as JSON, in bytes:
	// twice what the daemon reads.
	maxConfiguration = 32 << 20

	// loopTimeout is how long the director's loop may take to answer before
	// it counts as hanging.
	loopTimeout = 2 * time.Second
)

// connections bounds the connections of one listener. Where there are too many,
// the one goes that has waited longest for a request, so clients that connect
// and say nothing keep nobody out.
type connections struct {
	mu      sync.Mutex
	open    int
	waiting []net.Conn // for a whole request, the longest first
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// changed takes the state of a connection from the server.
func (all *connections) changed(c net.Conn, state http.ConnState) {
	all.mu.Lock()
	defer all.mu.Unlock()
	switch state {
	case http.StateNew:
		all.open++
		all.waiting = append(all.waiting, c)
		if all.open > maxConnections {
			_ = all.waiting[0].Close()
			all.waiting = all.waiting[1:]
		}
	case http.StateIdle:
		all.waiting = append(all.waiting, c)
	case http.StateClosed, http.StateHijacked:
		all.open--
		all.remove(c)
	}
}

// asked wraps a handler: a connection with a whole request no longer waits.
func (all *connections) asked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			all.mu.Lock()
			all.remove(c)
			all.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}

func (all *connections) remove(c net.Conn) {
	if i := slices.Index(all.waiting, c); i >= 0 {
		all.waiting = slices.Delete(all.waiting, i, i+1)
	}
}

// limit lets maxInFlight requests through at a time, since each may hold a
// status of ten thousand real servers (a scrape of so many takes 35 MB). Some
// others wait for their turn, up to waitTimeout; the rest are refused. A request
// gives its place back when its answer is made, before a client reads it.
func limit(h http.Handler, refuse http.HandlerFunc) http.Handler {
	places, queue := make(chan struct{}, maxInFlight), make(chan struct{}, maxInFlight+maxWaiting)
	var made sending
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), waitTimeout)
		defer cancel()
		a := answer{ResponseWriter: w, code: http.StatusOK}
		if enter(ctx, queue, places) {
			func() {
				defer func() { <-places; <-queue }()
				h.ServeHTTP(&a, r)
			}()
		} else {
			w.Header().Set("Retry-After", "1")
			refuse(&a, r)
		}
		made.send(&a)
	})
}

// enter takes a place in the queue, where it has one, and then one to work in.
func enter(ctx context.Context, queue, places chan struct{}) bool {
	select {
	case queue <- struct{}{}:
	default:
		return false
	}
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		<-queue
		return false
	}
}

// An answer is kept until it is whole.
type answer struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// sending are the answers on their way, the oldest first. There are maxSending at
// most: the client that has not read the oldest by then is given up.
type sending struct {
	mu  sync.Mutex
	all []*http.ResponseController
}

func (s *sending) send(a *answer) {
	c := http.NewResponseController(a.ResponseWriter)
	s.mu.Lock()
	if s.all = append(s.all, c); len(s.all) > maxSending {
		_ = s.all[0].SetWriteDeadline(time.Now())
		s.all = s.all[1:]
	}
	s.mu.Unlock()
	a.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	a.ResponseWriter.WriteHeader(a.code)
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
	_ = c.Flush() // what is still in the server's buffer counts as well
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.all, c); i >= 0 {
		s.all = slices.Delete(s.all, i, i+1)
	}
}
