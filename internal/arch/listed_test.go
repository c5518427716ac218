package arch

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var runListed = flag.Bool("listed", false, "run the tests with each mutation of testdata/mutations.txt")

// wantListed is how many mutations there are at least.
const wantListed = 60

// minutes are longer than the tests of any package take.
var minutes = spent{4 * time.Minute, 8 * time.Minute}

// A listed mutation is one that somebody has thought of.
type listedMutation struct {
	broken         string // what it breaks, in a user's words
	file, old, new string
	packages       []string // whose tests are to notice
}

// TestListedMutations changes the code as testdata/mutations.txt says, one entry after
// the other, and expects that the tests of a package which it names fail. The list keeps
// up with the code: without the flag, it is only compared.
func TestListedMutations(t *testing.T) {
	all := listedMutations(t)
	if len(all) < wantListed {
		t.Errorf("there are %d, want %d at least", len(all), wantListed)
	}
	for _, m := range all {
		t.Run(strings.ReplaceAll(m.broken, " ", "_"), func(t *testing.T) {
			path, err := filepath.Abs(filepath.Join("../..", m.file))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), m.old); n != 1 {
				t.Fatalf("these lines are %d times in %s, and must be there once: let testdata/mutations.txt follow the code\n%s", n, m.file, m.old)
			}
			if !*runListed {
				return
			}
			t.Parallel()
			m.mustBeNoticed(t, map[string]string{path: strings.Replace(string(text), m.old, m.new, 1)})
		})
	}
}

// mustBeNoticed fails unless the tests of one of the packages fail.
func (m *listedMutation) mustBeNoticed(t *testing.T, changed map[string]string) {
	for _, pkg := range m.packages {
		binary := filepath.Join(t.TempDir(), "mutation.test")
		if output, err := build(t, pkg, binary, changed); err != nil {
			t.Fatalf("it does not compile:\n%s", output)
		}
		if outcome, _, _ := run(pkg, binary, 0, minutes); outcome != "alive" {
			return
		}
	}
	t.Errorf("no test of %s notices it", strings.Join(m.packages, " or "))
}

// listedMutations reads the list. Its first entry is a comment.
func listedMutations(t *testing.T) (all []listedMutation) {
	text, err := os.ReadFile("testdata/mutations.txt")
	if err != nil {
		t.Fatal(err)
	}
	for entry := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		if strings.HasPrefix(entry, "#") {
			continue
		}
		lines := strings.Split(entry, "\n")
		if len(lines) < 4 {
			t.Fatalf("an entry is cut:\n%s", entry)
		}
		m := listedMutation{broken: lines[0]}
		file, packages, _ := strings.Cut(lines[1], ":")
		if m.file, m.packages = file, strings.Fields(packages); len(m.packages) == 0 {
			m.packages = []string{filepath.Dir(file)}
		}
		var old, with []string
		for _, line := range lines[2:] {
			switch {
			case strings.HasPrefix(line, "-"):
				old = append(old, line[1:])
			case strings.HasPrefix(line, "+"):
				with = append(with, line[1:])
			default:
				t.Fatalf("neither - nor + begins the line %q of\n%s", line, entry)
			}
		}
		m.old, m.new = strings.Join(old, "\n"), strings.Join(with, "\n")
		all = append(all, m)
	}
	return all
}
