package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Request is one HTTP request of a Load.
type Request struct {
	Begin time.Time
	// Took is how long it took to the end of the answer, or to the error.
	Took time.Duration
	// Server is what the answering server calls itself; empty on an error.
	Server string
	Err    error
}

// A Load asks for a page at a steady pace, each time by a new connection,
// whether or not earlier requests have been answered: the users of a cluster do
// not wait for each other.
type Load struct {
	from    *Host
	to      netip.AddrPort
	timeout time.Duration
	stop    context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	requests []Request
}

// maxInFlight bounds the requests that wait for an answer at one time.
const maxInFlight = 500

// StartLoad starts to ask the address for a page, so many times a second, each
// request given so much time.
func StartLoad(from *Host, to netip.AddrPort, rate int, timeout time.Duration) *Load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{from: from, to: to, timeout: timeout, stop: cancel}
	l.running.Go(func() { l.run(ctx, time.Second/time.Duration(rate)) })
	return l
}

func (l *Load) run(ctx context.Context, pace time.Duration) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	slots := make(chan struct{}, maxInFlight)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case slots <- struct{}{}:
			l.running.Go(func() {
				l.record(Get(l.from, l.to, l.timeout))
				<-slots
			})
		default:
			l.record(Request{Begin: time.Now(), Err: errors.New("not sent: too many requests wait for an answer")})
		}
	}
}

func (l *Load) record(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
}

// Stop stops asking, waits for the last answers and returns all requests.
func (l *Load) Stop() Requests {
	l.stop()
	l.running.Wait()
	return l.Requests()
}

// Requests returns the requests that have ended so far.
func (l *Load) Requests() Requests {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(Requests(nil), l.requests...)
}

// Requests are requests in the order in which they ended.
type Requests []Request

// Since returns those that began at or after t.
func (rs Requests) Since(t time.Time) Requests {
	var later Requests
	for _, r := range rs {
		if !r.Begin.Before(t) {
			later = append(later, r)
		}
	}
	return later
}

// Failed counts those that got no page.
func (rs Requests) Failed() int {
	n := 0
	for _, r := range rs {
		if r.Err != nil {
			n++
		}
	}
	return n
}

// Errors counts the failures by what was wrong.
func (rs Requests) Errors() map[string]int {
	errs := map[string]int{}
	for _, r := range rs {
		if r.Err != nil {
			errs[r.Err.Error()]++
		}
	}
	return errs
}

// ByServer counts the pages that each server gave.
func (rs Requests) ByServer() map[string]int {
	pages := map[string]int{}
	for _, r := range rs {
		if r.Err == nil {
			pages[r.Server]++
		}
	}
	return pages
}

// Get asks for a page by a new connection from the host.
func Get(from *Host, to netip.AddrPort, timeout time.Duration) Request {
	r := Request{Begin: time.Now()}
	r.Server, r.Err = get(from, to, r.Begin.Add(timeout))
	r.Took = time.Since(r.Begin)
	return r
}

func get(from *Host, to netip.AddrPort, deadline time.Time) (server string, err error) {
	conn, err := dial(from, to, deadline)
	if err != nil {
		return "", reason("connecting", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /index.html HTTP/1.0\r\nHost: %s\r\n\r\n", to); err != nil {
		return "", reason("asking", err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<16))
	if err != nil {
		return "", reason("reading the answer", err)
	}
	head, body, found := strings.Cut(string(answer), "\r\n\r\n")
	status, _, _ := strings.Cut(head, "\r\n")
	if !found || !strings.Contains(status, " 200 ") {
		return "", fmt.Errorf("answer %q", status)
	}
	return strings.TrimSpace(body), nil
}

// Read reads a page of a server to its end, as a scraper does.
func Read(into io.Writer, from *Host, to netip.AddrPort, path string, timeout time.Duration) error {
	conn, err := dial(from, to, time.Now().Add(timeout))
	if err != nil {
		return reason("connecting", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, to); err != nil {
		return reason("asking", err)
	}
	head := make([]byte, len("HTTP/1.0 200 "))
	if _, err := io.ReadFull(conn, head); err != nil || !strings.HasSuffix(string(head), " 200 ") {
		return errors.Join(fmt.Errorf("answer %q", head), err)
	}
	if _, err := io.Copy(into, conn); err != nil {
		return reason("reading the answer", err)
	}
	return nil
}

// dial connects to the address from the host. Only the socket is made in the
// host's network, and the thread is not kept there while the connection is
// being made: hundreds may be waiting at one time.
func dial(from *Host, to netip.AddrPort, deadline time.Time) (conn *os.File, err error) {
	family, address := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		family, address = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	fd := -1
	err = from.In(func() (err error) {
		fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	conn = os.NewFile(uintptr(fd), to.String())
	if err := errors.Join(conn.SetDeadline(deadline), connect(conn, address)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// connect connects a non-blocking socket. It begins to only when the poller
// watches for it, and asks again after each wake-up: an unconnected socket is
// reported as writable too.
func connect(conn *os.File, address unix.Sockaddr) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Write(func(fd uintptr) (done bool) {
		result = unix.Connect(int(fd), address)
		if errors.Is(result, unix.EISCONN) {
			result = nil
		}
		return !errors.Is(result, unix.EINPROGRESS) && !errors.Is(result, unix.EALREADY)
	})
	if err != nil {
		return err // of the deadline: the result is that nothing has come yet
	}
	return result
}

// reason shortens an error to what is the same for each request, so that they
// can be counted.
func reason(doing string, err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
