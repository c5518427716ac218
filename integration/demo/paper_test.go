package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// story writes a little of everything.
func story(p *paper) {
	p.title("A cluster comes up")
	p.line("From now on the client asks for %d pages.", 50)
	p.figure("web1, weight 3", "42.9 %", "120 requests")
	p.quote("\none\ntwo\n")
	p.figure("the master stopped: gap", "0 ms", "0 requests failed")
	p.figure("first page", "3.82 s", "")
	p.table()
}

const plain = `
1. A cluster comes up
   From now on the client asks for 50 pages.
   web1, weight 3                                42.9 %  120 requests
   | one
   | two
   the master stopped: gap                         0 ms  0 requests failed
   first page                                    3.82 s

All figures
   web1, weight 3                                42.9 %  120 requests
   the master stopped: gap                         0 ms  0 requests failed
   first page                                    3.82 s
`

func TestAPaperThatIsNoTerminalIsPlainAndEndsWithAllFigures(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "paper"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	story(newPaper(f))
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != plain {
		t.Errorf("the paper says\n%s\nwant\n%s", got, plain)
	}
}

func TestColourChangesTheLookAlone(t *testing.T) {
	var b strings.Builder
	story(&paper{out: &b, terminal: true, colour: true})
	for _, want := range []string{
		"\x1b[1m1. A cluster comes up\x1b[0m", "\x1b[32m   42.9 %\x1b[0m", "\x1b[2m   | one\x1b[0m", "\x1b[1mAll figures\x1b[0m",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the coloured paper lacks %q:\n%q", want, b.String())
		}
	}
	bare := strings.NewReplacer("\x1b[0m", "", "\x1b[1m", "", "\x1b[2m", "", "\x1b[32m", "").Replace(b.String())
	if bare != plain {
		t.Errorf("without its colours the paper says\n%s\nwant\n%s", bare, plain)
	}
}

func TestAFigureBeyondItsBoundIsAnErrorThatSaysBoth(t *testing.T) {
	if err := within("gap", 300*time.Millisecond, 300*time.Millisecond); err != nil {
		t.Error(err)
	}
	const want = "gap: measured 1.02 s, expected at most 300 ms"
	if err := within("gap", 1020*time.Millisecond, 300*time.Millisecond); err == nil || err.Error() != want {
		t.Errorf("within says %v, want %q", err, want)
	}
}

func TestFiguresAreWrittenShort(t *testing.T) {
	for got, want := range map[string]string{
		short(999 * time.Millisecond):  "999 ms",
		short(2860 * time.Millisecond): "2.86 s",
		plural(1, "request"):           "1 request",
		plural(0, "request"):           "0 requests",
	} {
		if got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}
