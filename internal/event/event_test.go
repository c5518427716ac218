package event

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func TestAnEventIsOneLineOfTheLog(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event Event
		want  string
	}{
		{"with its particulars", Event{At: at, Severity: Warning, Code: "server-down", Subject: "web/a", Text: "real server is down",
			Attributes: []slog.Attr{slog.String("service", "web"), slog.Int("left", 2)}},
			`time=2026-11-23T03:00:00.000Z level=WARN msg="real server is down" event=server-down service=web left=2`},
		{"without any", Event{At: at, Severity: Error, Code: "lost", Text: "lost"}, `time=2026-11-23T03:00:00.000Z level=ERROR msg=lost event=lost`},
		{"below the level that is wanted", Event{At: at, Severity: Info, Text: "ready"}, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			Log(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelWarn})))(tt.event)
			if got := strings.TrimSuffix(b.String(), "\n"); got != tt.want {
				t.Errorf("logged %q, want %q", got, tt.want)
			}
		})
	}
}
