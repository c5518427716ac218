package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// created returns a new file, and its name in JOURNAL_STREAM.
func created(t *testing.T, name string) (f *os.File, stream string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return f, fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

func TestTheJournalKnowsWhatWentWrong(t *testing.T) {
	for format, want := range map[string]string{
		"text": "<7>level=DEBUG msg=asked n=1\n<6>level=INFO msg=ready n=1\n<4>level=WARN msg=\"two\\nlines\" n=1\n<3>level=ERROR msg=lost n=1 in.a=2\n",
		"json": `<7>{"level":"DEBUG","msg":"asked","n":1}` + "\n" + `<6>{"level":"INFO","msg":"ready","n":1}` + "\n" +
			`<4>{"level":"WARN","msg":"two\nlines","n":1}` + "\n" + `<3>{"level":"ERROR","msg":"lost","n":1,"in":{"a":2}}` + "\n",
	} {
		t.Run(format, func(t *testing.T) {
			journal, stream := created(t, "journal")
			t.Setenv("JOURNAL_STREAM", stream)
			log, closeLog, err := OpenLog(journal, format, "debug")
			if err != nil {
				t.Fatal(err)
			}
			with := log.With("n", 1)
			with.Debug("asked")
			with.Info("ready")
			with.Warn("two\nlines")
			with.WithGroup("in").Error("lost", "a", 2)
			closeLog()
			if got, _ := os.ReadFile(journal.Name()); string(got) != want {
				t.Errorf("the journal has\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Whoever starts lvsd from a service hands its JOURNAL_STREAM on.
func TestAFileThatIsNotTheJournalHasNoPriorities(t *testing.T) {
	_, stream := created(t, "journal")
	t.Setenv("JOURNAL_STREAM", stream)
	other, _ := created(t, "other")
	if IsJournal(other) {
		t.Error("another file than the journal's is taken for it")
	}
	t.Setenv("JOURNAL_STREAM", "")
	if IsJournal(other) {
		t.Error("without a journal, a file is taken for it")
	}
}

func TestEachLineOfADiagnosisIsAnError(t *testing.T) {
	journal, _ := created(t, "journal")
	p := &Prefixed{W: journal, Prefix: ErrorPriority}
	if n, err := p.Write([]byte("web.hcl:1: Unknown scheduler\n  wrrr\n")); n != 36 || err != nil {
		t.Errorf("wrote %d bytes, error %v; want 36", n, err)
	}
	const want = "<3>web.hcl:1: Unknown scheduler\n<3>  wrrr\n"
	if got, _ := os.ReadFile(journal.Name()); string(got) != want {
		t.Errorf("the journal has %q, want %q", got, want)
	}
}
