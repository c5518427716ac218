package daemon

import (
	"log/slog"

	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
)

// loadKeptOut returns the real servers that an earlier process has kept out. Where that
// cannot be read, none are: their checks decide.
func loadKeptOut(store *state.Store, log *slog.Logger) (all []director.KeptOut) {
	kept, err := store.KeptOut()
	if err != nil {
		log.Warn("which real servers are to be kept out (manual_resume) cannot be read, so none are", "event", "kept-out-unreadable", "error", err)
	}
	for _, k := range kept {
		all = append(all, director.KeptOut{Service: k.Service, Server: ipvsctl.DestinationKey{Addr: k.Address, Port: k.Port}, Since: k.Since})
	}
	return all
}

// saveKeptOut replaces them.
func saveKeptOut(store *state.Store, all []director.KeptOut) error {
	kept := make([]state.KeptOut, 0, len(all))
	for _, k := range all {
		kept = append(kept, state.KeptOut{Service: k.Service, Address: k.Server.Addr, Port: k.Server.Port, Since: k.Since.Round(0)})
	}
	return store.SaveKeptOut(kept)
}
