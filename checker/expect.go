package checker

import (
	"errors"
	"fmt"
	"regexp/syntax"
)

// AnswerLimit is how much of what a server says is looked at, in bytes, where the
// protocol does not tell where an answer ends.
const AnswerLimit = 16 << 10

// Expect is what must be in the answer of a server, and what must not.
type Expect struct {
	// Text are bytes that must come; empty: any.
	Text []byte `json:"text,omitempty"`
	// Pattern is a regular expression (RE2) that must match; empty: any answer does.
	Pattern string `json:"pattern,omitempty"`
	// Not is a regular expression that must not match; empty: none.
	Not string `json:"not,omitempty"`
}

// Empty reports whether nothing is expected, not even an answer.
func (e Expect) Empty() bool { return len(e.Text) == 0 && e.Pattern == "" && e.Not == "" }

// Validate returns what is wrong with what is expected; nil if it can be looked for.
func (e Expect) Validate() error {
	if len(e.Text) > AnswerLimit {
		return fmt.Errorf("the expected text has %d bytes, and %d are looked at", len(e.Text), AnswerLimit)
	}
	if len(e.Text) > 0 && e.Pattern != "" {
		return errors.New("either a text or a regular expression can be expected")
	}
	if err := validatePattern("pattern", e.Pattern); err != nil {
		return err
	}
	return validatePattern("not", e.Not)
}

// maxPattern bounds how much a regular expression compiles to, in instructions
// of some 40 bytes: a few "x{1000}" take more memory, and more time for every
// probe, than ten thousand servers.
const maxPattern = 10_000

// validatePattern returns what is wrong with a regular expression of a name. Plain
// text is not compiled, and may have any length.
func validatePattern(name, expression string) error {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if wrong, ok := errors.AsType[*syntax.Error](err); ok {
		return fmt.Errorf("%s is not a valid regular expression (RE2 syntax): %s in %q", name, wrong.Code, wrong.Expr)
	}
	if err != nil || parsed.Op == syntax.OpLiteral && parsed.Flags&syntax.FoldCase == 0 {
		return err
	}
	compiled, err := syntax.Compile(parsed.Simplify())
	if err == nil && len(compiled.Inst) > maxPattern {
		err = fmt.Errorf("the regular expression takes %d steps, but the limit is %d: repeat less with {n}", len(compiled.Inst), maxPattern)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
