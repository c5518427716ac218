package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestManualKnowsEveryFlag holds the man page to the commands.
func TestManualKnowsEveryFlag(t *testing.T) {
	text, err := os.ReadFile("../../packaging/lvsd.8")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	for _, c := range newRootCommand().Commands() {
		if c.Hidden {
			continue
		}
		if !strings.Contains(manual, "\n.It Cm "+c.Name()+"\n") {
			t.Errorf("lvsd(8) does not explain the command %s", c.Name())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !regexp.MustCompile(`Fl -`+f.Name+`\s`).MatchString(manual) {
				t.Errorf("lvsd(8) does not explain --%s of %s", f.Name, c.Name())
			}
		})
	}
}
