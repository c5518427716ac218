package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.FTP{}, compileFTP) }

// compileFTP returns the run that passes when a server greets by FTP, lets a user in and
// has a file, as far as these are given.
func compileFTP(p *Prober, o checker.FTP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	f := &ftpCheck{FTP: o, channel: newChannel(p.authorities, o.Channel, "QUIT"), login: newLogin(p.passwords, o.Login)}
	var err error
	f.expect, err = compileExpect(o.Expect)
	return func(ctx context.Context, t checker.Target) (found, error) { return f.channel.converse(ctx, t, f.talk) }, err
}

// An ftpCheck is an FTP check made ready to run.
type ftpCheck struct {
	checker.FTP
	channel channel
	login   login
	expect  expectation
}

// talk leads a conversation by RFC 959, with TLS (RFC 4217) where it is wanted.
func (f *ftpCheck) talk(ctx context.Context, d *dialogue) error {
	if _, err := d.expect(220); err != nil {
		return err
	}
	if err := d.begin(ctx, "AUTH TLS", 234); err != nil {
		return err
	}
	if err := d.enter(ctx, f.login, entrance{user: "USER", password: "PASS", more: 331, in: 230, otherwise: "lvsd@"}); err != nil || f.File == "" {
		return err
	}
	// As text, a file has no size that servers know.
	if _, err := d.ask("TYPE", "TYPE I", 200); err != nil {
		return err
	}
	if f.Expect.Empty() {
		_, err := d.ask("SIZE", "SIZE "+f.File, 213) // RFC 3659, section 4
		return err
	}
	return f.retrieve(ctx, d)
}

// maxFile bounds how long a file may be that is read, in bytes. It is read to its end,
// or the server would log that the transfer failed.
const maxFile = 1 << 20

// retrieve reads the file, whose first checker.AnswerLimit bytes are looked at.
func (f *ftpCheck) retrieve(ctx context.Context, d *dialogue) error {
	port, err := d.passive()
	if err != nil {
		return err
	}
	// Whatever address the server tells: it is this one that is checked.
	data, err := dial(ctx, netip.AddrPortFrom(d.addr, port), false)
	if err != nil {
		return while(fmt.Sprintf("connecting to port %d for the file", port), err)
	}
	defer data.Close()
	if _, err := d.ask("RETR", "RETR "+f.File, 125, 150); err != nil {
		data.closeInOrder()
		return err
	}
	text, err := readFile(data)
	if err != nil {
		return err
	}
	data.closeInOrder()
	data.Close()
	if _, err := d.expect(226, 250); err != nil {
		return err
	}
	met, err := f.expect.met(text, true)
	if err == nil && !met {
		err = f.expect.missing(text, "the file")
	}
	return err
}

// readFile reads a file to its end, and returns the begin of it.
func readFile(data io.Reader) ([]byte, error) {
	var text bytes.Buffer
	_, err := io.CopyN(&text, data, checker.AnswerLimit)
	if err == nil {
		_, err = io.CopyN(io.Discard, data, maxFile-checker.AnswerLimit+1)
	}
	switch {
	case errors.Is(err, io.EOF):
		return text.Bytes(), nil
	case err != nil:
		return nil, while("reading the file", err)
	}
	return nil, fmt.Errorf("the file has more than %d bytes: name a smaller one", maxFile)
}

// passive asks for a port to which the check can connect: by EPSV (RFC 2428), or by PASV
// where the server does not know that.
func (d *dialogue) passive() (uint16, error) {
	r, err := d.answer("EPSV", "EPSV")
	if err != nil {
		return 0, err
	}
	parse := extendedPort
	if r.code != 229 && d.addr.Is4() {
		if r, err = d.ask("PASV", "PASV", 227); err != nil {
			return 0, err
		}
		parse = passivePort
	} else if r.code != 229 {
		return 0, d.unwanted(r, 229)
	}
	port, ok := parse(r.String())
	if !ok {
		return 0, fmt.Errorf("%s came while %s, and there is no port in it", d.quote(r.String()), d.stage)
	}
	return port, nil
}

// extendedPort returns the port in an answer to EPSV: "(|||6446|)". Any printable
// character may stand for the bars.
func extendedPort(answer string) (uint16, bool) {
	_, rest, ok := strings.Cut(answer, "(")
	if !ok || len(rest) < 5 {
		return 0, false
	}
	bar := rest[:1]
	digits, ok := strings.CutPrefix(rest, bar+bar+bar)
	if !ok {
		return 0, false
	}
	digits, _, ok = strings.Cut(digits, bar+")")
	port, err := strconv.ParseUint(digits, 10, 16)
	return uint16(port), ok && err == nil && port > 0
}

// passivePort returns the port in an answer to PASV: "(h1,h2,h3,h4,p1,p2)", with or
// without the brackets.
func passivePort(answer string) (uint16, bool) {
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' || r == ',' }
	for word := range strings.FieldsFuncSeq(answer, func(r rune) bool { return !isDigit(r) }) {
		numbers := strings.Split(word, ",")
		if len(numbers) != 6 {
			continue
		}
		high, err := strconv.ParseUint(numbers[4], 10, 8)
		low, err2 := strconv.ParseUint(numbers[5], 10, 8)
		port := uint16(high<<8 | low)
		return port, err == nil && err2 == nil && port > 0
	}
	return 0, false
}
