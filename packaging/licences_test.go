package packaging

import (
	"debug/buildinfo"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEverythingThatIsLinkedHasItsLicence asks the binary itself what it was
// linked from.
func TestEverythingThatIsLinkedHasItsLicence(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "lvsd")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/lvsd").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("./licences.sh").Output()
	if err != nil {
		t.Fatal(err)
	}
	var sections []string
	for _, m := range info.Deps {
		sections = append(sections, m.Path+" "+m.Version)
	}
	for _, name := range append(sections, "lvsd", "Go, its run time and standard library") {
		_, licence, found := strings.Cut(string(text), "\n"+name+"\n\n")
		licence, _, _ = strings.Cut(licence, "\n====")
		if !found || !strings.Contains(strings.ToLower(licence), "copyright") && !strings.Contains(licence, "Mozilla Public License") {
			t.Errorf("there is no licence of %s", name)
		}
	}
	if len(sections) < 10 {
		t.Errorf("linked from %d modules only: %q", len(sections), sections)
	}
}
