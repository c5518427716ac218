package control

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"sync"
	"syscall"
	"time"
)

// retryHTTP is the time between two attempts to listen for HTTP.
const retryHTTP = time.Second

// An HTTP answers monitoring on a TCP address, which may change. Where it can't
// listen there, it tries again: no figure is worth a director.
type HTTP struct {
	tell     func(address string, err error)
	errorLog *log.Logger
	moved    chan struct{} // has a token when the address may be another one

	mu      sync.Mutex
	address string
	err     error
}

// NewHTTP returns the server for an address such as "127.0.0.1:9112"; with an
// empty one it serves nobody. tell is called with an error when HTTP is no longer
// served at an address, and with nil when it is served again. errorLog gets what
// net/http has to say.
func NewHTTP(address string, tell func(address string, err error), errorLog *log.Logger) *HTTP {
	return &HTTP{address: address, tell: tell, errorLog: errorLog, moved: make(chan struct{}, 1)}
}

// Listen moves the server to another address, which may be empty. It waits for
// nothing. What was open before stays so until the new address is open, or has
// turned out not to be available.
func (h *HTTP) Listen(address string) {
	h.mu.Lock()
	h.address = address
	h.mu.Unlock()
	select {
	case h.moved <- struct{}{}:
	default:
	}
}

// Err returns why HTTP is not served; nil: it is, or has no address.
func (h *HTTP) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}

// Serve answers requests from src until ctx ends. It never fails.
func (h *HTTP) Serve(ctx context.Context, src Source) error {
	var now serving
	retry := time.After(0)
	for {
		select {
		case <-ctx.Done():
			now.end()
			return nil
		case err := <-now.ended:
			if err != nil { // Without one, it is ctx that has ended.
				h.note(now.address, err)
			}
			now, retry = serving{}, time.After(retryHTTP)
			continue
		case <-h.moved:
		case <-retry:
		}
		retry = nil
		if now = h.follow(ctx, src, now); h.Err() != nil {
			retry = time.After(retryHTTP)
		}
	}
}

// follow returns what serves at the address that is wanted now, given what served
// until now.
func (h *HTTP) follow(ctx context.Context, src Source, was serving) (next serving) {
	h.mu.Lock()
	address := h.address
	h.mu.Unlock()
	if address == was.address {
		h.note(address, nil)
		return was
	}
	var s *Server
	var err error
	if address != "" {
		s, err = listenHTTP(address)
		if errors.Is(err, syscall.EADDRINUSE) && was.ended != nil { // Perhaps by what served until now.
			was.end()
			was = serving{}
			s, err = listenHTTP(address)
		}
	}
	h.note(address, err)
	if s != nil {
		s.ErrorLog = h.errorLog
		next = begin(ctx, s, src, address)
	}
	was.end()
	return next
}

// A serving is a server that serves at an address; zero: none.
type serving struct {
	address string
	stop    context.CancelFunc
	ended   chan error // gets what Serve returns
}

func begin(ctx context.Context, s *Server, src Source, address string) serving {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, src) }()
	return serving{address, stop, ended}
}

// end ends a server, and returns when its listener is closed and the requests
// under way have had their time.
func (s serving) end() {
	if s.ended != nil {
		s.stop()
		<-s.ended
	}
}

// note remembers how HTTP is, and tells where that is news.
func (h *HTTP) note(address string, err error) {
	h.mu.Lock()
	news := (h.err == nil) != (err == nil)
	h.err = err
	h.mu.Unlock()
	if news && address != "" {
		h.tell(address, err)
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
