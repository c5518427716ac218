package arch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var mutate = flag.String("mutate", "", "mutate these packages of the core, or files of theirs (vrrp/packet.go), a `list` separated by spaces")

const (
	// The share of mutants, in percent, that the tests of a package must kill,
	// or its list of equivalent mutants explain.
	wantKilled = 95

	// How much longer than without a mutation the tests may take.
	patience = 10
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
			excepted, ok := core[pkg]
			if !ok {
				t.Fatalf("%s is not in the table core", pkg)
			}
			var all []mutant
			for _, f := range files(t) {
				if _, exception := excepted[f.name]; f.pkg == pkg && !exception && strings.HasPrefix(f.name, only) {
					all = append(all, mutants(t, f)...)
				}
			}
			if len(all) == 0 {
				t.Fatal("there is nothing to mutate")
			}
			judge(t, runAll(t, pkg, all, equivalents(t, pkg, only)))
		})
	}
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

// replacements are the mutations of each operator.
var replacements = map[token.Token][]token.Token{
	token.EQL: {token.NEQ}, token.NEQ: {token.EQL},
	token.LSS: {token.LEQ, token.GEQ}, token.GEQ: {token.GTR, token.LSS},
	token.GTR: {token.GEQ, token.LEQ}, token.LEQ: {token.LSS, token.GTR},
	token.LAND: {token.LOR}, token.LOR: {token.LAND},
	token.ADD: {token.SUB}, token.SUB: {token.ADD},
	token.MUL: {token.QUO}, token.QUO: {token.MUL}, token.REM: {token.MUL},
	token.ADD_ASSIGN: {token.SUB_ASSIGN}, token.SUB_ASSIGN: {token.ADD_ASSIGN},
	token.INC: {token.DEC}, token.DEC: {token.INC},
	token.NOT: {token.ILLEGAL},
}

// A mutant is a file with one operator changed.
type mutant struct {
	path, source string
	line         int
	// text tells it from all others without the line's number, which changes
	// with every edit above it: the file, the function, the mutation, and on
	// the second line the source with the operator marked.
	text string
}

// mutants returns all mutants of a file.
func mutants(t *testing.T, f file) []mutant {
	path := f.Position(f.Pos()).Filename
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []mutant
	replace := func(pos token.Pos, operator token.Token) {
		at := f.Position(pos)
		before, after := source[:at.Offset], source[at.Offset+len(operator.String()):]
		lineStart := at.Offset - at.Column + 1
		line, _, _ := bytes.Cut(source[at.Offset:], []byte("\n"))
		marked := strings.TrimLeft(string(source[lineStart:at.Offset]), "\t") + "»" + string(line)
		for _, r := range replacements[operator] {
			other := r.String()
			if r == token.ILLEGAL {
				other = "" // the operator is taken out
			}
			all = append(all, mutant{
				path: path, source: string(before) + other + string(after), line: at.Line,
				text: fmt.Sprintf("%s %s: %v becomes %q\n%s", f.name, f.function(pos), operator, other, marked),
			})
		}
	}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			replace(n.OpPos, n.Op)
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				replace(n.OpPos, n.Op)
			}
		case *ast.AssignStmt:
			replace(n.TokPos, n.Tok)
		case *ast.IncDecStmt:
			replace(n.TokPos, n.Tok)
		}
		return true
	})
	return all
}

// function names the function at a position.
func (f file) function(pos token.Pos) string {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		switch {
		case !ok || pos < fn.Pos() || fn.End() < pos:
		case fn.Recv != nil:
			return types.ExprString(fn.Recv.List[0].Type) + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
	return "-"
}

// runAll runs the package's tests with each mutant, and returns how often they
// had which outcome. It prints those that survive and are not listed as
// equivalent.
func runAll(t *testing.T, pkg string, all []mutant, equivalent []string) map[string]int {
	outcome, took, output := run(t, pkg, mutant{}, 10*time.Minute)
	if outcome != "alive" {
		t.Fatalf("the tests fail without a mutation:\n%s", output)
	}
	limit := 5*time.Second + patience*took
	outcomes := map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	work := make(chan mutant)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for m := range work {
				outcome, _, _ := run(t, pkg, m, limit)
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
	if outcome, took, _ := run(t, pkg, mutant{}, limit); outcome != "alive" || took > limit/2 {
		t.Fatalf("without a mutation the tests now take %v, of %v: this machine is too busy for the rest to mean anything", took, limit)
	}
	for _, text := range equivalent {
		t.Errorf("testdata/mutants.txt explains what does not survive:\n%s", text)
	}
	return outcomes
}

// run builds the package's tests with one mutant, and runs them for limit at
// most. It returns how long they ran.
func run(t *testing.T, pkg string, m mutant, limit time.Duration) (outcome string, took time.Duration, output []byte) {
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	if m.path != "" {
		overlay["Replace"][m.path] = filepath.Join(dir, "mutant.go")
	}
	text, err := json.Marshal(overlay)
	err = errors.Join(err,
		os.WriteFile(filepath.Join(dir, "overlay.json"), text, 0o600),
		os.WriteFile(filepath.Join(dir, "mutant.go"), []byte(m.source), 0o600))
	if err != nil {
		t.Error(err)
		return "", 0, nil
	}
	binary := filepath.Join(dir, "mutant.test")
	defer os.Remove(binary)
	build := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, ".")
	build.Dir = filepath.Join("../..", pkg)
	if output, err := build.CombinedOutput(); err != nil {
		return "not compiled", 0, output
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	test := exec.CommandContext(ctx, binary, "-test.failfast", "-test.timeout", (2 * limit).String())
	test.Dir = build.Dir // the second limit ends a mutant that loops after its parent was killed
	begin := time.Now()
	output, err = test.CombinedOutput()
	took = time.Since(begin)
	switch {
	case ctx.Err() != nil:
		return "late", took, output
	case err != nil:
		return "killed", took, output
	}
	return "alive", took, output
}
