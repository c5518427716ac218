package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/block"
)

// A word of this language is never called a foreign one, and what is told to
// write instead is of this language.
func TestForeignWords(t *testing.T) {
	ours := ourWords()
	for word, remedy := range foreignRemedies() {
		if len(ours[word]) > 0 {
			t.Errorf("%s is a word of %v", word, ours[word])
		}
		for _, m := range regexp.MustCompile(`(\w+) (?:= |\{)`).FindAllStringSubmatch(remedy, -1) {
			if len(ours[m[1]]) == 0 {
				t.Errorf("%s: %q is no word to write", word, m[1])
			}
		}
	}
	for _, p := range programs() {
		for _, w := range p.words {
			if w.fate == never && w.advice == "" {
				t.Errorf("%s: no reason why there is nothing like it", w.names)
			}
		}
	}
	for word, value := range foreignValues {
		method := slices.ContainsFunc(forwards, func(w block.Word[method]) bool { return w.Name == value })
		if !method && !slices.Contains(checkKinds.Schema().KindNames(), value) || word != strings.ToLower(word) {
			t.Errorf("%s: %q is no value", word, value)
		}
	}
}

// common are words of other programs that could be meant in many ways, so that a
// word of ours that is like them is the better advice.
var common = strings.Fields("ca checker cluster database debug delay env group instance interfaces key mode name node passive password ping ping6 payload serial service ttl user vrrp")

// Every word that the parsers of keepalived, ldirectord and Heartbeat know is ours, or has its
// answer here.
func TestEveryWordOfOtherProgramsHasItsAnswer(t *testing.T) {
	ours, theirs := ourWords(), foreignRemedies()
	for _, path := range []string{"testdata/words-keepalived.txt", "testdata/words-ldirectord.txt", "testdata/words-heartbeat.txt"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for word := range strings.FieldsSeq(string(text)) {
			if len(ours[word]) == 0 && theirs[word] == "" && !slices.Contains(common, word) {
				t.Errorf("%s: no answer to %q", path, word)
			}
		}
	}
}

// Files of lvsd are never taken for another program's.
func TestOwnFilesAreNotForeign(t *testing.T) {
	for _, pattern := range []string{"testdata/good/*.hcl", "testdata/bad/*.hcl", "../../examples/*.hcl", "../../examples/*/*.hcl"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			s := SourcesAt(t, path)
			_, diags := Parse(s, Options{Node: "lvs1"})
			for _, d := range diags {
				if foreign := strings.HasSuffix(path, "/keepalived.hcl"); !foreign && strings.HasPrefix(d.Summary, "Configuration of ") {
					t.Errorf("%v", d)
				}
			}
		}
	}
	for text, line := range map[string]int{
		"/*\nvrrp_instance VI_1 {\n}\n*/\nvirtual_service \"web\" {\n}\n": 5, // in a comment
		"virtual_router 10.13.0.200/24\n":                                 1, // as in haresources
	} {
		s := SourcesOf(t, text)
		_, diags := Parse(s, Options{})
		if len(diags) == 0 || diags[0].Line != line || strings.HasPrefix(diags[0].Summary, "Configuration of ") {
			t.Errorf("%s: mistakes: %v", text, diags)
		}
	}
}
