package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/lvsd/lvsd/checker"
)

// The bounds of what a server may send by HTTP/2 in answer to one request.
const (
	// maxFrame is the largest frame, in bytes (RFC 9113, section 4.2).
	maxFrame = 16 << 10
	// maxFrames is how many frames may come at all, and maxIdle how many of them may
	// bring nothing: settings, pings, resets, and data without a byte.
	maxFrames = 8192
	maxIdle   = 128
	// maxContinued is how many frames one header may have.
	maxContinued = 32
)

// theStream is the one request of a connection; goodbye is sent for all others.
const theStream = 1

// An http2Stream is a request and its answer by HTTP/2 (RFC 9113), which are alone on
// their connection. Whoever reads its body reads frames, within bounds, and
// acknowledges what is to be acknowledged.
type http2Stream struct {
	httpAnswer
	// trailers are the headers after the body.
	trailers fields

	stream io.ReadWriter
	in     *bufio.Reader
	out    bytes.Buffer // what is to be sent
	framer *http2.Framer
	header *hpack.Decoder
	// frames and idle are how many of each may still come.
	frames, idle int
	// left is how many bytes of headers are still kept, and continued how many frames
	// the header that is being read has had.
	left, continued int
	// data is what has come of the body and was not read yet.
	data []byte
	// speaks: the server has begun as HTTP/2 does. after: its answer's header is whole, and
	// what comes now are trailers. ended: its answer is whole.
	speaks, after, ended bool
	// goaway is why the server will answer nothing else; nil: it has not said so.
	goaway error
}

// askHTTP2 sends a request by HTTP/2 and reads the answer up to its body. The request's
// body is small. What is returned with an error is still to be ended.
func askHTTP2(stream io.ReadWriter, request []hpack.HeaderField, body []byte, how reading) (*http2Stream, error) {
	s := &http2Stream{stream: stream, frames: maxFrames, idle: maxIdle}
	s.reading, s.body = how, s
	s.in = bufio.NewReader(&bounded{r: stream, left: headLimit + restLimit})
	s.framer = http2.NewFramer(&s.out, s.in)
	s.framer.SetMaxReadFrameSize(maxFrame)
	s.framer.SetReuseFrames()
	s.header = hpack.NewDecoder(4096, s.field)
	s.header.SetMaxStringLength(headLimit)
	s.request(request, body)
	if err := s.flush(); err != nil {
		return s, while("sending the request", err)
	}
	if err := s.begin(); err != nil {
		return s, while(readingHead, err)
	}
	s.speaks = true
	for !s.after {
		if err := s.next(); err != nil {
			return s, while(readingHead, err)
		}
	}
	return s, nil
}

// request writes the connection's preface and the request. All that may come fits the
// windows from the beginning, so they are never widened.
func (s *http2Stream) request(request []hpack.HeaderField, body []byte) {
	s.out.WriteString(http2.ClientPreface)
	s.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: restLimit},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: headLimit},
	)
	s.framer.WriteWindowUpdate(0, restLimit)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range request {
		encoder.WriteField(f)
	}
	first := block.Next(maxFrame)
	s.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: theStream, BlockFragment: first, EndStream: len(body) == 0, EndHeaders: block.Len() == 0,
	})
	for block.Len() > 0 {
		more := block.Next(maxFrame)
		s.framer.WriteContinuation(theStream, block.Len() == 0, more)
	}
	if len(body) > 0 {
		s.framer.WriteData(theStream, true, body)
	}
}

// flush sends what has been written.
func (s *http2Stream) flush() error {
	defer s.out.Reset()
	_, err := s.stream.Write(s.out.Bytes())
	return err
}

// begin returns an error that shows how the server begins, unless that is with its
// settings (RFC 9113, section 3.4).
func (s *http2Stream) begin() error {
	const head = 9 // of a frame: length, type, flags and stream
	start, err := s.in.Peek(head)
	switch {
	case len(start) == head && http2.FrameType(start[3]) == http2.FrameSettings:
		return nil
	case len(start) > 0 && !isNetError(err):
		return fmt.Errorf("not HTTP/2: %w", beginsWith(s.in, s.secrets))
	default:
		return notHTTP(cmp.Or(err, io.EOF))
	}
}

// next reads a frame, and does what it asks for.
func (s *http2Stream) next() error {
	f, err := s.framer.ReadFrame()
	if err != nil {
		return s.broken(err)
	}
	s.frames--
	useful, err := s.take(f)
	if err != nil {
		return err
	}
	if !useful {
		s.idle--
	}
	if s.idle < 0 || s.frames < 0 {
		return fmt.Errorf("the server floods the connection: %d frames came, at last %s", maxFrames-s.frames, f.Header().Type)
	}
	if s.out.Len() > 0 && s.in.Buffered() == 0 {
		s.flush() // Where that cannot be sent, the server's last words may still be read.
	}
	return nil
}

// broken says why there is no further frame.
func (s *http2Stream) broken(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if s.goaway != nil {
			return s.goaway
		}
		return fmt.Errorf("%w within the response", errClosed)
	case isNetError(err), errors.Is(err, errTooLong):
		return err
	case isAlert(err):
		return because(checker.NoTLS, tlsError("", err))
	default:
		return fmt.Errorf("the server breaks HTTP/2: %w", cmp.Or(s.framer.ErrorDetail(), err))
	}
}

// take does what a frame asks for, and reports whether it brings the answer nearer.
func (s *http2Stream) take(frame http2.Frame) (useful bool, err error) {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			err = s.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			err = s.framer.WritePing(true, f.Data)
		}
	case *http2.GoAwayFrame:
		s.goaway = fmt.Errorf("the server ends the connection (%s%s)", f.ErrCode, debugData(without(string(f.DebugData()), s.secrets...)))
		if f.LastStreamID < theStream {
			err = s.goaway
		}
	case *http2.RSTStreamFrame:
		if !s.ended {
			err = fmt.Errorf("the server resets the request (%s)", f.ErrCode)
		}
	case *http2.PushPromiseFrame:
		err = errors.New("the server breaks HTTP/2: it pushes an answer, which was refused")
	case *http2.HeadersFrame:
		return s.headers(f.StreamID, f.HeaderBlockFragment(), f.HeadersEnded(), f.StreamEnded())
	case *http2.ContinuationFrame:
		return s.more(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.DataFrame:
		if f.StreamID != theStream || !s.after || s.ended {
			return false, errors.New("the server breaks HTTP/2: data came that belongs to no answer")
		}
		s.data, s.ended = f.Data(), f.StreamEnded()
		return len(s.data) > 0 || s.ended, nil
	}
	return false, err
}

// debugData is what a server says when it ends a connection.
func debugData(text string) string {
	if len(text) == 0 {
		return ""
	}
	return fmt.Sprintf(": %.60q", text)
}

// headers begins a header: of an informational answer, of the answer, or after it.
func (s *http2Stream) headers(id uint32, fragment []byte, whole, last bool) (useful bool, err error) {
	if id != theStream || s.ended {
		return false, errors.New("the server breaks HTTP/2: a header came that belongs to no answer")
	}
	if !s.after {
		s.status, s.fields = 0, fields{reading: s.reading}
	}
	s.trailers.reading = s.reading
	s.ended = last
	s.left, s.continued = headLimit, 0
	return s.more(fragment, whole)
}

// more reads a part of a header.
func (s *http2Stream) more(fragment []byte, whole bool) (useful bool, err error) {
	if s.continued++; s.continued > maxContinued {
		return false, fmt.Errorf("the server floods the connection: a header has more than %d frames", maxContinued)
	}
	if _, err := s.header.Write(fragment); err != nil {
		return false, fmt.Errorf("the server breaks HTTP/2: %w", err)
	}
	if s.left < 0 {
		return false, fmt.Errorf("the response header is longer than %d kB", headLimit>>10)
	}
	if !whole {
		return true, nil
	}
	if err := s.header.Close(); err != nil {
		return false, fmt.Errorf("the server breaks HTTP/2: %w", err)
	}
	s.after = s.after || s.status >= 200
	if s.ended && !s.after {
		return false, errors.New("the response has no status")
	}
	return s.after, nil
}

// field takes a header's field. What is beyond the limit is not even decoded.
func (s *http2Stream) field(f hpack.HeaderField) {
	if s.left -= int(f.Size()); s.left < 0 {
		s.header.SetEmitEnabled(false)
		return
	}
	switch {
	case s.after:
		s.trailers.add(f.Name, f.Value)
	case f.Name == ":status" && len(f.Value) == 3:
		s.status, _ = strconv.Atoi(f.Value)
	default:
		s.add(f.Name, f.Value)
	}
}

// finish ends the connection in order: the server closes it when it has been told that
// nothing more comes.
func (s *http2Stream) finish(ctx context.Context, plain *conn, stream io.ReadWriteCloser) {
	if s.speaks && !s.ended {
		s.framer.WriteRSTStream(theStream, http2.ErrCodeCancel)
	}
	if s.speaks {
		s.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
	}
	plain.part(ctx, stream, s.out.Bytes())
}

// Read reads the body.
func (s *http2Stream) Read(b []byte) (int, error) {
	for len(s.data) == 0 {
		if s.ended {
			return 0, io.EOF
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.data)
	s.data = s.data[n:]
	return n, nil
}

// http2Fields returns a request's header as HTTP/2 has it. A password is never put into
// a table that others could measure.
func http2Fields(method, scheme, authority, path string, headers []checker.Header) []hpack.HeaderField {
	all := []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: scheme},
		{Name: ":authority", Value: authority}, {Name: ":path", Value: path},
	}
	for _, h := range headers {
		name := strings.ToLower(h.Name)
		all = append(all, hpack.HeaderField{Name: name, Value: h.Value, Sensitive: name == "authorization"})
	}
	return all
}
