package config

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

// What a check says that knows nothing of its protocol, and what it expects, is a text,
// or bytes in hexadecimal digits.

// hexadecimal begins a text that is bytes in hexadecimal digits, as in a key's file.
const hexadecimal = "hex:"

// message is a text that a check sends, or waits for.
func message[T any](name, help string, validate func([]byte) error, ref func(*T) *[]byte) block.Entry[T] {
	parse := func(b *block.Body, s string, at block.Place) ([]byte, bool) {
		text, err := messageOf(s)
		if err == nil {
			err = validate(text)
		}
		if err != nil {
			b.Mistake(at, "Invalid "+name, "%s.", sentence(err))
		}
		return text, err == nil
	}
	return block.Text(name, help, nil, parse, ref).Within(`a text, or "hex:" and bytes in hexadecimal digits`).Unless("none")
}

// messageOf returns the bytes that a text stands for.
func messageOf(s string) ([]byte, error) {
	digits, isHex := strings.CutPrefix(s, hexadecimal)
	switch {
	case s == "":
		return nil, errors.New("it is empty: write a text, or remove it")
	case !isHex:
		return []byte(s), nil
	}
	text, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil || len(text) == 0 {
		return nil, errors.New("behind hex: there must be pairs of hexadecimal digits, such as hex:0d0a; spaces between them do not count")
	}
	return text, nil
}

// sendOption is what a check sends at first.
func sendOption[T any](help string, ref func(*T) *[]byte) block.Entry[T] {
	return message("send", help, checker.ValidateSend, ref).Secret()
}

// An answer is what a check expects of what a server says.
type answer struct {
	text         []byte
	pattern, not string
}

var answerTable = block.NewTable("expect", func() []block.Entry[answer] {
	return []block.Entry[answer]{
		message("text", "A text that must come, anywhere in the first 16 KiB.",
			func(text []byte) error { return checker.Expect{Text: text}.Validate() }, func(a *answer) *[]byte { return &a.text }),
		validText("pattern", "Instead of text: a regular expression (RE2 syntax) that must match somewhere in the first 16 KiB. A dollar sign matches where the server closes the connection, and with (?m) at the end of a line.",
			"", func(s string) error { return checker.Expect{Pattern: s}.Validate() }, func(a *answer) *string { return &a.pattern }).Unless("none"),
		validText("not", "A regular expression (RE2 syntax) that must not match in what has come when text or pattern is found; without these, in the first line.",
			"", func(s string) error { return checker.Expect{Not: s}.Validate() }, func(a *answer) *string { return &a.not }).Unless("none"),
	}
})

func expectOption[T any](ref func(*T) *answer) block.Entry[T] {
	return block.Inner("expect", "What the server must answer. Without this block, nothing is waited for.", answerTable, ref)
}

// compile works out what is expected.
func (a *answer) compile(b *block.Body) checker.Expect {
	e := checker.Expect{Text: a.text, Pattern: a.pattern, Not: a.not}
	inner, given := b.Block("expect")
	switch {
	case !given:
	case inner.Given("text") && inner.Given("pattern"):
		inner.Mistake(inner.At("pattern"), "Text and pattern", "One of the two can be expected: remove the other one. An expression can hold a text, too.")
	case inner.Given("text"):
		e.Pattern = ""
	case inner.Given("pattern"):
		e.Text = nil
	}
	if given && e.Empty() && !inner.Refused("text") && !inner.Refused("pattern") && !inner.Refused("not") {
		inner.Mistake(inner.Head, "Nothing expected", "Write what must be in the answer, such as text = \"OK\", or remove this block.")
	}
	return e
}
