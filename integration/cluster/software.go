package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Router is a daemon that has the virtual address on directors. SIGTERM ends its
// process.
type Router interface {
	// Configure writes the configuration of the director.
	Configure(h *Host, s Setup) error
	// Start starts the daemon on the director.
	Start(h *Host) (*Process, error)
}

// A Software is a Router that has the services, too. SIGHUP makes its process read
// what Configure wrote.
type Software interface {
	Router
	// ServicePath is the file that has its services.
	ServicePath(h *Host) string
}

// LVSD is the daemon of this project.
type LVSD struct {
	// Binary is the path of lvsd.
	Binary string
	// Config is the folder of its configuration; empty: "lvsd" in the
	// director's own folder. Several directors may share it.
	Config string
}

var (
	_ Software = LVSD{}
	_ Software = Keepalived{}
)

// ConfigPath is the folder that the director's configuration is read from.
func (l LVSD) ConfigPath(h *Host) string {
	if l.Config != "" {
		return l.Config
	}
	return filepath.Join(h.Dir, "lvsd")
}

// ServicePath is web.hcl.
func (l LVSD) ServicePath(h *Host) string { return filepath.Join(l.ConfigPath(h), "web.hcl") }

// Configure writes router.hcl and web.hcl.
func (l LVSD) Configure(h *Host, s Setup) error {
	dir := l.ConfigPath(h)
	err := errors.Join(
		os.MkdirAll(dir, 0o755),
		replace(filepath.Join(dir, "router.hcl"), s.RouterHCL()),
		replace(l.ServicePath(h), s.ServiceHCL()+s.More),
	)
	if err != nil {
		return fmt.Errorf("configuring lvsd for %s: %w", h.Name, err)
	}
	return nil
}

// replace writes a file that a daemon may be reading: it reads the old one or the new one.
func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Start starts lvsd run. Its control socket is where lvsd status, run on the
// same host, looks for it.
func (l LVSD) Start(h *Host) (*Process, error) {
	return h.Start("lvsd", l.Binary, "run", "--config", l.ConfigPath(h), "--state-dir", filepath.Join(h.Dir, "state"))
}

// Status runs lvsd status on the director.
func (l LVSD) Status(ctx context.Context, h *Host, args ...string) (string, error) {
	return h.Run(ctx, append([]string{l.Binary, "status"}, args...)...)
}

// Keepalived is Debian's keepalived.
type Keepalived struct {
	// Prompt has it run before all processes that are not real-time, as lvsd's keeper
	// does.
	Prompt bool
}

// ServicePath is keepalived.conf, which has everything.
func (Keepalived) ServicePath(h *Host) string { return filepath.Join(h.Dir, "keepalived.conf") }

// Configure writes keepalived.conf.
func (k Keepalived) Configure(h *Host, s Setup) error {
	text := s.KeepalivedRouter(h.Name) + s.KeepalivedService() + s.More
	if err := replace(k.ServicePath(h), text); err != nil {
		return fmt.Errorf("configuring keepalived for %s: %w", h.Name, err)
	}
	return nil
}

// Start starts keepalived in the foreground. Its checkers run only where it has
// a service.
func (k Keepalived) Start(h *Host) (*Process, error) {
	command := []string{"keepalived", "--dont-fork", "--log-console", "-f", k.ServicePath(h)}
	if k.Prompt {
		command = append(promptly, command...)
	}
	return h.Start("keepalived", command...)
}

// promptly starts the command behind it as a real-time process, where that is allowed.
var promptly = []string{"sh", "-c", `chrt --rr --pid 1 $$ 2>/dev/null; exec "$0" "$@"`}
