package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"github.com/lvsd/lvsd/internal/director"
)

// DefaultSocket is where the daemon answers and lvsd status asks, unless told
// otherwise.
const DefaultSocket = "/run/lvsd/lvsd.sock"

// Bounds on what clients can ask of the daemon, so that none of them delays it
// or makes it grow.
const (
	maxConnections = 64 // per listener; more wait in the kernel's queue
	maxInFlight    = 2  // requests that hold a snapshot; more wait, and then are refused
	waitTimeout    = 3 * time.Second
	maxHeader      = 16 << 10 // bytes
	readTimeout    = 5 * time.Second
	writeTimeout   = 30 * time.Second // a large status on a slow line
	idleTimeout    = 2 * time.Minute  // longer than the usual scrape interval
	closeTimeout   = time.Second

	// loopTimeout is how long the director's loop may take to answer before
	// it counts as hanging.
	loopTimeout = 2 * time.Second
)

// A Source is asked for the daemon's state. The director is one.
//
// Status is called by several goroutines at one time. It answers from the
// director's loop, so that an answer also shows that the loop lives, and
// returns an error when ctx ends first.
type Source interface {
	Status(ctx context.Context) (*director.Status, error)
}

// A Server serves one listener: the control socket or HTTP.
type Server struct {
	listener net.Listener
	handler  func(Source) http.Handler
}

// ListenHTTP opens the HTTP listener on a TCP address such as
// "127.0.0.1:9112". Nobody is answered before Serve.
func ListenHTTP(address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for HTTP as director.http.listen asks: %w", err)
	}
	return &Server{listener: l, handler: newHTTPHandler}, nil
}

// Addr returns the address that the server listens on, with the port that the
// kernel chose where port 0 was asked for.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests from src until ctx ends, which is no error, and gives
// those under way a second to finish. Afterwards the listener is closed, and
// the socket's file is gone.
func (s *Server) Serve(ctx context.Context, src Source) error {
	server := &http.Server{
		Handler:           s.handler(src),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		grace, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(netutil.LimitListener(s.listener, maxConnections))
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	_ = server.Close()
	return fmt.Errorf("serving %v: %w", s.listener.Addr(), err)
}

// Close closes a listener that is never served.
func (s *Server) Close() error { return s.listener.Close() }

// snapshot asks the source, with the deadline of the loop.
func snapshot(ctx context.Context, src Source) (*director.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, loopTimeout)
	defer cancel()
	st, err := src.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("the director's loop did not answer within %v: %w", loopTimeout, err)
	}
	if st.Time.IsZero() {
		now := *st
		now.Time = time.Now()
		st = &now
	}
	return st, nil
}

// limit lets maxInFlight requests through at one time, since each may hold a
// snapshot of ten thousand real servers (a scrape of so many takes 35 MB), and
// refuses those that waited in vain.
func limit(h http.Handler, refuse http.HandlerFunc) http.Handler {
	places := make(chan struct{}, maxInFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), waitTimeout)
		defer cancel()
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			h.ServeHTTP(w, r)
		case <-ctx.Done():
			w.Header().Set("Retry-After", "1")
			refuse(w, r)
		}
	})
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		code = http.StatusInternalServerError
		body, _ = json.Marshal(failure{Error: "encoding the answer: " + err.Error()})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}

// A failure is the body of every answer on the socket that is not a success.
type failure struct {
	Error string `json:"error"`
}
