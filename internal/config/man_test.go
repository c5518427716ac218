package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/block"
)

const manual = "../../packaging/lvsd.hcl.5"

// The manual page lists every option in the section of its block, and no
// other.
func TestManualNamesEveryOption(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	section := ""
	for line := range strings.Lines(string(text)) {
		macro, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch macro {
		case ".Sh", ".Ss":
			section, _, _ = strings.Cut(strings.ToLower(rest), " ") // without kinds
			if macro == ".Sh" {
				section = strings.ToLower(rest)
			}
			if section == "top level" {
				section = topLevel
			}
		case ".It":
			if name, isOption := strings.CutPrefix(rest, "Ic "); isOption {
				name, _, _ = strings.Cut(name, " ")
				listed[section+"."+name] = true
			}
		}
	}
	for _, option := range options() {
		if !listed[option] {
			t.Errorf("the manual page does not list %s", option)
		}
		delete(listed, option)
	}
	for option := range listed {
		t.Errorf("the manual page lists %s, which does not exist", option)
	}
}

func TestManualNamesEveryFunction(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	flat := strings.Join(strings.Fields(regexp.MustCompile(`(?m)^\.Ic `).ReplaceAllString(string(text), "")), " ")
	if want := strings.Join(block.FunctionNames(), " , ") + " ."; !strings.Contains(flat, want) {
		t.Errorf("the manual page must say: %s", want)
	}
}

// The examples of the manual page are valid configurations.
func TestManualsExamplesAreValid(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(text), ".Bd -literal -offset indent\n")[1:]
	if len(examples) == 0 {
		t.Fatal("there is no example")
	}
	for _, example := range examples {
		example, _, _ = strings.Cut(example, ".Ed\n")
		s := SourcesOf(t, example)
		if _, diags := Parse(s, Options{Node: "lvs1"}); len(diags) > 0 {
			t.Errorf("%s%+v", example, diags)
		}
	}
}
