package config

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/golden"
)

const examples = "../../examples"

// A configuration is each file at the top of examples/, and each directory.
func configurations(t *testing.T) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(examples)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".hcl") {
			paths = append(paths, filepath.Join(examples, e.Name()))
		}
	}
	return paths
}

func TestExamplesAreValidOnBothDirectors(t *testing.T) {
	for _, path := range configurations(t) {
		for _, node := range []string{"lvs1", "lvs2"} {
			t.Run(filepath.Base(path)+"/"+node, func(t *testing.T) {
				s := SourcesAt(t, path)
				cfg, diags := Parse(s, Options{Node: node})
				if len(diags) > 0 {
					var b bytes.Buffer
					diags.Render(&b, 0, false)
					t.Fatal(b.String())
				}
				if len(cfg.Services) == 0 || len(cfg.Routers) == 0 {
					t.Error("an example without service or router")
				}
			})
		}
	}
}

// The examples look as hclfmt would have them.
func TestExamplesAreFormatted(t *testing.T) {
	for _, pattern := range []string{"/*.hcl", "/*/*.hcl"} {
		paths, _ := filepath.Glob(examples + pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			formatted := hclwrite.Format(text)
			if *golden.Update && !bytes.Equal(text, formatted) {
				os.WriteFile(path, formatted, 0o644)
			} else if diff := cmp.Diff(string(formatted), string(text)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

// Each address of a service in an example is one that a router there holds.
func TestExamplesHoldTheirAddresses(t *testing.T) {
	for _, path := range configurations(t) {
		s := SourcesAt(t, path)
		cfg, _ := Parse(s, Options{Node: "lvs1"})
		held := map[string]bool{"0.0.0.0": true}
		for _, r := range cfg.Routers {
			for _, p := range r.Addresses {
				held[p.Addr().String()] = true
			}
		}
		for _, v := range cfg.Services {
			if !held[v.Key.Addr.String()] {
				t.Errorf("%s: no router holds %v of %s", path, v.Key.Addr, v.Name)
			}
		}
	}
}

// The seed's three clusters: weights and forwarding method.
func TestExamplesOfTheThreeClusters(t *testing.T) {
	for name, want := range map[string]string{
		"nat":    "193.144.50.250:80 wrr: 192.168.1.4 nat 3, 192.168.1.5 nat 3, 192.168.1.254 nat 1",
		"tunnel": "193.144.50.250:80 wrr: 193.144.50.251 tunnel 3, 193.144.50.252 tunnel 1",
		"direct": "193.144.50.250:80 wrr: 193.144.50.251 direct 3, 193.144.50.252 direct 1",
	} {
		s, err := Read(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		cfg, diags := Parse(s, Options{Node: "lvs1"})
		if cfg == nil {
			t.Fatal(diags.Err())
		}
		var servers []string
		for _, r := range cfg.Services[0].Servers {
			servers = append(servers, fmt.Sprintf("%v %v %d", r.Key.Addr, r.Destination.Forward, r.Destination.Weight))
		}
		v := cfg.Services[0]
		got := fmt.Sprintf("%v:%d %s: %s", v.Key.Addr, v.Key.Port, v.Service.Scheduler, strings.Join(servers, ", "))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// ourWords returns every option by its name, with the blocks that may hold it.
func ourWords() map[string][]string {
	names := map[string][]string{}
	top.Schema().Walk(func(s *block.Schema) {
		for _, o := range s.Options {
			if !slices.Contains(names[o.Name], s.Name) {
				names[o.Name] = append(names[o.Name], s.Name)
			}
		}
	})
	return names
}

// options lists what the language has as "block.argument".
func options() (list []string) {
	for name, owners := range ourWords() {
		for _, owner := range owners {
			list = append(list, owner+"."+name)
		}
	}
	slices.Sort(list)
	return list
}

// The reference names every option in the block that it belongs to, with a
// comment on its line or the lines before.
func TestReferenceNamesEveryOption(t *testing.T) {
	path := filepath.Join(examples, "reference.hcl")
	text, err := fs.ReadFile(os.DirFS(examples), "reference.hcl")
	if err != nil {
		t.Fatal(err)
	}
	// An option that needs a file of its own stands there as a comment.
	text = bytes.ReplaceAll(text, []byte("    # ca_file "), []byte("      ca_file "))
	text = bytes.ReplaceAll(text, []byte("  # file = "), []byte("    file = "))
	text = bytes.ReplaceAll(text, []byte("    # password_file "), []byte("      password_file "))
	text = bytes.ReplaceAll(text, []byte("    # secret_file "), []byte("      secret_file "))
	text = bytes.ReplaceAll(text, []byte("  # certificate_file "), []byte("    certificate_file "))
	// So does one that peers, or another option, exclude.
	text = bytes.ReplaceAll(text, []byte("  # multicast_group "), []byte("  multicast_group "))
	text = bytes.ReplaceAll(text, []byte("    # peer "), []byte("    peer "))
	text = bytes.ReplaceAll(text, []byte("      # pattern "), []byte("      pattern "))
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	seen := map[string]bool{}
	used(file.Body.(*hclsyntax.Body), topLevel, seen)
	for _, option := range options() {
		if !seen[option] {
			t.Errorf("%s does not show %s", path, option)
		}
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		name, _, isArgument := strings.Cut(strings.TrimSpace(line), " ")
		if isArgument && ourWords()[name] != nil && strings.Contains(line, " = ") && !explained(lines, i, name) {
			t.Errorf("%s:%d: %s is explained nowhere", path, i+1, name)
		}
	}
}

// The golden files of testdata/good cover every option: a new one is added there.
func TestEveryOptionIsTested(t *testing.T) {
	seen := map[string]bool{topLevel + ".locals": true} // testdata/good/expressions.hcl
	for _, path := range []string{"testdata/good/everything.hcl", "testdata/good/connection_sync.hcl"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		used(file.Body.(*hclsyntax.Body), topLevel, seen)
	}
	for _, option := range options() {
		if !seen[option] {
			t.Errorf("testdata/good does not have %s", option)
		}
	}
}

// explained reports whether an argument has a comment at line i, above it, or
// where else it stands.
func explained(lines []string, i int, name string) bool {
	for j, line := range lines {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == name && (strings.Contains(line, "#") || j > 0 && strings.HasPrefix(strings.TrimSpace(lines[j-1]), "#")) {
			return true
		}
	}
	return false
}

func used(b *hclsyntax.Body, owner string, seen map[string]bool) {
	for name := range b.Attributes {
		seen[owner+"."+name] = true
	}
	for _, block := range b.Blocks {
		seen[owner+"."+block.Type] = true
		used(block.Body, block.Type, seen)
	}
}

// The reference and the manual page list exactly the functions that there are.
func TestReferenceNamesEveryFunction(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(examples, "reference.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n#", "\n")), " ")
	if want := "functions: " + strings.Join(block.FunctionNames(), " ") + "."; !strings.Contains(flat, want) {
		t.Errorf("reference.hcl must say: %s", want)
	}
}
