package arch

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var mutate = flag.String("mutate", "", "mutate these packages of the core, or files of theirs (vrrp/packet.go), a `list` separated by spaces")

const (
	// The share of mutants, in percent, that the tests of a package must kill,
	// or its list of equivalent mutants explain.
	wantKilled = 95

	// How much longer than without a mutation the tests may take: of processor time,
	// so that a busy machine makes no mutant late, and of any other.
	patience, idle = 5, 30
)

// TestMutants changes one operator at a time in the core files of a package,
// which are all its files but the exceptions of the table core, and runs the
// package's tests each time. A mutant that they don't notice is behaviour that
// none of them describes.
//
// A mutant that behaves as the original does is explained in the package's
// testdata/mutants.txt. What survives is printed in the form of that file.
func TestMutants(t *testing.T) {
	if *mutate == "" {
		t.Skip("it takes minutes: make mutate")
	}
	for _, what := range strings.Fields(*mutate) {
		t.Run(what, func(t *testing.T) {
			pkg, only := what, ""
			if filepath.Ext(what) == ".go" {
				pkg, only = filepath.Dir(what), filepath.Base(what)
			}
			all := mutantsOf(t, pkg, only)
			if len(all) == 0 {
				t.Fatal("there is nothing to mutate")
			}
			judge(t, runAll(t, pkg, all, equivalents(t, pkg, only)))
		})
	}
}

// mutantsOf returns the mutants of a package, or of one file of it.
func mutantsOf(t *testing.T, pkg, only string) (all []mutant) {
	excepted, ok := core[pkg]
	if !ok {
		t.Fatalf("%s is not in the table core", pkg)
	}
	var whole []file
	for _, f := range files(t) {
		if f.pkg != pkg {
			continue
		}
		whole = append(whole, f)
		if _, exception := excepted[f.name]; !exception && strings.HasPrefix(f.name, only) {
			all = append(all, mutants(t, f)...)
		}
	}
	_, info, err := typesOf(whole, exports(t))
	if err != nil {
		t.Fatal(err)
	}
	return number(all, info)
}

// judge says which share of the mutants was noticed or explained.
func judge(t *testing.T, outcomes map[string]int) {
	total := -outcomes["not compiled"]
	for _, n := range outcomes {
		total += n
	}
	t.Logf("%d mutants: %v", total, outcomes)
	share := 100 * float64(total-outcomes["alive"]) / float64(total)
	if t.Logf("%.1f %% killed or equivalent", share); share < wantKilled {
		t.Errorf("less than %d %%", wantKilled)
	}
}

// equivalents reads the list of a package's mutants, or of those of one file,
// that behave as the original does. Entries are separated by empty lines; the
// first two lines of each are a mutant's text, and those that follow are the
// reason.
func equivalents(t *testing.T, pkg, only string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", pkg, "testdata/mutants.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var list []string
	for entry := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		lines := strings.SplitN(strings.TrimSpace(entry), "\n", 3)
		switch {
		case len(lines) == 3 && strings.HasPrefix(entry, only):
			list = append(list, lines[0]+"\n"+lines[1])
		case entry != "" && len(lines) < 3:
			t.Errorf("testdata/mutants.txt: an entry without a reason:\n%s", entry)
		}
	}
	return list
}

// runAll runs the package's tests with each mutant, and returns how often they
// had which outcome. It prints those that survive and are not listed as
// equivalent.
func runAll(t *testing.T, pkg string, all []mutant, equivalent []string) map[string]int {
	common := filepath.Join(t.TempDir(), "common.test")
	if output, err := build(t, pkg, common, switched(all)); err != nil {
		t.Fatalf("the package does not compile with its mutants:\n%s", output)
	}
	outcome, took, output := run(pkg, common, 0, spent{10 * time.Minute, 10 * time.Minute})
	if outcome != "alive" {
		t.Fatalf("the tests fail without a mutation:\n%s", output)
	}
	limit := spent{5*time.Second + patience*took.processor, 30*time.Second + idle*took.time}
	outcomes := map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	work := make(chan mutant)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for m := range work {
				outcome := try(t, pkg, common, m, limit)
				mu.Lock()
				if i := slices.Index(equivalent, m.text); i >= 0 && outcome == "alive" {
					outcome, equivalent = "equivalent", slices.Delete(equivalent, i, i+1)
				}
				outcomes[outcome]++
				if outcome == "alive" {
					t.Logf("line %d survives:\n%s", m.line, m.text)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range all {
		work <- m
	}
	close(work)
	group.Wait()
	// Some mutants loop for ever, in a file that says when to wake up as many as a
	// quarter of them. That counts as noticed only on a machine that has time.
	if outcome, took, _ := run(pkg, common, 0, limit); outcome != "alive" || took.processor > limit.processor/2 || took.time > limit.time/2 {
		t.Fatalf("without a mutation the tests now take %v, of %v: this machine is too busy for the rest to mean anything", took, limit)
	}
	for _, text := range equivalent {
		t.Errorf("testdata/mutants.txt explains what does not survive:\n%s", text)
	}
	return outcomes
}

// try runs the package's tests with one mutant, which the common binary has or
// which needs one of its own.
func try(t *testing.T, pkg, common string, m mutant, limit spent) (outcome string) {
	binary := common
	if m.number == 0 {
		binary = filepath.Join(t.TempDir(), "mutant.test")
		defer os.Remove(binary)
		if _, err := build(t, pkg, binary, map[string]string{m.path: m.source}); err != nil {
			return "not compiled"
		}
	}
	outcome, _, _ = run(pkg, binary, m.number, limit)
	return outcome
}

// build builds the package's tests with other text for some of its files, by
// their paths.
func build(t *testing.T, pkg, binary string, files map[string]string) (output []byte, err error) {
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	for path, text := range files {
		replacement := filepath.Join(dir, filepath.Base(path))
		overlay["Replace"][path] = replacement
		err = errors.Join(err, os.WriteFile(replacement, []byte(text), 0o600))
	}
	text, failure := json.Marshal(overlay)
	list := filepath.Join(dir, "overlay.json")
	if err := errors.Join(err, failure, os.WriteFile(list, text, 0o600)); err != nil {
		return nil, err
	}
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", list, "-o", binary, ".")
	build.Dir = filepath.Join("../..", pkg)
	return build.CombinedOutput()
}

// What a run has spent, or may spend.
type spent struct{ processor, time time.Duration }

// run runs the package's tests until a limit at most, with the mutant of a number in
// their binary; 0: with none. It returns what they have spent.
func run(pkg, binary string, number int, limit spent) (outcome string, took spent, output []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), limit.time)
	defer cancel()
	seconds := strconv.Itoa(int(limit.processor.Seconds()))
	test := exec.CommandContext(ctx, "sh", "-c", `ulimit -t "$0"; exec "$@"`, seconds,
		binary, "-test.failfast", "-test.timeout", (2 * limit.time).String())
	test.Dir = filepath.Join("../..", pkg) // the second limit ends a mutant that waits after its parent was killed
	test.Env = append(os.Environ(), fmt.Sprintf("%s=%d", chosen, number))
	begin := time.Now()
	output, err := test.CombinedOutput()
	ended := test.ProcessState
	took = spent{ended.UserTime() + ended.SystemTime(), time.Since(begin)}
	switch {
	case ended.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return "late", took, output
	case err != nil:
		return "killed", took, output
	}
	return "alive", took, output
}
