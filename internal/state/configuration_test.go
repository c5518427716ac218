package state

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func saved(n int) Configuration {
	return Configuration{Accepted: time.Date(2026, 11, 28, 3, 0, n, 0, time.UTC), Digest: fmt.Sprint("digest ", n),
		Files: []ConfigurationFile{{Path: "/etc/lvsd/lvsd.hcl", Mode: 0o640, GID: 7, Text: fmt.Sprintf("# %d <&>\n", n)}}}
}

// The last ten that differ are kept, and what a restart accepts again is not kept twice.
func TestConfigurationsAreKept(t *testing.T) {
	dir := newDir(t)
	s := open(t, dir)
	for n := 1; n <= 12; n++ {
		must(t, s.SaveConfiguration(saved(n)))
		must(t, s.SaveConfiguration(saved(n)))
	}
	numbers, err := s.ConfigurationNumbers()
	if want := []uint64{12, 11, 10, 9, 8, 7, 6, 5, 4, 3}; err != nil || !slices.Equal(numbers, want) {
		t.Fatalf("kept are %v, %v; want %v", numbers, err, want)
	}
	want := saved(5)
	want.Number = 5
	if got, err := s.Configuration(5); err != nil || !cmp.Equal(got, &want) {
		t.Errorf("number 5 is %+v, %v", got, err)
	}
	if got, err := s.Configuration(2); got != nil || err != nil {
		t.Errorf("number 2 is still kept: %+v, %v", got, err)
	}
	for _, n := range numbers {
		if info, err := os.Stat(filepath.Join(dir, configurationName(n))); err != nil || info.Mode() != 0o600 {
			t.Errorf("number %d has mode %v, %v", n, info.Mode(), err)
		}
	}
	must(t, s.SaveConfiguration(saved(11))) // One goes back, and that is news.
	if numbers, _ := s.ConfigurationNumbers(); numbers[0] != 13 || len(numbers) != 10 {
		t.Errorf("kept are %v", numbers)
	}
}

func TestAConfigurationThatCannotBeReadHindersNoOther(t *testing.T) {
	dir := newDir(t)
	s := open(t, dir)
	must(t, s.SaveConfiguration(saved(1)))
	for _, name := range []string{"configuration-x.json", "configuration-01.json", "configuration-9.json.new", "configuration-99999999999999999999.json"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	must(t, os.WriteFile(filepath.Join(dir, configurationName(1)), []byte(`{"version":7}`), 0o600))
	must(t, s.SaveConfiguration(saved(2)))
	if numbers, err := s.ConfigurationNumbers(); err != nil || !slices.Equal(numbers, []uint64{2}) {
		t.Errorf("kept are %v, %v", numbers, err)
	}
	huge := saved(3)
	huge.Files[0].Text = string(make([]byte, maxDocument))
	if err := s.SaveConfiguration(huge); err == nil {
		t.Error("what could not be read again was kept")
	}
	if got, err := s.Configuration(2); err != nil || got == nil {
		t.Errorf("number 2 is %v, %v", got, err)
	}
}
