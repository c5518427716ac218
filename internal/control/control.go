package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/lvsd/lvsd/internal/api"
)

// DefaultSocket is the path of the control socket unless another one is given.
const DefaultSocket = "/run/lvsd/lvsd.sock"

// A Source answers from the director's loop, so that an answer also shows that
// the loop is alive. Its methods are called by several goroutines at a time, and
// return an error if ctx ends before the loop has answered.
type Source interface {
	// Status returns the daemon's whole state.
	Status(context.Context) (*api.Status, error)
	// Ready reports whether the daemon is ready and not stopping. Unlike Status
	// it costs next to nothing.
	Ready(context.Context) (bool, error)
	// ReloadAndWait reads the configuration again and returns how that ended.
	// Only taking the order ends with ctx: the reading itself is bounded.
	ReloadAndWait(context.Context) (api.Reloaded, error)
	// Plan returns what a reload would change. Only the first question to the loop ends
	// with ctx.
	Plan(context.Context, api.PlanOrder) (api.Plan, error)
	// WhatIf returns what would be if real servers were down. Only the question to the loop
	// ends with ctx.
	WhatIf(context.Context, api.WhatIfOrder) (api.WhatIf, error)
	// Apply takes the configuration's files, for good or on trial, and Confirm has them run
	// for good.
	Apply(context.Context, api.User, api.ApplyOrder) (api.Applied, error)
	Confirm(context.Context, api.User, api.ConfirmOrder) (api.Applied, error)
	// Failover has virtual routers offer their roles, StandBy has all do so and keeps
	// this director from being Master, and Resume ends what either has left, or lets real
	// servers in. Only taking the order ends with ctx.
	Failover(context.Context, api.User, api.FailoverOrder) (api.Ordered, error)
	StandBy(context.Context, api.User, api.StandbyOrder) (api.Ordered, error)
	Resume(context.Context, api.User, api.ResumeOrder) (api.Ordered, error)
	// Assert has hooks run again. Only taking the order ends with ctx.
	Assert(context.Context, api.User, api.AssertOrder) (api.Ordered, error)
}

// A Server serves one listener: the control socket or HTTP.
type Server struct {
	listener net.Listener
	handler  func(Source) http.Handler
	// ErrorLog gets what net/http has to say; nil: standard error.
	ErrorLog *log.Logger
}

// Serve answers requests from src until ctx ends, which is not an error, and
// gives those under way a second to finish. Then the listener is closed and the
// socket's file removed.
func (s *Server) Serve(ctx context.Context, src Source) error {
	var conns connections
	server := &http.Server{
		Handler:           conns.asked(s.handler(src)),
		ConnState:         conns.changed,
		ConnContext:       withConn,
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          s.ErrorLog,
		// net/http would answer "OPTIONS *" itself, without a word to conns.
		DisableGeneralOptionsHandler: true,
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
	err := server.Serve(s.listener)
	if !stop() {
		<-closed
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	_ = server.Close()
	return fmt.Errorf("serving %v: %w", s.listener.Addr(), err)
}

// Close closes the listener of a server that never serves.
func (s *Server) Close() error { return s.listener.Close() }

// ask puts a question to a source and waits up to loopTimeout for the answer.
func ask[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, loopTimeout)
	defer cancel()
	answer, err := question(ctx)
	if err != nil {
		err = fmt.Errorf("the director's loop did not answer within %v: %w", loopTimeout, err)
	}
	return answer, err
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

// serveJSON answers with the answer to a question.
func serveJSON[T any](question func(context.Context) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := ask(r.Context(), question)
		if err != nil {
			writeJSON(w, http.StatusServiceUnavailable, failure{err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

// A failure is the body of an answer on the socket that is not a success.
type failure struct {
	Error string `json:"error"`
}
