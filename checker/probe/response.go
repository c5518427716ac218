package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/checker"
)

const (
	// headLimit bounds what is read of a response before its body, in bytes:
	// status line and headers, those of informational responses included.
	headLimit = 64 << 10
	// restLimit bounds what is read after that, in bytes: more than a body that
	// is looked at, so that its chunks may be small.
	restLimit = 2 * checker.SizeLimit
	// endPatience bounds how long the end of a response is waited for when its
	// verdict is known.
	endPatience = time.Second
)

// readingHead is what a probe does until it knows the status.
const readingHead = "reading the response header"

// An httpAnswer is what a server said to a request, up to its body, in any version of HTTP.
type httpAnswer struct {
	status int
	fields
	// body is the content. It ends as the header says, and where that says
	// nothing sensible with the connection.
	body io.Reader
}

// A response is an answer by HTTP/1.1. It is read as clients
// have to read what servers send: a line without a colon, a length that is none
// or an unknown transfer coding is no reason to call a server dead that says 200.
// net/http refuses all of these.
type response struct {
	httpAnswer
	// framed: the end of the body can be known before the connection is closed.
	// chunked: and trailers come after it.
	framed, chunked bool
	// rest is all that is read after the header, bounded by limit.
	rest  *bufio.Reader
	limit *bounded
}

// readResponse reads the response to a request up to its body.
func readResponse(stream io.Reader, method string, how reading) (*response, error) {
	r := &response{limit: &bounded{r: stream, left: headLimit}}
	r.reading = how
	r.rest = bufio.NewReader(r.limit)
	if err := r.readHead(method); err != nil {
		if r.limit.left <= 0 {
			return nil, fmt.Errorf("the response header is longer than %d kB", headLimit>>10)
		}
		return nil, while(readingHead, notHTTP(err))
	}
	r.limit.left = restLimit
	return r, nil
}

// readHead reads status line and headers. Informational responses (RFC 9110,
// section 15.2) come before the one that counts.
func (r *response) readHead(method string) error {
	for {
		if err := r.readStatus(); err != nil {
			return err
		}
		r.fields = fields{reading: r.reading}
		if err := r.readFields(); err != nil {
			return err
		}
		if r.status >= 200 || r.status == http.StatusSwitchingProtocols {
			r.frame(method)
			return nil
		}
	}
}

// readStatus reads a status line (RFC 9112, section 4). Only version and status
// are needed, and more than one space between them is accepted.
func (r *response) readStatus() error {
	if err := r.peekVersion(); err != nil {
		return err
	}
	line, err := r.readLine()
	if err != nil {
		return err
	}
	_, after, _ := strings.Cut(line, " ")
	code := strings.TrimLeft(after, " ")
	code = code[:len(code)-len(strings.TrimLeft(code, "0123456789"))]
	if len(code) != 3 {
		line = without(line, r.secrets...)
		return fmt.Errorf("it begins with %q", line[:min(len(line), 60)])
	}
	r.status, err = strconv.Atoi(code)
	return err
}

// peekVersion returns an error that shows how a response begins, if that is
// not as HTTP does.
func (r *response) peekVersion() error {
	const version = "HTTP/"
	start, err := r.rest.Peek(len(version))
	if err != nil && (len(start) == 0 || isNetError(err)) {
		return err
	}
	if string(start) == version {
		return nil
	}
	return beginsWith(r.rest, r.secrets)
}

// beginsWith is an error that shows the first line of what has come.
func beginsWith(in *bufio.Reader, secrets []string) error {
	start, _ := in.Peek(in.Buffered())
	line, _, _ := strings.Cut(without(string(start), secrets...), "\n")
	line = strings.TrimRight(line, "\r")
	return fmt.Errorf("it begins with %q", line[:min(len(line), 60)])
}

// readLine reads one line, and returns as much of it as the buffer holds.
func (r *response) readLine() (string, error) {
	start, more, err := r.rest.ReadLine()
	line := string(start)
	for more && err == nil {
		_, more, err = r.rest.ReadLine()
	}
	return line, err
}

// fields are the headers that mean something here. Of those that say where a body
// ends or where a redirect leads, the last one counts.
type fields struct {
	length, coding, location string
	// kept are the headers of which keep, unless it is nil, reports that they are
	// wanted, in their order.
	kept []checker.Header
	reading
}

// A reading is how the answer to a request is read.
type reading struct {
	keep func(name string) bool
	// secrets are what a server may have heard, and nobody is to be shown.
	secrets []string
}

// add notes a header.
func (f *fields) add(name, value string) {
	value = without(value, f.secrets...)
	switch {
	case strings.EqualFold(name, "Content-Length"):
		f.length = value
	case strings.EqualFold(name, "Transfer-Encoding"):
		f.coding = value
	case strings.EqualFold(name, "Location"):
		f.location = value
	}
	if f.keep != nil && f.keep(name) {
		f.kept = append(f.kept, checker.Header{Name: name, Value: value})
	}
}

// value returns the last one of the headers of a name that have been kept.
func (f *fields) value(name string) (value string, ok bool) {
	for _, h := range f.kept {
		if strings.EqualFold(h.Name, name) {
			value, ok = h.Value, true
		}
	}
	return value, ok
}

// readFields reads headers up to the empty line that ends them. Lines that are no
// header, and folded lines, mean nothing.
func (r *response) readFields() error {
	for {
		line, err := r.readLine()
		if err != nil || line == "" {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		r.add(strings.TrimRight(name, " \t"), strings.TrimSpace(value))
	}
}

// frame finds out where the body ends (RFC 9112, section 6.3).
func (r *response) frame(method string) {
	length, err := strconv.ParseInt(r.length, 10, 64)
	coding := r.coding[strings.LastIndexByte(r.coding, ',')+1:]
	r.framed = true
	switch {
	case method == "HEAD", r.status < 200, r.status == http.StatusNoContent, r.status == http.StatusNotModified:
		r.body = http.NoBody
	case strings.EqualFold(strings.TrimSpace(coding), "chunked"):
		r.chunked = true
		r.body = httputil.NewChunkedReader(r.rest)
	case err == nil && length >= 0:
		r.body = &exactly{r: r.rest, left: length}
	default:
		r.framed = false
		r.body = untilClosed{r.rest}
	}
}

// errTooLong is the end of what is read of a server that sends more.
var errTooLong = fmt.Errorf("more than %d kB came", restLimit>>10)

// bounded reads as many bytes as are left. More are an error.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// exactly reads as many bytes as a length says. Fewer are an error.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(b[:min(int64(len(b)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// untilClosed reads until the connection is closed. Many servers close it with
// a reset, and mean the same.
type untilClosed struct{ r io.Reader }

func (u untilClosed) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if errors.Is(err, syscall.ECONNRESET) {
		err = io.EOF
	}
	return n, err
}

// notHTTP puts an error of readHead into plain words.
func notHTTP(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w without a response", errClosed)
	case isNetError(err):
		return err
	case isAlert(err):
		return because(checker.NoTLS, tlsError("", err))
	default:
		return fmt.Errorf("not an HTTP response: %w", err)
	}
}

// finish reads what is left of a response, within bounds, and reports whether it
// has ended. Most servers write a line to their log, and some a page, about a
// client that goes away before.
//
// The server closes first, as the request asks it to, so that TIME_WAIT is on
// its side. A server that has said all and keeps the connection is not waited
// for long.
func (r *response) finish(ctx context.Context, c *conn) (ended bool) {
	c.SetDeadline(time.Now().Add(endPatience))
	if ctx.Err() != nil {
		return false // its end has set an earlier deadline, which was just overwritten
	}
	_, err := io.Copy(io.Discard, r.body)
	if r.chunked && err == nil {
		err = r.readFields()
	}
	whole := r.framed && err == nil
	if whole {
		c.SetDeadline(time.Now().Add(closePatience))
	}
	_, err = io.Copy(io.Discard, r.rest)
	return r.limit.left > 0 && (whole || err == nil)
}
