package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/checker"
)

// An expectation is what must be in an answer, and what must not.
type expectation struct {
	want, not *pattern // nil: nothing
	// words are what is wanted, as the configuration has it.
	words string
}

// compileExpect makes what is expected ready to be looked for.
func compileExpect(o checker.Expect) (e expectation, err error) {
	if err := o.Validate(); err != nil {
		return e, err
	}
	switch {
	case o.Pattern != "":
		e.words = o.Pattern
		e.want, err = newPattern(o.Pattern)
	case len(o.Text) > 0:
		e.words = string(o.Text)
		e.want = &pattern{plain: o.Text}
	}
	if err == nil && o.Not != "" {
		e.not, err = newPattern(o.Not)
	}
	return e, err
}

func newPattern(expression string) (*pattern, error) {
	p, err := compilePattern(expression)
	return &p, err
}

// met reports whether an answer is as expected, as far as it has come; ended: it is
// whole. It returns an error if it will never be. Where it is only said what must not
// come, its first line counts.
func (e expectation) met(text []byte, ended bool) (bool, error) {
	if e.not != nil && e.not.in(text, ended) {
		return false, fmt.Errorf("the answer has what must not come; it begins with %.60q", text)
	}
	switch {
	case e.want == nil:
		return ended || bytes.IndexByte(text, '\n') >= 0, nil
	case e.want.in(text, ended):
		return true, nil
	case ended:
		return false, e.missing(text, "the answer")
	default:
		return false, nil
	}
}

// missing says that what is wanted has not come.
func (e expectation) missing(text []byte, of string) error {
	if len(text) == 0 {
		return fmt.Errorf("%s is empty, want %.40q", of, e.words)
	}
	return fmt.Errorf("%s does not match %.40q; it begins with %.60q", of, e.words, text)
}

// maxPieces bounds in how many pieces an answer may come. After each it is looked at
// as a whole, so a server that sends single bytes would cost time.
const maxPieces = 256

// await reads from a stream until what has come is as expected.
func (e expectation) await(stream io.Reader) error {
	text := make([]byte, 0, 512)
	for range maxPieces {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := stream.Read(text[len(text):min(cap(text), checker.AnswerLimit)])
		text = text[:len(text)+n]
		closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !closed {
			return while(waiting(text), err)
		}
		whole := closed || len(text) == checker.AnswerLimit
		switch done, err := e.met(text, whole); {
		case done && len(text) > 0:
			return nil
		case closed && len(text) == 0:
			return fmt.Errorf("%w without an answer", errClosed)
		case err != nil || whole:
			return err
		}
	}
	return fmt.Errorf("the answer came in more than %d pieces, and %w", maxPieces, e.missing(text, "it"))
}

// waiting is what a probe is doing that has this much of an answer.
func waiting(text []byte) string {
	if len(text) == 0 {
		return "waiting for the answer"
	}
	return fmt.Sprintf("waiting for the rest of an answer that begins with %.60q", text)
}
