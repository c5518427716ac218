package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// logOf returns what makes a logger of a format.
func logOf(t *testing.T, format string) func(io.Writer) *slog.Logger {
	t.Helper()
	newLog, err := logFormat(format, slog.LevelInfo, false)
	if err != nil {
		t.Fatal(err)
	}
	return newLog
}

func TestALogThatNobodyReadsStopsNobody(t *testing.T) {
	for format, wants := range map[string][]string{
		"text": {"level=INFO msg=line n=0\n", "level=INFO msg=line n=4000\n", "level=ERROR msg=\"the log was not read: lines were dropped\" lines=99\n"},
		"json": {"\"msg\":\"line\",\"n\":0}\n", "\"msg\":\"line\",\"n\":4000}\n", "\"msg\":\"the log was not read: lines were dropped\",\"lines\":99}\n"},
	} {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				newLog := logOf(t, format)
				l := newLineWriter(w, newLog(w))
				log := newLog(l)
				log.Info("line", "n", 0)
				synctest.Wait() // This line is being written; the others wait.
				for i := range maxLines + 99 {
					log.Info("line", "n", 1+i)
				}
				var got bytes.Buffer
				go func() { _, _ = io.Copy(&got, r) }()
				synctest.Wait()
				for _, want := range wants {
					if !strings.Contains(got.String(), want) {
						t.Errorf("the log, read at last, does not have %q", want)
					}
				}
				l.close()
				_ = w.Close()
			})
		})
	}
}

func TestALogInJSONIsAnObjectForEachLine(t *testing.T) {
	var out bytes.Buffer
	log := logOf(t, "json")(&out)
	log.Debug("too much")
	log.Warn("two\nlines", "server", "192.168.1.4", "took", 3)
	var line struct {
		Time, Level, Msg, Server string
		Took                     int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%q: %v", &out, err)
	}
	if line.Level != "WARN" || line.Msg != "two\nlines" || line.Server != "192.168.1.4" || line.Took != 3 {
		t.Errorf("%q is read as %+v", &out, line)
	}
}

func TestAnUnknownFormatOrLevelIsRefused(t *testing.T) {
	for _, tt := range []struct{ format, level, want string }{
		{"yaml", "info", `unknown log format "yaml": write text or json`},
		{"text", "loud", `unknown log level "loud": write debug, info, warn or error`},
	} {
		if _, _, err := OpenLog(io.Discard, tt.format, tt.level); err == nil || err.Error() != tt.want {
			t.Errorf("%s, %s: %v, want %q", tt.format, tt.level, err, tt.want)
		}
	}
}

// Also for who has a logger made of it before, as all events do.
func TestTheLevelOfTheLogChangesWhileItIsOpen(t *testing.T) {
	var out bytes.Buffer
	log, closeLog, err := OpenLog(&out, "text", "warn")
	if err != nil {
		t.Fatal(err)
	}
	part := log.With("part", "checks")
	for _, level := range []string{"", "debug", "error", ""} {
		log.SetLevel(level)
		part.Debug("debug", "at", level)
		part.Warn("warn", "at", level)
		part.Error("error", "at", level)
	}
	closeLog()
	var got []string
	for line := range strings.Lines(out.String()) {
		_, line, _ = strings.Cut(line, "msg=")
		got = append(got, strings.TrimSpace(line))
	}
	want := []string{`warn part=checks at=""`, `error part=checks at=""`, "debug part=checks at=debug", "warn part=checks at=debug", "error part=checks at=debug",
		"error part=checks at=error", `warn part=checks at=""`, `error part=checks at=""`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestClosingALogThatNobodyReadsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		newLog := logOf(t, "text")
		l := newLineWriter(w, newLog(w))
		newLog(l).Info("never read")
		l.close()
		_ = r.Close()
	})
}
