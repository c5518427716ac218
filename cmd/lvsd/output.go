package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// A choice is the value of a flag that is one of a few words.
type choice struct {
	word  string
	words []string
	kind  string // its name in a usage
}

func (o *choice) usage() string {
	last := len(o.words) - 1
	return strings.Join(o.words[:last], ", ") + " or " + o.words[last]
}

func (o *choice) String() string { return o.word }

// Type is the value's name in a usage.
func (o *choice) Type() string { return o.kind }

// Set takes a word from the command line.
func (o *choice) Set(word string) error {
	if !slices.Contains(o.words, word) {
		return fmt.Errorf("write %s", o.usage())
	}
	o.word = word
	return nil
}

// An output is the value of -o, which has the same words everywhere.
type output struct{ choice }

// outputFlag adds -o to a command: text and json, and more words where it has
// them. "table" is the same as "text".
func outputFlag(c *cobra.Command, more ...string) *output {
	o := &output{choice{"text", append([]string{"text", "json"}, more...), "format"}}
	c.Flags().VarP(o, "output", "o", o.usage())
	completeFlag(c, "output", o.words...)
	return o
}

// Set takes a word from the command line.
func (o *output) Set(word string) error {
	if word == "table" {
		word = "text"
	}
	return o.choice.Set(word)
}

// The words of --color, as those of ls(1) and grep(1).
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// colorFlag adds --color to a command.
func colorFlag(c *cobra.Command) *choice {
	o := &choice{colorAuto, []string{colorAuto, colorAlways, colorNever}, "when"}
	c.Flags().Var(o, "color", "whether to colour: "+o.usage())
	c.Flags().Lookup("color").NoOptDefVal = colorAlways
	completeFlag(c, "color", o.words...)
	return o
}
