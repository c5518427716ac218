package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// An output is the value of -o, which has the same words everywhere.
type output struct {
	word  string
	words []string
}

// outputFlag adds -o to a command: text and json, and more words where it has
// them. "table" is the same as "text".
func outputFlag(c *cobra.Command, more ...string) *output {
	o := &output{"text", append([]string{"text", "json"}, more...)}
	c.Flags().VarP(o, "output", "o", o.usage())
	completeFlag(c, "output", o.words...)
	return o
}

func (o *output) usage() string {
	last := len(o.words) - 1
	return strings.Join(o.words[:last], ", ") + " or " + o.words[last]
}

func (o *output) String() string { return o.word }

// Type is the value's name in a usage.
func (o *output) Type() string { return "format" }

// Set takes a word from the command line.
func (o *output) Set(word string) error {
	if word == "table" {
		word = "text"
	}
	for _, w := range o.words {
		if w == word {
			o.word = word
			return nil
		}
	}
	return fmt.Errorf("write %s", o.usage())
}
