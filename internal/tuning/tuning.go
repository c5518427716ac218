// Package tuning gives the kernel's parameters values: files below /proc/sys, and what IPVS
// has besides these, its timeouts and sync daemons, by netlink.
package tuning

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/fault"
	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// A Store keeps what parameters were, beyond this process.
type Store interface {
	Settings() (map[string]string, error)
	SaveSettings(before map[string]string) error
}

// A Tuner gives the kernel's parameters values, and keeps what they were before. Its methods
// may be called by several goroutines, but for Load, which comes first.
type Tuner struct {
	store Store
	dial  func() (*kernel.Conn, error)
	mu    sync.Mutex // one conversation with IPVS at a time
	// tuning is held while some are set: at the end, others may still be.
	tuning sync.Mutex
	// kept is what the store has, which is not written again: a disk may take longer than
	// a takeover.
	kept map[string]string
}

// New returns a Tuner that reaches IPVS by what dial returns: kernel.Dial.
func New(store Store, dial func() (*kernel.Conn, error)) *Tuner {
	return &Tuner{store: store, dial: dial}
}

// Load returns those that an earlier process has changed, as they were before. Where that
// cannot be read, they stay as they are.
func (t *Tuner) Load(log *slog.Logger) map[machine.Setting]string {
	before, err := t.store.Settings()
	if err != nil {
		log.Warn("what the kernel's parameters were before lvsd set them cannot be read, so they are not given back", "event", "settings-unreadable", "error", err)
	}
	t.kept = before
	all := make(map[machine.Setting]string, len(before))
	for name, value := range before {
		if known := machine.Setting(name); known.Ours() {
			all[known] = value
		}
	}
	return all
}

// Tune keeps what parameters were before, and then sets some.
func (t *Tuner) Tune(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error) {
	t.tuning.Lock()
	defer t.tuning.Unlock()
	keep := make(map[string]string, len(before))
	for setting, value := range before {
		keep[string(setting)] = value
	}
	if !maps.Equal(keep, t.kept) {
		if unsaved = t.store.SaveSettings(keep); unsaved == nil {
			t.kept = keep
		}
	}
	refused = make(map[machine.Setting]error)
	for _, setting := range slices.Sorted(maps.Keys(values)) {
		if err := t.set(setting, values[setting]); err != nil {
			refused[setting] = fault.Of(err)
		}
	}
	return refused, unsaved
}

// set gives one a value.
func (t *Tuner) set(setting machine.Setting, value string) error {
	if setting.Sysctl() {
		return setting.Set(value)
	}
	return t.converse(func(ctx context.Context, k *kernel.Conn) error {
		switch setting {
		case machine.SyncMaster:
			return setDaemon(ctx, k, ipvsctl.SyncMaster, value)
		case machine.SyncBackup:
			return setDaemon(ctx, k, ipvsctl.SyncBackup, value)
		}
		seconds, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return err
		}
		var some ipvsctl.Timeouts
		*timeouts(&some)[setting] = uint32(seconds)
		return k.SetTimeouts(ctx, some)
	})
}

// timeouts are those of IPVS by their settings.
func timeouts(t *ipvsctl.Timeouts) map[machine.Setting]*uint32 {
	return map[machine.Setting]*uint32{machine.TimeoutTCP: &t.TCP, machine.TimeoutTCPFin: &t.TCPFin, machine.TimeoutUDP: &t.UDP}
}

// setDaemon has one sync daemon run in a role, as it is written, or none.
func setDaemon(ctx context.Context, k *kernel.Conn, role ipvsctl.SyncRole, value string) error {
	if err := k.StopDaemon(ctx, role); err != nil && !errors.Is(err, fs.ErrNotExist) || value == "" {
		return err
	}
	d, err := ipvsctl.ParseSyncDaemon(role, value)
	if err != nil {
		return err
	}
	return k.StartDaemon(ctx, d)
}

// converse talks with the kernel's IPVS, within a time.
func (t *Tuner) converse(talk func(context.Context, *kernel.Conn) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, err := t.dial()
	if err != nil {
		return err
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return talk(ctx, k)
}

// Look looks at the machine, and with ipvs at what IPVS has besides parameters, if the
// kernel has it.
func (t *Tuner) Look(to []netip.Addr, ipvs bool) (machine.Facts, error) {
	facts, err := machine.Read(to...)
	if err != nil || !ipvs || !facts.HasIPVS() {
		return facts, err
	}
	err = t.converse(func(ctx context.Context, k *kernel.Conn) error {
		all, err := k.Timeouts(ctx)
		if err != nil {
			return err
		}
		for setting, seconds := range timeouts(&all) {
			facts.Settings[setting] = strconv.FormatUint(uint64(*seconds), 10)
		}
		facts.Settings[machine.SyncMaster], facts.Settings[machine.SyncBackup] = "", ""
		daemons, err := k.Daemons(ctx)
		for _, d := range daemons {
			facts.Settings[map[ipvsctl.SyncRole]machine.Setting{ipvsctl.SyncMaster: machine.SyncMaster, ipvsctl.SyncBackup: machine.SyncBackup}[d.Role]] = d.String()
		}
		return err
	})
	return facts, err
}
