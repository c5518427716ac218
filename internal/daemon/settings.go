package daemon

import (
	"log/slog"
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/machine"
	"github.com/lvsd/lvsd/internal/state"
)

// settings gives the kernel's parameters values, and keeps what they were before.
type settings struct{ store *state.Store }

// load returns those that an earlier process has changed, as they were before. Where that
// cannot be read, they stay as they are.
func (s settings) load(log *slog.Logger) map[machine.Setting]string {
	before, err := s.store.Settings()
	if err != nil {
		log.Warn("what the kernel's parameters were before lvsd set them cannot be read, so they are not given back", "event", "settings-unreadable", "error", err)
	}
	all := make(map[machine.Setting]string, len(before))
	for name, value := range before {
		if known := machine.Setting(name); known.Ours() {
			all[known] = value
		}
	}
	return all
}

// tune keeps what parameters were before, and then sets some.
func (s settings) tune(values, before map[machine.Setting]string) (refused map[machine.Setting]error, unsaved error) {
	keep := make(map[string]string, len(before))
	for setting, value := range before {
		keep[string(setting)] = value
	}
	unsaved = s.store.SaveSettings(keep)
	refused = make(map[machine.Setting]error)
	for _, setting := range slices.Sorted(maps.Keys(values)) {
		if err := setting.Set(values[setting]); err != nil {
			refused[setting] = err
		}
	}
	return refused, unsaved
}
