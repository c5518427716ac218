package control

import (
	"context"
	"fmt"
	"log"
	"net"
	"sync"
	"time"
)

// retryHTTP is the time between two attempts to listen for HTTP.
const retryHTTP = time.Second

// An HTTP answers monitoring on a TCP address. Where it can't listen there, it
// tries again: no figure is worth a director.
type HTTP struct {
	address  string
	tell     func(error)
	errorLog *log.Logger

	mu  sync.Mutex
	err error
}

// NewHTTP returns the server for an address such as "127.0.0.1:9112"; with an
// empty one it serves nobody. tell is called with an error when HTTP is no longer
// served, and with nil when it is served again. errorLog gets what net/http has to say.
func NewHTTP(address string, tell func(error), errorLog *log.Logger) *HTTP {
	return &HTTP{address: address, tell: tell, errorLog: errorLog}
}

// Err returns why HTTP is not served; nil: it is, or has no address.
func (h *HTTP) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Serve answers requests from src until ctx ends. It never fails.
func (h *HTTP) Serve(ctx context.Context, src Source) error {
	if h.address == "" {
		return nil
	}
	for {
		s, err := listenHTTP(h.address)
		if err == nil {
			h.note(nil)
			s.ErrorLog = h.errorLog
			err = s.Serve(ctx, src)
		}
		if err == nil {
			return nil
		}
		h.note(err)
		select {
		case <-time.After(retryHTTP):
		case <-ctx.Done():
			return nil
		}
	}
}

// note remembers how HTTP is, and tells where that is news.
func (h *HTTP) note(err error) {
	h.mu.Lock()
	news := (h.err == nil) != (err == nil)
	h.err = err
	h.mu.Unlock()
	if news {
		h.tell(err)
	}
}

// listenHTTP opens a listener. It answers nobody before Serve.
func listenHTTP(address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on the address in director.http.listen: %w", err)
	}
	return &Server{listener: l, handler: newHTTPHandler}, nil
}
