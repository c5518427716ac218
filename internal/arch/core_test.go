package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// core are the packages that take time as an argument and wait for nothing,
// with their files that are excepted, and what those are.
var core = map[string]map[string]string{
	"checker": {
		"checker.go": "the loop",
	},
	"ipvsctl": {
		"reconcile.go": "the loop",
		"ruler.go":     "the loop that keeps rules of the packet filter",
	},
	"ipvsctl/connections": {
		"teller.go": "the loop",
	},
	"vrrp": {
		"loop.go":    "the loop",
		"session.go": "the channels around the loop, and where others ask it",
		"worker.go":  "adds and announces addresses, which may stall in the kernel",
	},
	"internal/api": {},
	"internal/block": {
		"later.go":   "builds each table once, whoever asks first",
		"workers.go": "decodes blocks on all processors, and waits for them",
	},
	"internal/event":  {},
	"internal/config": {},
	"internal/director": {
		"director.go": "the channels around the loop, and where others ask it",
		"loop.go":     "the loop",
	},
	"internal/resource": {
		"command.go": "asks the kernel what is mounted",
		"runner.go":  "runs the programs",
	},
	"internal/hook": {
		"runner.go": "runs the programs",
	},
	"internal/text": {
		"pattern.go": "compiles each pattern once, whoever asks first",
	},
}

// clocks are what reads a clock or waits for one, by package.
var clocks = map[string][]string{
	"time":    {"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"},
	"context": {"AfterFunc", "WithDeadline", "WithDeadlineCause", "WithTimeout", "WithTimeoutCause"},
}

// A file is one parsed Go file of the module, not a test.
type file struct {
	pkg, name string
	*token.FileSet
	*ast.File
}

// files parses all files of the module that are not tests.
func files(t *testing.T) []file {
	t.Helper()
	var list []file
	set := token.NewFileSet()
	for _, p := range listPackages(t) {
		for _, name := range p.GoFiles {
			parsed, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Errorf("parsing %s/%s: %v", p.name(), name, err)
				continue
			}
			list = append(list, file{p.name(), name, set, parsed})
		}
	}
	return list
}

// at is where a node stands, as an editor follows it.
func (f file) at(n ast.Node) string {
	p := f.Position(n.Pos())
	return f.pkg + "/" + f.name + ":" + strconv.Itoa(p.Line)
}

// lines counts the lines of a node.
func (f file) lines(n ast.Node) int {
	return f.Position(n.End()).Line - f.Position(n.Pos()).Line + 1
}

func TestCore(t *testing.T) {
	for _, f := range files(t) {
		excepted, ok := core[f.pkg]
		if _, loop := excepted[f.name]; !ok || loop {
			continue
		}
		for _, v := range violations(f) {
			t.Error(v)
		}
	}
}

func TestExceptionsExist(t *testing.T) {
	all := files(t)
	for pkg, excepted := range core {
		for name, why := range excepted {
			if !slices.ContainsFunc(all, func(f file) bool { return f.pkg == pkg && f.name == name }) {
				t.Errorf("%s/%s is excepted from the rules of the core (%s), and is not there", pkg, name, why)
			}
		}
	}
}

// violations lists what a file of the core must not do.
func violations(f file) []string {
	var found []string
	watched := map[string][]string{} // as clocks, by the name that the file gives the package
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		if path == "sync" || strings.HasPrefix(path, "sync/") {
			found = append(found, f.at(i)+": the core needs no locks: it imports "+path)
		}
		name := path
		if i.Name != nil {
			name = i.Name.Name
		}
		watched[name] = clocks[path]
	}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, f.at(n)+": the core starts no goroutines")
		case *ast.SelectStmt:
			found = append(found, f.at(n)+": the core waits for nothing: select")
		case *ast.SendStmt:
			found = append(found, f.at(n)+": the core waits for nothing: a channel is sent to")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				found = append(found, f.at(n)+": the core waits for nothing: a channel is received from")
			}
		case *ast.CallExpr:
			if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Go" {
				found = append(found, f.at(n)+": the core starts no goroutines, by no group either")
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(watched[x.Name], n.Sel.Name) {
				found = append(found, f.at(n)+": the core takes time as an argument: "+x.Name+"."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestViolationsAreFound(t *testing.T) {
	const text = `package p
import ("context"; "sync"; clock "time")
func f(c chan int) {
	go f(nil)
	group.Go(f)
	select { default: }
	_ = clock.Now().Add(clock.Second)
	<-clock.After(1)
	context.WithTimeout(nil, 1)
	c <- 1
}`
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := violations(file{"p", "p.go", set, parsed})
	if len(found) != 9 {
		t.Errorf("found %d of 9 violations: %q", len(found), found)
	}
}

// The limits of what one head reads at a time.
const (
	maxFunction = 70
	maxFile     = 500
)

func TestSizes(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(text, []byte("\n")); n > maxFile {
				t.Errorf("%s/%s has %d lines, and %d are the limit: is it one thing?", p.name(), name, n, maxFile)
			}
		}
	}
	for _, f := range files(t) {
		if n := f.lines(f.File); n > maxFile {
			t.Errorf("%s/%s has %d lines, and %d are the limit: is it one thing?", f.pkg, f.name, n, maxFile)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.lines(fn) > maxFunction {
				t.Errorf("%s: %s has %d lines, and %d are the limit: which of its parts has a name?", f.at(fn), fn.Name.Name, f.lines(fn), maxFunction)
			}
		}
	}
}
