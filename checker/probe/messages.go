package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/lvsd/lvsd/checker"
)

// messages are what a server says in a protocol that tells how long each message is. At
// most checker.AnswerLimit bytes are read in all, whatever lengths the server tells.
type messages struct {
	from   *bufio.Reader
	limit  *io.LimitedReader
	awaits string // "the answer to PING"
	begun  bool   // a part of what is awaited has come
	// secret is not told if the server repeats it.
	secret string
}

// hear returns what a server says on a stream to whoever tells it a secret.
func hear(stream io.Reader, secret string) *messages {
	m := &messages{limit: &io.LimitedReader{R: stream, N: checker.AnswerLimit}, secret: secret}
	m.from = bufio.NewReaderSize(m.limit, 512)
	return m
}

// await says what is read next.
func (m *messages) await(what string) { m.awaits, m.begun = what, false }

// take reads n bytes, which are valid until the next call if there are at most 512.
func (m *messages) take(n int) ([]byte, error) {
	if n > checker.AnswerLimit {
		return nil, m.tooLong(n)
	}
	if n <= m.from.Size() {
		text, err := m.from.Peek(n)
		m.begun = m.begun || len(text) > 0
		if err != nil {
			return nil, m.failed(err)
		}
		m.from.Discard(n)
		return text, nil
	}
	text := make([]byte, n)
	got, err := io.ReadFull(m.from, text)
	m.begun = m.begun || got > 0
	if err != nil {
		return nil, m.failed(err)
	}
	return text, nil
}

// line reads a line of at most 512 bytes, and returns it without its end.
func (m *messages) line() (string, error) {
	text, err := m.from.ReadSlice('\n')
	m.begun = m.begun || len(text) > 0
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%s has a line that does not end; it begins with %.60q", m.awaits, m.told(string(text)))
	case err != nil:
		return "", m.failed(err)
	}
	text = text[:len(text)-1]
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	return string(text), nil
}

// told returns what a server has said as others may be told of it.
func (m *messages) told(text string) string { return without(text, m.secret) }

// foreign says that what a server has said is not of a protocol.
func (m *messages) foreign(protocol, said string) error {
	return fmt.Errorf("the server does not speak %s: it says %.60q", protocol, m.told(said))
}

// tooLong says that a server tells of a message that nobody reads.
func (m *messages) tooLong(n int) error {
	return fmt.Errorf("%s claims to have %d bytes, and %d are looked at", m.awaits, n, checker.AnswerLimit)
}

// failed says why nothing more could be read.
func (m *messages) failed(err error) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case ended && m.limit.N == 0:
		return fmt.Errorf("%s does not end within %d bytes", m.awaits, checker.AnswerLimit)
	case ended && m.begun:
		return fmt.Errorf("%w within %s", errClosed, m.awaits)
	case ended:
		return fmt.Errorf("%w without %s", errClosed, m.awaits)
	case m.begun:
		return while("waiting for the rest of "+m.awaits, err)
	default:
		return while("waiting for "+m.awaits, err)
	}
}
