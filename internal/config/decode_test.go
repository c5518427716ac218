package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// An opaqueBody hides that a body is a tree, so that decodeBody must ask it
// for its content.
type opaqueBody struct{ hcl.Body }

func (b opaqueBody) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(schema)
	for _, block := range content.Blocks {
		block.Body = opaqueBody{block.Body}
	}
	return content, diags
}

// Whatever a file holds, a tree that is read directly and one that is asked
// for its content give the same raw structs and the same diagnostics.
func TestTreesAreDecodedAsTheirContent(t *testing.T) {
	files, _ := filepath.Glob("testdata/*/*.hcl")
	if len(files) < 100 {
		t.Fatalf("%d files in testdata, want the good and the bad ones", len(files))
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		if diags.HasErrors() {
			continue
		}
		var direct, asked rawFile
		told := decodeBody(file.Body, reflect.ValueOf(&direct).Elem())
		want := decodeBody(opaqueBody{file.Body}, reflect.ValueOf(&asked).Elem())
		if !reflect.DeepEqual(direct, asked) {
			t.Errorf("%s: read directly, it is\n%+v\nand asked,\n%+v", path, direct, asked)
		}
		if diff := cmp.Diff(sentences(want), sentences(told)); diff != "" {
			t.Errorf("%s: diagnostics (-asked +read directly):\n%s", path, diff)
		}
	}
}

// sentences sorts diagnostics, which HCL makes in the order of a map.
func sentences(diags hcl.Diagnostics) (all []string) {
	for _, d := range diags {
		all = append(all, d.Error())
	}
	slices.Sort(all)
	return all
}
