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
	// node has the operator. number chooses the mutant in a binary that has many; 0:
	// it is in none, since the compiler computes it.
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

// computed are the functions in a package with its mutants that compute what an
// operator does, or another one.
var computed = map[token.Token]string{
	token.ADD: "mutantSum", token.ADD_ASSIGN: "mutantSum", token.INC: "mutantSum",
	token.SUB: "mutantDifference", token.DEC: "mutantDifference",
	token.MUL: "mutantProduct", token.QUO: "mutantQuotient", token.REM: "mutantRemainder",
}

// number gives the mutants their numbers, but for those of constants, and of those that
// are shifted, whose type is found by what is around them. It leaves out those of texts,
// which can only be added.
func number(all []mutant, info *types.Info) (numbered []mutant) {
	for i, m := range all {
		x, operator := operation(m.node)
		basic, _ := info.TypeOf(x).Underlying().(*types.Basic)
		whole, _ := m.node.(ast.Expr)
		switch {
		case computed[operator] == "":
			m.number = i + 1
		case basic != nil && basic.Info()&types.IsString != 0:
			continue
		case basic != nil && (whole == nil || info.Types[whole].Value == nil) && !shiftsConstant(m.node, info):
			m.number = i + 1
		}
		numbered = append(numbered, m)
	}
	return numbered
}

// shiftsConstant reports whether a part of a node shifts a constant.
func shiftsConstant(n ast.Node, info *types.Info) (shifts bool) {
	ast.Inspect(n, func(part ast.Node) bool {
		if both, ok := part.(*ast.BinaryExpr); ok && (both.Op == token.SHL || both.Op == token.SHR) {
			shifts = shifts || info.Types[both.X].Value != nil
		}
		return !shifts
	})
	return shifts
}

// operation returns the operator of a mutant's node, and what it is applied to, or
// the first of two.
func operation(n ast.Node) (ast.Expr, token.Token) {
	switch n := n.(type) {
	case *ast.UnaryExpr:
		return n.X, n.Op
	case *ast.BinaryExpr:
		return n.X, n.Op
	case *ast.AssignStmt:
		return n.Lhs[0], n.Tok
	case *ast.IncDecStmt:
		return n.X, n.Tok
	}
	panic(fmt.Sprintf("a mutant of %T", n))
}

// switched returns the text of the files with all mutants that have a number, by
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
	texts[filepath.Join(filepath.Dir(first.path), "chosen_mutant.go")] = "package " + first.File.Name.Name + choice
	return texts
}

// choice is the file that chooses among a package's mutants.
const choice = `

import (
	"os"
	"strconv"
)

var ` + chosen + `, _ = strconv.Atoi(os.Getenv("` + chosen + `"))

type mutantInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type mutantNumber interface{ mutantInteger | ~float32 | ~float64 }

func mutantSum[T mutantNumber](number int, x, y T) T {
	if ` + chosen + ` == number {
		return x - y
	}
	return x + y
}

func mutantDifference[T mutantNumber](number int, x, y T) T {
	if ` + chosen + ` == number {
		return x + y
	}
	return x - y
}

func mutantProduct[T mutantNumber](number int, x, y T) T {
	if ` + chosen + ` == number {
		return x / y
	}
	return x * y
}

func mutantQuotient[T mutantNumber](number int, x, y T) T {
	if ` + chosen + ` == number {
		return x * y
	}
	return x / y
}

func mutantRemainder[T mutantInteger](number int, x, y T) T {
	if ` + chosen + ` == number {
		return x * y
	}
	return x % y
}
`

// An editor writes a file's operations so that they are mutants of themselves
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
		return e.operation(n, e.numbers[n])
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

// operation returns the text of an operation. It evaluates what the original does
// while none of its numbers is chosen.
func (e editor) operation(n ast.Node, numbers []int) string {
	first, operator := operation(n)
	compute, x := computed[operator], e.text(first)
	switch n := n.(type) {
	case *ast.UnaryExpr:
		return fmt.Sprintf("((%s == %d) != !%s)", chosen, numbers[0], x)
	case *ast.AssignStmt:
		return fmt.Sprintf("%s = %s(%d, %[1]s, %[4]s)", x, compute, numbers[0], e.text(n.Rhs[0]))
	case *ast.IncDecStmt:
		return fmt.Sprintf("%s = %s(%d, %[1]s, 1)", x, compute, numbers[0])
	}
	y := e.text(n.(*ast.BinaryExpr).Y)
	if compute != "" {
		return fmt.Sprintf("%s(%d, %s, %s)", compute, numbers[0], x, y)
	}
	return e.condition(x, operator, y, numbers)
}

// condition returns the text of a comparison, or of one of two conditions.
func (e editor) condition(x string, operator token.Token, y string, numbers []int) string {
	is := func(i int) string { return fmt.Sprintf("(%s == %d)", chosen, numbers[i]) }
	original := "(" + x + " " + operator.String() + " " + y + ")"
	switch {
	case operator == token.LAND:
		return "((" + x + " || " + is(0) + ") && (" + is(0) + " && " + x + " || " + y + "))"
	case operator == token.LOR:
		return "(!" + is(0) + " && " + x + " || (!" + is(0) + " || " + x + ") && " + y + ")"
	case len(numbers) == 2:
		return "(" + is(1) + " != (" + original + " != (" + is(0) + " && " + x + " == " + y + ")))"
	}
	return "(" + is(0) + " != " + original + ")"
}
