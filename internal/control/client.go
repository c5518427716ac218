package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

var (
	// ErrNoAnswer is wrapped by errors that mean that no living daemon answers.
	ErrNoAnswer = errors.New("no lvsd answers")
	// ErrBusy is wrapped by errors that mean that the daemon lives, and is to be
	// asked again.
	ErrBusy = errors.New("lvsd is busy")
)

// answerTimeout bounds a whole request. maxAnswer bounds the answer, in bytes: at
// about 100 times what 10,000 real servers need.
const (
	answerTimeout = 10 * time.Second
	maxAnswer     = 1 << 30
)

// A Client asks the daemon on one control socket.
type Client struct {
	path   string
	http   http.Client
	daemon atomic.Int32 // the id of the process that was connected to last
}

// Dial returns a client of the daemon on the socket at path. It connects with
// the first request.
func Dial(path string) *Client {
	c := &Client{path: path}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		if u, ok := conn.(*net.UnixConn); ok {
			c.daemon.Store(listenerOf(u))
		}
		return conn, err
	}
	c.http.Transport = &http.Transport{
		DialContext:       dial,
		DisableKeepAlives: true,
	}
	return c
}

// Status asks for the daemon's state. The error wraps ErrNoAnswer if no living
// daemon answers.
func (c *Client) Status(ctx context.Context) (*api.Status, error) {
	body, err := c.StatusJSON(ctx)
	if err != nil {
		return nil, err
	}
	st := new(api.Status)
	return st, c.decode(body, st)
}

// StatusJSON is Status, but returns the JSON as the daemon sent it.
func (c *Client) StatusJSON(ctx context.Context) ([]byte, error) {
	return c.request(ctx, http.MethodGet, "/v1/status", nil, answerTimeout)
}

// Reload has the daemon read its configuration again, and returns how that
// ended. The error is as Status's: that the configuration was refused is none.
func (c *Client) Reload(ctx context.Context) (*api.Reloaded, error) {
	body, err := c.request(ctx, http.MethodPost, "/v1/reload", nil, reloadTimeout)
	if err != nil {
		return nil, err
	}
	o := new(api.Reloaded)
	return o, c.decode(body, o)
}

// Plan returns what a reload would change, if the configuration were these files, or with
// none as its files are now. The error is as Status's: that the configuration is not valid
// is none.
func (c *Client) Plan(ctx context.Context, files []api.File) (*api.Plan, error) {
	text, err := json.Marshal(api.PlanOrder{Files: files})
	if err != nil {
		return nil, fmt.Errorf("writing the configuration to be planned: %w", err)
	}
	body, err := c.request(ctx, http.MethodPost, "/v1/plan", bytes.NewReader(text), reloadTimeout)
	if err != nil {
		return nil, err
	}
	p := new(api.Plan)
	return p, c.decode(body, p)
}

// WhatIf returns what would be if real servers were down. The error is as Status's.
func (c *Client) WhatIf(ctx context.Context, o api.WhatIfOrder) (*api.WhatIf, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("writing the question: %w", err)
	}
	body, err := c.request(ctx, http.MethodPost, "/v1/whatif", bytes.NewReader(text), 3*answerTimeout+o.Rate)
	if err != nil {
		return nil, err
	}
	w := new(api.WhatIf)
	return w, c.decode(body, w)
}

// Failover has virtual routers offer their roles to another director, and returns what
// became of that. It waits for as long as that may take: six advert intervals of the
// slowest one, and some seconds. The error is as Status's.
func (c *Client) Failover(ctx context.Context, routers []string, force bool) (*api.Ordered, error) {
	return c.move(ctx, "/v1/failover", api.FailoverOrder{Routers: routers, Force: force})
}

// StandBy has all virtual routers offer their roles, and keeps the daemon from being
// Master for a duration, or with zero until Resume. It waits as Failover does.
func (c *Client) StandBy(ctx context.Context, lasts time.Duration, force bool) (*api.Ordered, error) {
	return c.move(ctx, "/v1/standby", api.StandbyOrder{For: lasts, Force: force})
}

// move gives an order that takes until other directors are Master.
func (c *Client) move(ctx context.Context, path string, o any) (*api.Ordered, error) {
	st, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	var slowest time.Duration
	for i := range st.Routers {
		slowest = max(slowest, st.Routers[i].Interval)
	}
	return order[api.Ordered](ctx, c, path, o, answerTimeout+6*slowest)
}

// Resume lets real servers in that manual_resume keeps out, or without any ends a standby,
// and what earlier failovers have left. The error is as Status's.
func (c *Client) Resume(ctx context.Context, servers []string) (*api.Ordered, error) {
	return order[api.Ordered](ctx, c, "/v1/resume", api.ResumeOrder{Servers: servers}, answerTimeout)
}

// Assert has hooks run again, and returns what came of them. It waits for as long as that
// may take. The error is as Status's.
func (c *Client) Assert(ctx context.Context, names []string) (*api.Ordered, error) {
	if _, err := c.Status(ctx); err != nil {
		return nil, err // of a daemon that would not be waited for
	}
	return order[api.Ordered](ctx, c, "/v1/assert", api.AssertOrder{Names: names}, orderTimeout)
}

// Apply has the daemon take its configuration's files, for good or with a duration until they
// are confirmed, and Confirm has those on trial run for good. The error is as Status's.
func (c *Client) Apply(ctx context.Context, o api.ApplyOrder) (*api.Applied, error) {
	return order[api.Applied](ctx, c, "/v1/apply", o, reloadTimeout)
}

// Confirm is what is said at Apply.
func (c *Client) Confirm(ctx context.Context) (*api.Applied, error) {
	return order[api.Applied](ctx, c, "/v1/confirm", api.ConfirmOrder{}, answerTimeout)
}

// order gives an order, and returns what became of it.
func order[A any](ctx context.Context, c *Client, path string, o any, patience time.Duration) (*A, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("writing the order: %w", err)
	}
	body, err := c.request(ctx, http.MethodPost, path, bytes.NewReader(text), patience)
	if err != nil {
		return nil, err
	}
	out := new(A)
	return out, c.decode(body, out)
}

// decode decodes an answer.
func (c *Client) decode(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("reading the answer of the lvsd on %s, which may be of another version: %w", c.path, err)
	}
	return nil
}

// request returns the body of the answer to a request, whose own body may be nil.
func (c *Client) request(ctx context.Context, method, path string, content io.Reader, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://lvsd"+path, content)
	if err != nil {
		return nil, fmt.Errorf("asking the lvsd on %s: %w", c.path, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.explain(err, timeout)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, c.explain(err, timeout)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, c.refused(resp.StatusCode, resp.Header.Get("Retry-After") != "", body)
	}
	return body, nil
}

// explain adds to an error of the connection what an operator can do about it.
func (c *Client) explain(err error, timeout time.Duration) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w on %s: there is no such socket; start the daemon with \"systemctl start lvsd\" or \"lvsd run\", "+
			"or give its socket with --socket", ErrNoAnswer, c.path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: the daemon that made this socket is gone; see \"journalctl -u lvsd\" for why, "+
			"and start it with \"systemctl start lvsd\" or \"lvsd run\"", ErrNoAnswer, c.path)
	case errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("%w on %s: more clients wait for it than the kernel keeps; see \"systemctl status lvsd\" and \"journalctl -u lvsd\"", ErrNoAnswer, c.path)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w on %s within %v, though %w", ErrNoAnswer, c.path, timeout, silent(c.daemon.Load()))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("asking the lvsd on %s: permission denied; run this as root, or as a member of the socket's group", c.path)
	default:
		return fmt.Errorf("asking the lvsd on %s: %w", c.path, err)
	}
}

// refused turns an answer that is not a success into an error. A daemon whose
// loop hangs counts as dead; one that says when to ask again is only busy.
func (c *Client) refused(code int, retry bool, body []byte) error {
	var f failure
	if json.Unmarshal(body, &f) != nil || f.Error == "" {
		f.Error = fmt.Sprintf("%d %s", code, http.StatusText(code))
	}
	said := text.Printable(f.Error)
	switch {
	case retry:
		return fmt.Errorf("%w: the daemon on %s runs, and says: %s", ErrBusy, c.path, said)
	case code == http.StatusServiceUnavailable:
		return fmt.Errorf("%w on %s: %s; see \"journalctl -u lvsd\"", ErrNoAnswer, c.path, said)
	default:
		return fmt.Errorf("the lvsd on %s refused: %s", c.path, said)
	}
}
