package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socketMode lets root and the socket's group connect, and nobody else.
const socketMode = 0o660

// Listen opens the control socket at path and creates its directory if that is
// missing. A socket that a dead daemon left behind is replaced; one on which a
// process answers is an error, and so is a file that is not a socket.
func Listen(path string) (*Server, error) {
	if path == "" || len(path) >= len(unix.RawSockaddrUnix{}.Path) {
		return nil, fmt.Errorf("control socket %q: the path must have 1 to %d bytes; choose another with --socket",
			path, len(unix.RawSockaddrUnix{}.Path)-1)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("creating the directory of the control socket: %w", err)
	}
	unlock, err := lockDirectory(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := listenUnix(path)
	if err != nil {
		return nil, err
	}
	return &Server{listener: l, handler: newSocketHandler}, nil
}

// lockTimeout is how long to wait for another daemon that starts.
const lockTimeout = 3 * time.Second

// lockDirectory prevents that two daemons which start at the same moment both
// find the socket stale, and one removes the other's. The lock of the state does
// not: they may have a state directory each.
func lockDirectory(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the directory of the control socket: %w", err)
	}
	if err := ours(f); err != nil {
		f.Close()
		return nil, err
	}
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(lockTimeout / 100) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if time.Now().After(deadline) {
			f.Close()
			return nil, fmt.Errorf("locking %s, the directory of the control socket: %w; choose another --socket", dir, err)
		}
	}
}

// ours refuses a directory in which somebody else could put another socket in the
// place of this one, and so tell lvsd status whatever he likes. In one that is
// sticky, as /tmp is, nobody can.
func ours(dir *os.File) error {
	info, err := dir.Stat()
	if err != nil {
		return fmt.Errorf("looking at the directory of the control socket: %w", err)
	}
	switch owner := info.Sys().(*syscall.Stat_t).Uid; {
	case owner != 0 && int(owner) != os.Geteuid():
		return fmt.Errorf("the directory of the control socket, %s, belongs to user %d, who could put another socket there, and lvsd runs as user %d: choose another --socket",
			dir.Name(), owner, os.Geteuid())
	case info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0:
		return fmt.Errorf("the directory of the control socket, %s, can be written by others (its mode is %04o), who could put another socket there: chmod go-w %[1]s, or choose another --socket",
			dir.Name(), info.Mode().Perm())
	}
	return nil
}

// removeStale removes the socket at path if nobody answers on it.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for a control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("control socket %s: a file that is not a socket is there; remove it, or choose another --socket", path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return fmt.Errorf("another lvsd answers on %s; stop it, or choose another --socket and --state-dir", path)
	}
	// Only a refusal shows that no process has the socket open. A full queue or
	// a missing permission does not.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another lvsd may be on %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the stale control socket: %w", err)
	}
	return nil
}

// listenUnix binds the socket. The mode is set on the descriptor first, since the
// kernel gives the file that mode less the umask: at no moment is the file open
// to more users than it shall be.
func listenUnix(path string) (net.Listener, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), socketMode) }); cerr != nil {
			return cerr
		}
		return err
	}}
	l, err := lc.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, fmt.Errorf("setting the mode of the control socket: %w", err)
	}
	return l, nil
}

// newSocketHandler answers on the control socket, always in JSON.
func newSocketHandler(src Source) http.Handler {
	mux := http.NewServeMux()
	refuse := func(code int, format string, args ...any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, code, failure{fmt.Sprintf(format, args...)})
		}
	}
	route := func(method, path string, h, busy http.HandlerFunc) {
		mux.Handle(method+" "+path, limit(h, busy))
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Replace(method, "GET", "GET, HEAD", 1))
			refuse(http.StatusMethodNotAllowed, "%s takes %s, not %.16q", path, method, r.Method)(w, r)
		})
	}
	route(http.MethodGet, "/v1/status", serveJSON(src.Status),
		refuse(http.StatusServiceUnavailable, "too many requests at a time; ask again in a second"))
	route(http.MethodPost, "/v1/reload", func(w http.ResponseWriter, r *http.Request) {
		// An error is one of a connection that has no deadlines.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reloadTimeout))
		serveJSON(src.ReloadAndWait)(w, r)
	}, refuse(http.StatusTooManyRequests, "other reloads are under way; ask again when they have ended"))
	route(http.MethodPost, "/v1/plan", serveQuestion(maxConfiguration, src.Plan),
		refuse(http.StatusTooManyRequests, "other plans are being made; ask again when they are done"))
	route(http.MethodPost, "/v1/whatif", serveQuestion(maxHeader, src.WhatIf),
		refuse(http.StatusTooManyRequests, "others ask the same; ask again when they have their answers"))
	orderedElsewhere := refuse(http.StatusTooManyRequests, "other orders are under way; ask again when they have ended")
	route(http.MethodPost, "/v1/apply", serveOrder(src.Apply), orderedElsewhere)
	route(http.MethodPost, "/v1/confirm", serveOrder(src.Confirm), orderedElsewhere)
	route(http.MethodPost, "/v1/failover", serveOrder(src.Failover), orderedElsewhere)
	route(http.MethodPost, "/v1/standby", serveOrder(src.StandBy), orderedElsewhere)
	route(http.MethodPost, "/v1/resume", serveOrder(src.Resume), orderedElsewhere)
	route(http.MethodPost, "/v1/assert", serveOrder(src.Assert), orderedElsewhere)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(http.StatusNotFound,
			"this lvsd does not know %.64q; it speaks version 1 of the control protocol: GET /v1/status, POST /v1/reload, /v1/apply, /v1/confirm, /v1/plan, /v1/whatif, /v1/failover, /v1/standby, /v1/resume and /v1/assert", r.URL.Path)(w, r)
	})
	return mux
}
