package daemon

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

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// settings gives the kernel's parameters values, and keeps what they were before.
type settings struct {
	store *state.Store
	mu    sync.Mutex // one conversation with IPVS at a time
	// tuning is held while some are set: at the end, others may still be.
	tuning sync.Mutex
	// kept is what the store has, which is not written again: a disk may take longer than
	// a takeover.
	kept map[string]string
}

// load returns those that an earlier process has changed, as they were before. Where that
// cannot be read, they stay as they are.
func (s *settings) load(log *slog.Logger) map[machine.Setting]string {
	before, err := s.store.Settings()
	if err != nil {
		log.Warn("what the kernel's parameters were before lvsd set them cannot be read, so they are not given back", "event", "settings-unreadable", "error", err)
	}
	s.kept = before
	all := make(map[machine.Setting]string, len(before))
	for name, value := range before {
		if known := machine.Setting(name); known.Ours() {
			all[known] = value
		}
	}
	return all
}

// tune keeps what parameters were before, and then sets some.
func (s *settings) tune(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error) {
	s.tuning.Lock()
	defer s.tuning.Unlock()
	keep := make(map[string]string, len(before))
	for setting, value := range before {
		keep[string(setting)] = value
	}
	if !maps.Equal(keep, s.kept) {
		if unsaved = s.store.SaveSettings(keep); unsaved == nil {
			s.kept = keep
		}
	}
	refused = make(map[machine.Setting]error)
	for _, setting := range slices.Sorted(maps.Keys(values)) {
		if err := s.set(setting, values[setting]); err != nil {
			refused[setting] = err
		}
	}
	return refused, unsaved
}

// set gives one a value.
func (s *settings) set(setting machine.Setting, value string) error {
	if setting.Sysctl() {
		return setting.Set(value)
	}
	return s.converse(func(ctx context.Context, k *kernel.Conn) error {
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
		var t ipvsctl.Timeouts
		*timeouts(&t)[setting] = uint32(seconds)
		return k.SetTimeouts(ctx, t)
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
func (s *settings) converse(talk func(context.Context, *kernel.Conn) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := kernel.Dial()
	if err != nil {
		return err
	}
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return talk(ctx, k)
}

// look looks at the machine, and with ipvs at what IPVS has besides parameters, if the
// kernel has it.
func (s *settings) look(to []netip.Addr, ipvs bool) (machine.Facts, error) {
	facts, err := machine.Read(to...)
	if err != nil || !ipvs || !facts.HasIPVS() {
		return facts, err
	}
	err = s.converse(func(ctx context.Context, k *kernel.Conn) error {
		t, err := k.Timeouts(ctx)
		if err != nil {
			return err
		}
		for setting, seconds := range timeouts(&t) {
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

// toldOf logs when other directors cannot be told of connections, and when they can again.
func toldOf(log *slog.Logger) func(connections.Round) {
	failing := false
	return func(r connections.Round) {
		switch {
		case r.Err != nil && !failing:
			log.Warn("other directors cannot be told of all connections: those without packets may not survive a takeover", "event", "connections-untold", "error", r.Err)
		case r.Err == nil && failing:
			log.Info("other directors are told of all connections again", "event", "connections-told", "connections", r.Connections)
		}
		failing = r.Err != nil
	}
}
