package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/golden"
)

// Each file is valid, and what it says is printed beside it.
func TestValid(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			golden.Check(t, path[:len(path)-len("hcl")]+"golden", quoted(t, path, print(parse(t, path, options()))))
		})
	}
}

// quoted replaces each place in the file by the line that is there, so that lines which
// are added to the file change nothing else.
func quoted(t *testing.T, path, text string) []byte {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	place := regexp.MustCompile(`(?m)(\.Source = ` + filepath.Base(path) + `:)(\d+)$`)
	return []byte(place.ReplaceAllStringFunc(text, func(found string) string {
		parts := place.FindStringSubmatch(found)
		number, _ := strconv.Atoi(parts[2])
		return parts[1] + " " + lines[number-1]
	}))
}

// parse reads and parses what must be valid and without doubt.
func parse(t *testing.T, path string, o config.Options) *config.Config {
	t.Helper()
	s := config.SourcesAt(t, path)
	cfg, diags := config.Parse(s, o)
	if len(diags) > 0 {
		var b bytes.Buffer
		diags.Render(&b, 0, false)
		t.Fatalf("%s for %s:\n%s", path, o.Node, &b)
	}
	return cfg
}

// print writes every value of a configuration on a line, but for its digest.
func print(c *config.Config) string {
	var b strings.Builder
	printValue(&b, "", reflect.ValueOf(*c))
	return b.String()
}

func printValue(b *strings.Builder, path string, v reflect.Value) {
	_, named := v.Interface().(fmt.Stringer)
	switch kind := v.Kind(); {
	case path == ".Digest" || kind == reflect.Pointer && v.IsNil():
	case named && kind != reflect.Pointer:
		fmt.Fprintf(b, "%s = %v\n", path, v)
	case kind == reflect.Pointer:
		printValue(b, path, v.Elem())
	case kind == reflect.Slice:
		for i := range v.Len() {
			printValue(b, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case kind == reflect.Struct:
		for i := range v.NumField() {
			printValue(b, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	default:
		fmt.Fprintf(b, "%s = %v\n", path, v)
	}
}
