package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/keeper"
	"github.com/lvsd/lvsd/internal/state"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/connections"
	"github.com/lvsd/lvsd/ipvsctl/kernel"
)

// monitoring returns the HTTP server for an address, which may be empty.
func monitoring(address string, tell event.Sink) *control.HTTP {
	return control.NewHTTP(address, func(address string, err error) {
		e := event.Event{At: time.Now(), Severity: event.Info, Code: "http-available", Text: "HTTP is served on " + address}
		if err != nil {
			e.Severity, e.Code, e.Text = event.Warning, director.HTTPUnavailable, "cannot serve HTTP, trying again: "+err.Error()
		}
		tell(e)
	}, errorLog(tell))
}

// errorLog returns a logger for net/http, whose messages become events, and so are
// as bounded as those.
func errorLog(tell event.Sink) *log.Logger {
	return log.New(messages(tell), "", 0)
}

// messages makes an event of each call of Write.
type messages event.Sink

// maxMessage bounds a message, in bytes: that of a panic has a whole stack.
const maxMessage = 2 << 10

func (tell messages) Write(message []byte) (int, error) {
	text := strings.TrimSpace(string(message[:min(len(message), maxMessage)]))
	tell(event.Event{At: time.Now(), Severity: event.Warning, Code: "http-error", Text: "the HTTP server reports: " + text})
	return len(message), nil
}

// openTable opens the kernel's IPVS table, and returns it with the rows that an
// earlier run left there.
func openTable(ctx context.Context, tell event.Sink, store *state.Store) (director.Table, ipvsctl.Table, error) {
	ledger, err := store.Ledger()
	if err != nil {
		return nil, nil, err
	}
	conn, err := kernel.Dial()
	if err != nil {
		return nil, nil, err
	}
	r, err := ipvsctl.Open(ctx, conn, ledger, reported(tell))
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return r, r.Snapshot().Table, nil
}

// reported makes events of what the reconciler reports.
func reported(tell event.Sink) func(ipvsctl.Event) {
	return func(e ipvsctl.Event) {
		tell(event.Event{At: time.Now(), Severity: e.Level, Code: e.Code, Text: e.Text, Attributes: e.Attrs})
	}
}

// readRows reads virtual services of the kernel's table as it is now, or with nil all of
// it, by a socket of its own: nobody waits for who asks.
func readRows(ctx context.Context, keys []ipvsctl.ServiceKey) (ipvsctl.Table, map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters], error) {
	conn, err := kernel.Dial()
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	if keys == nil {
		table, err := conn.List(ctx)
		return table, nil, err
	}
	table, counters := make(ipvsctl.Table), make(map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters])
	for _, key := range keys {
		vs, counted, err := conn.Read(ctx, key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, nil, err
		default:
			table[key], counters[key] = vs, counted
		}
	}
	return table, counters, nil
}

// owned reports whether an earlier run has left rows in the kernel's table.
func owned(log *slog.Logger, store *state.Store) bool {
	var keys []ipvsctl.ServiceKey
	ledger, err := store.Ledger()
	if err == nil {
		keys, err = ledger.Load()
	}
	if err != nil { // It is put aside, and whoever loads it later finds none.
		log.Warn("the record of our IPVS services cannot be read: those of earlier configurations stay in the kernel",
			"event", ipvsctl.LedgerUnreadable, "error", err)
	}
	return len(keys) > 0
}

// keeperEdge is the keeper as the director sees it.
type keeperEdge struct {
	*keeper.Client
	processors *processors
}

// Heartbeat tells the keeper that the director lives. That is once a second, at which
// something else is due, too.
func (k keeperEdge) Heartbeat() {
	k.Client.Heartbeat()
	k.processors.beat()
}

func (k keeperEdge) Status() api.Keeper {
	s := k.Client.Status()
	all := api.Keeper{PID: s.PID, Restarts: s.Restarts, Restarted: s.Restarted, EventsDropped: s.Dropped,
		Realtime: s.Realtime, Locked: s.Locked, Why: s.Why, Unclaimed: s.Unclaimed, Others: s.Others}
	if !s.Reported.IsZero() {
		all.Age = time.Since(s.Reported)
		all.AgeText = api.Duration(all.Age)
	}
	if w := s.Watchdog; w.Device != "" {
		all.Watchdog = &api.Watchdog{Device: w.Device, Timeout: w.Timeout, TimeoutText: api.Duration(w.Timeout), Fed: w.Fed, Why: w.Why}
	}
	all.Processors, all.Unpinned = s.Processors, s.Unpinned
	if s.Static != nil {
		static := api.Static(*s.Static)
		all.Static = &static
	}
	all.Transitions = make(map[string][]api.Transition)
	for router, last := range k.Client.Transitions() {
		for _, t := range last {
			all.Transitions[router] = append(all.Transitions[router], api.Transition{At: t.At, From: api.State(t.From), To: api.State(t.To), Why: t.Why})
		}
	}
	return all
}

// pinned are processors as the keeper takes them.
func pinned(p config.Processors) []int {
	all, _ := p.List() // It was checked, or there are none.
	return all
}

// notify tells systemd the daemon's state. systemd 252 knows RELOADING for
// Type=notify; later versions also want its time (sd_notify(3)).
func notify(log *slog.Logger, message string) {
	if message == "RELOADING=1" {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err == nil {
			message += fmt.Sprintf("\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond))
		}
	}
	if _, err := daemon.SdNotify(false, message); err != nil {
		log.Warn("could not notify systemd", "message", message, "error", err)
	}
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
