package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

const (
	// maxLine bounds a line of a server's, in bytes with its end. The protocols allow
	// 512 to 2048; capabilities are long in places.
	maxLine = 4 << 10
	// maxLines bounds the lines of one conversation.
	maxLines = 256
)

// A channel is a checker.Channel made ready to run, for conversations that end by a
// goodbye.
type channel struct {
	tls      *tlsClient // nil: it speaks no TLS
	startTLS bool
	goodbye  string
}

// newChannel makes a channel ready to run.
func newChannel(a *authorities, o checker.Channel, goodbye string) channel {
	c := channel{startTLS: o.StartTLS, goodbye: goodbye + "\r\n"}
	if o.TLS != nil {
		c.tls = newTLS(a, *o.TLS, "")
	}
	return c
}

// letting returns the run of a check that lets a user in by a conversation, which talk leads.
func (c channel) letting(l login, talk func(context.Context, *dialogue, login) error) func(context.Context, checker.Target) (found, error) {
	return func(ctx context.Context, t checker.Target) (found, error) {
		return c.converse(ctx, t, func(ctx context.Context, d *dialogue) error { return talk(ctx, d, l) })
	}
}

// converse has a conversation with a server, which talk leads. It says goodbye, also
// where something was wrong.
func (c channel) converse(ctx context.Context, t checker.Target, talk func(context.Context, *dialogue) error) (found, error) {
	first := c.tls
	if c.startTLS {
		first = nil
	}
	d := &dialogue{channel: c, addr: t.Addr, stage: "waiting for the greeting"}
	ctx = untold(ctx, func() []string { return d.secrets })
	plain, stream, seen, err := connect(ctx, t, first)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	d.plain, d.stream, d.seen = plain, stream, seen
	d.in = bufio.NewReaderSize(stream, maxLine)
	err = talk(ctx, d)
	if !d.broken {
		plain.part(ctx, d.stream, []byte(c.goodbye))
	}
	return d.seen, err
}

// A dialogue is a conversation in lines of text, within bounds.
type dialogue struct {
	channel
	addr   netip.Addr
	plain  *conn
	stream io.ReadWriteCloser // the connection, or TLS on it
	in     *bufio.Reader
	seen   found
	stage  string // what is waited for
	lines  int    // how many have come
	// unasked: the server may speak before it is asked.
	unasked bool
	// broken: no goodbye can be said.
	broken  bool
	secrets []string
}

// line reads a line, and returns it without its end.
func (d *dialogue) line() (string, error) {
	if d.lines++; d.lines > maxLines {
		return "", fmt.Errorf("the server has sent more than %d lines", maxLines)
	}
	line, err := d.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("the server has sent a line of more than %d bytes, which begins with %s", maxLine, d.quote(string(line)))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "", fmt.Errorf("%w while %s", errClosed, d.stage)
	case err != nil:
		return "", while(d.stage, err)
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// quote quotes what a server says, without secrets.
func (d *dialogue) quote(text string) string {
	return fmt.Sprintf("%.80q", without(text, d.secrets...))
}

// say sends a line, which is called name in messages. What a server says before it is
// asked would be taken for the answer.
func (d *dialogue) say(name, line string) error {
	if d.in.Buffered() > 0 && !d.unasked {
		early, _ := d.in.Peek(d.in.Buffered())
		return fmt.Errorf("the server speaks before it is asked: %s", d.quote(string(early)))
	}
	d.stage = "waiting for the answer to " + name
	if _, err := io.WriteString(d.stream, line+"\r\n"); err != nil {
		return while(d.stage, err)
	}
	return nil
}

// upgrade negotiates TLS when the server has agreed to begin. Text that is there
// already was not protected, and would be believed as if it were: somebody on the way
// may have put it there.
func (d *dialogue) upgrade(ctx context.Context) error {
	if d.in.Buffered() > 0 {
		d.broken = true // The server waits for TLS, and hears a reset.
		return because(checker.NoTLS, errors.New("plain text came behind the answer to STARTTLS, where TLS must begin"))
	}
	secure, seen, err := d.tls.handshake(ctx, d.plain, d.addr)
	if err != nil {
		d.broken = true
		return err
	}
	d.stream, d.seen = secure, seen
	d.in.Reset(secure)
	return nil
}

// stripped is that a server does not offer TLS, or says no when it is asked to begin.
func (d *dialogue) stripped(answer string) error {
	return because(checker.NoTLS, fmt.Errorf("the server does not offer STARTTLS (%s), or somebody on the way has taken it out", d.quote(answer)))
}

// A coded is an answer by a code, and texts (SMTP, FTP, NNTP).
type coded struct {
	code  int
	lines []string // texts without the code
}

func (r coded) String() string { return fmt.Sprint(r.code, " ", r.lines[len(r.lines)-1]) }

// reply reads one. "250-" begins several lines, and "250 " is the last of them (RFC
// 5321, section 4.2.1; RFC 959, section 4.2).
func (d *dialogue) reply() (coded, error) {
	line, err := d.line()
	if err != nil {
		return coded{}, err
	}
	code, more, ok := codeOf(line)
	if !ok {
		return coded{}, fmt.Errorf("%s came while %s, and that is no reply", d.quote(line), d.stage)
	}
	r := coded{code, []string{textOf(line)}}
	for more {
		if line, err = d.line(); err != nil {
			return r, err
		}
		next, further, ok := codeOf(line)
		more = !ok || next != code || further
		r.lines = append(r.lines, textOf(line))
	}
	return r, nil
}

// codeOf returns the code at the begin of a line, and whether more lines follow.
func codeOf(line string) (code int, more, ok bool) {
	if len(line) < 3 || line[0] < '1' || line[0] > '5' {
		return 0, false, false
	}
	for _, digit := range []byte(line[:3]) {
		if digit < '0' || digit > '9' {
			return 0, false, false
		}
		code = 10*code + int(digit-'0')
	}
	return code, strings.HasPrefix(line[3:], "-"), len(line) == 3 || line[3] == ' ' || line[3] == '-'
}

// textOf returns what stands behind the code.
func textOf(line string) string { return line[min(4, len(line)):] }

// expect reads a reply, whose code must be one of those wanted.
func (d *dialogue) expect(want ...int) (coded, error) {
	r, err := d.reply()
	if err == nil && !slices.Contains(want, r.code) {
		err = d.unwanted(r, want...)
	}
	return r, err
}

// unwanted says that a reply has another code than those wanted.
func (d *dialogue) unwanted(r coded, want ...int) error {
	codes := strings.ReplaceAll(strings.Trim(fmt.Sprint(want), "[]"), " ", " or ")
	return because(checker.WrongStatus, fmt.Errorf("%s came while %s, want %s", d.quote(r.String()), d.stage, codes))
}

// ask says a line, and reads a reply, whose code must be one of those wanted.
func (d *dialogue) ask(name, line string, want ...int) (coded, error) {
	if err := d.say(name, line); err != nil {
		return coded{}, err
	}
	return d.expect(want...)
}

// begin asks for TLS by a command that is answered by a code, if the check wants it.
func (d *dialogue) begin(ctx context.Context, command string, want int) error {
	if !d.startTLS {
		return nil
	}
	if err := d.say(command, command); err != nil {
		return err
	}
	r, err := d.reply()
	switch {
	case err != nil:
		return err
	case r.code != want:
		return d.stripped(r.String())
	}
	return d.upgrade(ctx)
}
