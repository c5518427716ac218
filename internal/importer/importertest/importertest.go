// Package importertest has what tests of the importers have in common. Only tests import it.
package importertest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// load has lvsd read a text as the director lvs1, with secrets in a folder. Replace are texts
// of it and what stands for them in a test.
func load(t testing.TB, dir, text string, secrets []importer.File, replace []string) (c *config.Config, refused config.Diagnostics) {
	t.Helper()
	for _, f := range secrets {
		name := filepath.Join(dir, filepath.Base(f.Name))
		if err := os.WriteFile(name, []byte(f.Secret), 0o600); err != nil {
			t.Fatal(err)
		}
		replace = append(replace, `"`+f.Name+`"`, `"`+name+`"`)
	}
	s, err := config.FromFiles(dir, config.SourceFile{Name: "lvsd.hcl", Text: []byte(strings.NewReplacer(replace...).Replace(text))})
	if err != nil {
		t.Fatal(err)
	}
	c, diags := config.Parse(s, config.Options{Node: "lvs1"})
	if diags.HasErrors() {
		return nil, diags
	}
	return c, nil
}

// Validate has lvsd read what Write writes of tidy blocks, and checks that it is the same
// configuration when they are simplified. It returns the text of that.
func Validate(t testing.TB, r importer.Result, replace ...string) (text string) {
	t.Helper()
	long := importer.Write(r.Blocks)
	dir := t.TempDir()
	before, refused := load(t, dir, long, r.Files, replace)
	if refused != nil {
		t.Errorf("lvsd refuses it: %v\n%s", refused, long)
		return long
	}
	text = importer.Write(importer.Simplify(r.Blocks))
	after, refused := load(t, dir, text, r.Files, replace)
	if refused != nil {
		t.Errorf("lvsd refuses what was simplified: %v\n%s", refused, text)
		return text
	}
	if diff := cmp.Diff(before, after, apart...); diff != "" {
		t.Errorf("what was simplified is another configuration:\n%s\n%s", diff, text)
	}
	if strings.Count(text, "\n") > strings.Count(long, "\n") {
		t.Errorf("what was simplified is longer:\n%s\n%s", long, text)
	}
	return text
}

// Written returns a result as its configuration, and as the list of what was lost and of the
// files beside it.
func Written(r importer.Result) (text, losses string) {
	importer.Tidy(r.Blocks)
	importer.Sort(r.Losses)
	var b strings.Builder
	for _, l := range r.Losses {
		fmt.Fprintf(&b, "%s:%d: %s: %s\n\t%s\n", filepath.Base(l.File), l.Line, l.Kind, l.Text, l.Reason)
		if l.Remedy != "" {
			fmt.Fprintf(&b, "\t→ %s\n", l.Remedy)
		}
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "file %s\n", f.Name)
	}
	return importer.Write(r.Blocks), b.String()
}

// apart leaves out where things stand in the text, and where the test has its files.
var apart = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmp.FilterPath(func(p cmp.Path) bool {
		f, is := p.Last().(cmp.StructField)
		return is && (f.Name() == "Source" || f.Name() == "Digest" || f.Name() == "Files")
	}, cmp.Ignore()),
}

// generated is how many configurations are generated and imported; 10,000 by make dropped.
var generated = flag.Uint64("generated", 150, "how many configurations of another program are generated")

// Seeds runs a test for so many generated configurations, by their seeds.
func Seeds(t *testing.T, check func(*testing.T, uint64)) {
	for seed := range *generated {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { check(t, seed) })
	}
}

// MostAreRead checks that many of what is generated are read, or Seeds would show nothing.
func MostAreRead(t *testing.T, read func(seed uint64) error) {
	n := 0
	var last error
	for seed := range uint64(100) {
		if err := read(seed); err != nil {
			last = err
			continue
		}
		n++
	}
	if n < 40 {
		t.Errorf("of 100, %d are read; the last one that is not: %v", n, last)
	}
}

// Choose replaces each "<a|b|c>" in a line by one of these words, the innermost ones first.
func Choose(r *rand.Rand, line string) string {
	for {
		end := strings.IndexByte(line, '>')
		begin := strings.LastIndexByte(line[:max(end, 0)], '<')
		if begin < 0 {
			return line
		}
		words := strings.Split(line[begin+1:end], "|")
		line = line[:begin] + words[r.IntN(len(words))] + line[end+1:]
	}
}
