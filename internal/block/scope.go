package block

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// A scope is what every block of a configuration may refer to. Once the locals
// are evaluated nothing in it changes, so that blocks can be decoded at the
// same time: what HCL's expressions do with a context, and its functions with
// values, is to read them.
type scope struct {
	sources  Sources
	options  Options
	language *Language
	// context has the variables and the functions besides file.
	context *hcl.EvalContext
	locals  []string // the names of all locals
	// broken is set where a local has a mistake, so that its value, and those
	// computed from it, are unknown.
	broken bool
}

// newScope returns a scope without locals.
func newScope(l *Language, s Sources, o Options) *scope {
	env := map[string]cty.Value{}
	for _, name := range s.envNames() {
		if v, ok := o.lookup(name); ok {
			env[name] = cty.StringVal(v)
		}
	}
	return &scope{sources: s, options: o, language: l, context: &hcl.EvalContext{
		Variables: map[string]cty.Value{
			"node":  cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(o.Node)}),
			"env":   cty.ObjectVal(env),
			"local": cty.EmptyObjectVal,
		},
		Functions: functions,
	}}
}

// A part is what came of decoding one item, besides its value.
type part struct {
	Reports
	Claims []Claim
	files  []fileRead
}

// A Claim is what one block says that can be judged only when all blocks are
// known, or with what is known of the machine. Which block is the first to
// claim something, and so which one is the duplicate, follows from the order of
// the files and not from the order of their decoding.
type Claim struct {
	Kind int
	// Key tells what is claimed apart from everything else of its kind, and
	// Text is how a message names it.
	Key, Text string
	At        Place
}

// A decoder decodes one item. It changes nothing but itself.
type decoder struct {
	*scope
	part
	// ctx is the scope's context with a function file that knows for which
	// item it reads.
	ctx *hcl.EvalContext
	// refusals are the places of what was refused.
	refusals map[Place]bool
	// incomplete is set where broken lines were taken out of the item.
	incomplete bool
	// generated counts the blocks that dynamic blocks made.
	generated int
}

func newDecoder(s *scope) *decoder {
	d := &decoder{scope: s, refusals: map[Place]bool{}}
	d.ctx = s.context.NewChild()
	d.ctx.Functions = map[string]function.Function{"file": fileFunction(d.readBeneath)}
	return d
}

// Mistake reports an error. What stands at its place counts as refused.
func (d *decoder) Mistake(at Place, summary, detail string, args ...any) {
	d.refusals[at] = true
	d.part.Mistake(at, summary, detail, args...)
}

// Claim notes a claim, which a message names by text.
func (d *decoder) Claim(kind int, key, text string, at Place) {
	d.Claims = append(d.Claims, Claim{kind, key, text, at})
}

// A fileRead is a file that a block named, by its path, and the digest of what
// was read: the text or the error.
type fileRead struct {
	path, sum string
}

// ReadFile reads a file that the configuration names, wherever it is. What it
// contains must not become a value.
func (d *decoder) ReadFile(name string) ([]byte, error) {
	return d.read(name, func(path string) ([]byte, error) { return readRegular(anywhere{}, path, maxFile) })
}

// readBeneath is ReadFile for file(): values may be sent to servers, and are shown
// in messages, so that whoever writes the configuration is not to choose among all
// files of this machine.
func (d *decoder) readBeneath(name string) ([]byte, error) {
	dirs := append([]string{d.sources.dir}, d.options.FileDirs...)
	return d.read(name, func(path string) ([]byte, error) { return readBeneath(dirs, path, maxFile) })
}

// read notes that a file decides what the configuration means.
func (d *decoder) read(name string, how func(path string) ([]byte, error)) ([]byte, error) {
	path := d.Resolve(name)
	text, err := how(path)
	r := fileRead{path, sumOf(text, err)}
	if !slices.Contains(d.files, r) {
		d.files = append(d.files, r)
	}
	in := ""
	if !filepath.IsAbs(name) {
		in = " in " + d.sources.dir
	}
	switch wrong, ok := errors.AsType[*fs.PathError](err); {
	case errors.Is(err, errOutside):
		err = fmt.Errorf("%q is not beneath %s, where file() reads: move it there, or give its directory to lvsd run and lvsd validate with --file-dir", name, d.sources.dir)
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("there is no file %q%s", name, in)
	case ok:
		err = fmt.Errorf("%q%s: %w", name, in, wrong.Err)
	}
	return text, err
}

// Resolve returns the path of a file that the configuration names.
func (d *decoder) Resolve(name string) string { return d.sources.resolve(name) }

func sumOf(text []byte, err error) string {
	if err != nil {
		text = []byte(err.Error())
	}
	sum := sha512.Sum512_256(text)
	return string(sum[:])
}

// unchanged reports whether every file is what it was when it was read.
func unchanged(files []fileRead) bool {
	return !slices.ContainsFunc(files, func(f fileRead) bool {
		return sumOf(readRegular(anywhere{}, f.path, maxFile)) != f.sum
	})
}

// survive turns a panic into a mistake. The parser and the functions are
// others' code and read what anybody may have written: whatever happens
// there must not end the program.
func (d *decoder) survive(at Place, what string) {
	if p := recover(); p != nil {
		d.Mistake(at, "Unreadable "+what, "Reading it failed unexpectedly (%.40v): please report this, and write it in a simpler way.", p)
	}
}
