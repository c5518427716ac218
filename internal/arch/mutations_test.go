package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// replacements are the mutations of each operator. The first one of a comparison
// that has two differs from it where both sides are equal.
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
	file
	path, source string
	line         int
	// text tells it from all others without the line's number, which changes
	// with every edit above it: the file, the function, the mutation, and on
	// the second line the source with the operator marked.
	text string
	// node has the operator. number chooses the mutant in a binary that has those
	// of all conditions; 0: it is in none, since it computes another number.
	node   ast.Node
	number int
}

// mutants returns all mutants of a file.
func mutants(t *testing.T, f file) []mutant {
	path := f.Position(f.Pos()).Filename
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []mutant
	replace := func(n ast.Node, pos token.Pos, operator token.Token) {
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
				file: f, path: path, source: string(before) + other + string(after), line: at.Line, node: n,
				text: fmt.Sprintf("%s %s: %v becomes %q\n%s", f.name, f.function(pos), operator, other, marked),
			})
		}
	}
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			replace(n, n.OpPos, n.Op)
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				replace(n, n.OpPos, n.Op)
			}
		case *ast.AssignStmt:
			replace(n, n.TokPos, n.Tok)
		case *ast.IncDecStmt:
			replace(n, n.TokPos, n.Tok)
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

// chosen is the variable, of the environment and of a package with its mutants,
// that has the number of the mutant that runs.
const chosen = "chosenMutant"

// number gives the mutants of conditions their numbers.
func number(all []mutant) {
	for i := range all {
		switch n := all[i].node.(type) {
		case *ast.UnaryExpr:
			all[i].number = i + 1
		case *ast.BinaryExpr:
			switch n.Op {
			case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ, token.LAND, token.LOR:
				all[i].number = i + 1
			}
		}
	}
}

// switched returns the text of the files with all mutants of conditions, by
// their paths, and of one more that chooses among them. To build and link each
// by itself would take ten times as long as to run it.
func switched(all []mutant) map[string]string {
	texts := map[string]string{}
	numbers := map[ast.Node][]int{}
	for _, m := range all {
		if m.number > 0 {
			numbers[m.node] = append(numbers[m.node], m.number)
		}
	}
	for _, m := range all {
		if texts[m.path] == "" {
			original, _ := os.ReadFile(m.path) // Without it nothing compiles.
			e := editor{m.file, string(original), numbers}
			texts[m.path] = e.between(m.FileStart, m.Pos()) + e.text(m.File) + e.between(m.End(), m.FileEnd)
		}
	}
	first := all[0]
	texts[filepath.Join(filepath.Dir(first.path), "chosen_mutant.go")] = fmt.Sprintf(
		"package %s\n\nimport (\n\"os\"\n\"strconv\"\n)\n\nvar %s, _ = strconv.Atoi(os.Getenv(%[2]q))\n", first.File.Name.Name, chosen)
	return texts
}

// An editor writes a file's conditions so that they are mutants of themselves
// where one of their numbers is chosen.
type editor struct {
	file
	source  string
	numbers map[ast.Node][]int
}

func (e editor) between(from, to token.Pos) string {
	return e.source[e.Position(from).Offset:e.Position(to).Offset]
}

// text returns the text of a node.
func (e editor) text(n ast.Node) string {
	if len(e.numbers[n]) > 0 {
		return e.condition(n, e.numbers[n])
	}
	var b strings.Builder
	at := n.Pos()
	ast.Inspect(n, func(part ast.Node) bool {
		if part == nil || len(e.numbers[part]) == 0 {
			return true
		}
		b.WriteString(e.between(at, part.Pos()))
		b.WriteString(e.text(part))
		at = part.End()
		return false
	})
	return b.String() + e.between(at, n.End())
}

// condition returns the text of a condition. It evaluates what the original does
// while none of its numbers is chosen.
func (e editor) condition(n ast.Node, numbers []int) string {
	is := func(i int) string { return fmt.Sprintf("(%s == %d)", chosen, numbers[i]) }
	if not, ok := n.(*ast.UnaryExpr); ok {
		return "(" + is(0) + " != !" + e.text(not.X) + ")"
	}
	both := n.(*ast.BinaryExpr)
	x, y := e.text(both.X), e.text(both.Y)
	original := "(" + x + " " + both.Op.String() + " " + y + ")"
	switch {
	case both.Op == token.LAND:
		return "((" + x + " || " + is(0) + ") && (" + is(0) + " && " + x + " || " + y + "))"
	case both.Op == token.LOR:
		return "(!" + is(0) + " && " + x + " || (!" + is(0) + " || " + x + ") && " + y + ")"
	case len(numbers) == 2:
		return "(" + is(1) + " != (" + original + " != (" + is(0) + " && " + x + " == " + y + ")))"
	}
	return "(" + is(0) + " != " + original + ")"
}
