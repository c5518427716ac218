package arch

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// orderSentence comes before the list of a package's files in its doc comment.
// Each line of the list begins with names of files, separated by commas. What
// follows two spaces says what is in them.
const orderSentence = "Every file uses only files that come before it in this list:"

// fewFiles need no list, since nobody gets lost among them.
const fewFiles = 4

// unordered are the packages with more files and no list, and why.
var unordered = map[string]string{
	"cmd/lvsd":     "main has a list of the commands, and they end with its exit statuses",
	"internal/api": "an answer has what other files have the parts of, and the names of those are in the JSON",
	"internal/sim": "a network, its directors and what watches both know each other",
}

// TestFilesDependOneWay checks that a package can be read from the first of its
// files to the last one: its doc comment has a list of them in that order, and
// none uses what a later one declares.
func TestFilesDependOneWay(t *testing.T) {
	imports, byPackage := exports(t), map[string][]file{}
	for _, f := range files(t) {
		byPackage[f.pkg] = append(byPackage[f.pkg], f)
	}
	for _, pkg := range slices.Sorted(maps.Keys(byPackage)) {
		order := listed(byPackage[pkg])
		if order == nil && (len(byPackage[pkg]) <= fewFiles+1 || unordered[pkg] != "" || within(pkg, []string{"integration"})) {
			continue
		}
		for _, mistake := range append(incomplete(pkg, order, byPackage[pkg]), backwards(order, byPackage[pkg], imports)...) {
			t.Error(mistake)
		}
	}
}

var fileName = regexp.MustCompile(`\w+\.go`)

// listed returns the names of files in the list of a doc comment; nil if there is
// no list.
func listed(files []file) (order []string) {
	for _, f := range files {
		_, list, _ := strings.Cut(f.Doc.Text(), orderSentence+"\n\n")
		for line := range strings.Lines(list) {
			if !strings.HasPrefix(line, "\t") {
				break
			}
			names, _, _ := strings.Cut(line[1:], "  ")
			order = append(order, fileName.FindAllString(names, -1)...)
		}
	}
	return order
}

// incomplete lists files that are not in the list, or not where the list says.
func incomplete(pkg string, order []string, files []file) (mistakes []string) {
	left := slices.Clone(order)
	for _, f := range files {
		if i := slices.Index(left, f.name); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else if f.name != "doc.go" {
			mistakes = append(mistakes, fmt.Sprintf("%s/%s: add it to the list of files in the package's doc comment, after those that it uses", pkg, f.name))
		}
	}
	for _, name := range left {
		mistakes = append(mistakes, fmt.Sprintf("%s: the list of files in the doc comment has %s, which does not exist or is there twice", pkg, name))
	}
	return mistakes
}

// backwards lists where a file uses what a later one declares.
func backwards(order []string, files []file, imports types.Importer) (mistakes []string) {
	pkg, info, err := typesOf(files, imports)
	if err != nil {
		return []string{err.Error()}
	}
	for _, f := range files {
		ast.Inspect(f.File, func(n ast.Node) bool {
			name, _ := n.(*ast.Ident)
			if o := info.Uses[name]; o != nil && o.Pkg() == pkg {
				in := filepath.Base(f.Position(o.Pos()).Filename)
				if slices.Index(order, in) > slices.Index(order, f.name) {
					mistakes = append(mistakes, fmt.Sprintf("%s: %s is declared in %s, which comes later in the list of files in the package's doc comment", f.at(n), name, in))
				}
			}
			return true
		})
	}
	return mistakes
}

// typesOf finds out the types in the files of a package.
func typesOf(files []file, imports types.Importer) (*types.Package, *types.Info, error) {
	syntax := make([]*ast.File, len(files))
	for i, f := range files {
		syntax[i] = f.File
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	pkg, err := (&types.Config{Importer: imports}).Check(files[0].pkg, files[0].FileSet, syntax, info)
	return pkg, info, err
}

// exports returns an importer of all packages that this module depends on, as the
// compiler exported their types.
func exports(t *testing.T) types.Importer {
	paths := map[string]string{}
	for _, p := range listPackages(t, "-export", "-deps") {
		paths[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(files(t)[0].FileSet, "gc", func(path string) (io.ReadCloser, error) { return os.Open(paths[path]) })
}
