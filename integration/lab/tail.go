package main

import (
	"bytes"
	"strings"
)

// A tail keeps the end of what is written to it.
type tail struct{ text []byte }

const tailSize = 8192

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = bytes.Clone(t.text[extra:])
	}
	return len(p), nil
}

// String returns the last lines; those of a panic without its trace.
func (t *tail) String() string {
	text := strings.ReplaceAll(string(t.text), "\r", "")
	if before, after, ok := strings.Cut(text, "Kernel panic"); ok {
		reason, _, _ := strings.Cut(after, "\n")
		text = before + "Kernel panic" + reason
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}
