package daemon

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lvsd/lvsd/internal/control"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/internal/state"
)

// TestOneOfManyStarters: of daemons that start at one moment beside a stale
// socket, exactly one gets it and keeps it.
func TestOneOfManyStarters(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "lvsd.sock")
	dead, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false) // as kill -9 leaves it
	dead.Close()
	servers := make([]*control.Server, 20)
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() {
			store, err := state.Open(dir)
			if err != nil {
				return
			}
			t.Cleanup(func() { store.Close() })
			opened, err := control.Listen(socket)
			if err != nil {
				t.Errorf("the one with the lock: %v", err)
				return
			}
			servers[i] = opened
		})
	}
	wg.Wait()
	won := 0
	for _, s := range servers {
		if s != nil {
			won++
			defer s.Close()
		}
	}
	if won != 1 {
		t.Fatalf("%d daemons have the socket, want 1", won)
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatalf("nobody listens on it: %v", err)
	}
	conn.Close()
}

// Without a virtual service nothing else would tell of a ledger that was put
// aside.
func TestADamagedLedgerIsToldThoughNothingIsConfigured(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "services.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var log strings.Builder
	if owned(slog.New(slog.NewTextHandler(&log, nil)), store) || !strings.Contains(log.String(), "services.json.unreadable") {
		t.Errorf("the log: %s", log.String())
	}
}

// Attack 13: what net/http had to say went to standard error beside the log.
func TestWhatTheHTTPServerReportsIsOneBoundedLine(t *testing.T) {
	var got []event.Event
	log := errorLog(func(e event.Event) { got = append(got, e) })
	log.Printf("http: panic serving %s", strings.Repeat("stack\n", 10_000))
	if len(got) != 1 || got[0].Severity != event.Warning || got[0].Code != "http-error" ||
		!strings.HasPrefix(got[0].Text, "the HTTP server reports: http: panic serving stack") || len(got[0].Text) > maxMessage+100 {
		t.Errorf("told %.200v", got)
	}
}
