package daemon

import (
	"log/slog"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/vrrp"
)

// sweepLeftovers removes the addresses, routes and rules that a keeper has left which was
// killed, where none will run that could. It calls sweep for that.
func sweepLeftovers(c *config.Config, tell event.Sink, sweep func() error) {
	if d := (vrrp.Desired{Routers: c.Routers, Static: c.Static}); !d.Idle() {
		return
	}
	if err := sweep(); err != nil {
		tell(event.Event{At: time.Now(), Severity: event.Warning, Code: vrrp.AddressesFailed,
			Text: "addresses, routes and rules of an earlier process may be left", Attributes: []slog.Attr{slog.Any("error", err)}})
	}
}
