package probe

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.GRPC{}, compileGRPC) }

// compileGRPC returns the run that passes when a service reports that it is serving.
func compileGRPC(p *Prober, o checker.GRPC) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &grpcCheck{GRPC: o, message: healthRequest(o.Service)}
	if o.TLS != nil {
		c.tls = newTLS(p.authorities, *o.TLS, o.Host, alpnHTTP2)
	}
	return c.run, nil
}

// A grpcCheck is a gRPC check made ready to run.
type grpcCheck struct {
	checker.GRPC
	message []byte
	tls     *tlsClient // nil: it speaks no TLS
}

func (c *grpcCheck) run(ctx context.Context, t checker.Target) (found, error) {
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	s, err := askHTTP2(stream, c.request(t), c.message, reading{keep: keepGRPC})
	if err == nil {
		err = c.judge(s)
	}
	s.finish(ctx, plain, stream)
	return seen, err
}

// healthMethod is the path of the one procedure that is called.
const healthMethod = "/grpc.health.v1.Health/Check"

// request returns the header of a call.
func (c *grpcCheck) request(t checker.Target) []hpack.HeaderField {
	scheme := "http"
	if c.tls != nil {
		scheme = "https"
	}
	return append(http2Fields(http.MethodPost, scheme, cmp.Or(c.Host, hostPort(t, 0)), healthMethod, nil),
		hpack.HeaderField{Name: "te", Value: "trailers"},
		hpack.HeaderField{Name: "content-type", Value: "application/grpc"},
		hpack.HeaderField{Name: "user-agent", Value: userAgent},
		hpack.HeaderField{Name: "grpc-timeout", Value: strconv.FormatInt(min(t.Timeout.Milliseconds()+1, 99_999_999), 10) + "m"},
	)
}

// The headers and trailers of a gRPC answer that mean something here.
const (
	contentType = "content-type"
	grpcStatus  = "grpc-status"
	grpcMessage = "grpc-message"
)

func keepGRPC(name string) bool {
	return name == contentType || name == grpcStatus || name == grpcMessage
}

// judge returns what is wrong with an answer.
func (c *grpcCheck) judge(s *http2Stream) error {
	if s.status != http.StatusOK {
		return because(checker.WrongStatus, fmt.Errorf("status %d, want 200: is gRPC spoken here?", s.status))
	}
	if status, ok := s.value(grpcStatus); ok { // An error has no message, and its header is its trailers.
		return c.refused(status, s.fields)
	}
	if content, _ := s.value(contentType); !strings.HasPrefix(content, "application/grpc") {
		return fmt.Errorf("the answer is %.60q, want application/grpc: is gRPC spoken here?", content)
	}
	body, err := io.ReadAll(io.LimitReader(s, messageLimit))
	if err != nil {
		return while("reading the body", err)
	}
	if !s.ended {
		return fmt.Errorf("the answer has more than %d bytes, and the health of a service has a few", messageLimit)
	}
	status, ok := s.trailers.value(grpcStatus)
	switch {
	case !ok:
		return errors.New("the answer ends without a status of gRPC (grpc-status)")
	case status != "0":
		return c.refused(status, s.trailers)
	}
	health, err := healthOf(body)
	if err == nil && health != serving {
		err = fmt.Errorf("%s is %s", c.subject(), nameOf(health, healthNames))
	}
	return err
}

// subject is whose health is asked for.
func (c *grpcCheck) subject() string {
	if c.Service == "" {
		return "the server"
	}
	return fmt.Sprintf("the service %.60q", c.Service)
}

// Statuses of gRPC that mean something special here.
const (
	grpcNotFound         = 5
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcUnauthenticated  = 16
)

// grpcNames are the statuses of gRPC, from 0 on.
var grpcNames = strings.Fields(`OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED
	RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED`)

// nameOf returns the name of a number.
func nameOf(n uint64, names []string) string {
	if n < uint64(len(names)) {
		return names[n]
	}
	return strconv.FormatUint(n, 10)
}

// refused says why a call has no answer.
func (c *grpcCheck) refused(status string, f fields) error {
	n, err := strconv.ParseUint(status, 10, 32)
	if err != nil {
		return fmt.Errorf("the status of gRPC is %.20q, want a number", status)
	}
	name := nameOf(n, grpcNames)
	if text, _ := f.value(grpcMessage); text != "" {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		name += fmt.Sprintf(": %.100q", text)
	}
	switch n {
	case grpcUnimplemented:
		return fmt.Errorf("the server does not tell its health by grpc.health.v1 (%s)", name)
	case grpcNotFound:
		return fmt.Errorf("the server does not know %s (%s)", c.subject(), name)
	case grpcPermissionDenied, grpcUnauthenticated:
		return because(checker.LoginRefused, fmt.Errorf("the call is refused (%s)", name))
	default:
		return fmt.Errorf("the call fails (%s)", name)
	}
}

const (
	// prefix comes before a message, in bytes: whether it is compressed, and its length.
	prefix = 5
	// messageLimit bounds an answer with its prefix, in bytes.
	messageLimit = 4 << 10
)

// Wire types of protobuf.
const (
	varint  = 0
	fixed64 = 1
	bytes32 = 2 // as many as a varint says
	fixed32 = 5
)

// healthRequest returns a HealthCheckRequest: its field 1 is the name of a service.
func healthRequest(service string) []byte {
	var message []byte
	if service != "" {
		message = binary.AppendUvarint([]byte{1<<3 | bytes32}, uint64(len(service)))
		message = append(message, service...)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// serving is the status of a service that serves; healthNames are all of them.
const serving = 1

var healthNames = []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}

// healthOf returns the status in a HealthCheckResponse: its field 1, of which the last one
// counts, and 0 if there is none. Fields that nobody knows are skipped.
func healthOf(body []byte) (status uint64, err error) {
	if len(body) < prefix {
		return 0, fmt.Errorf("the answer has %d bytes, which is no message of gRPC", len(body))
	}
	message := body[prefix:]
	switch n := binary.BigEndian.Uint32(body[1:]); {
	case body[0] != 0:
		return 0, errors.New("the answer is compressed, which was not offered")
	case int64(n) != int64(len(message)):
		return 0, fmt.Errorf("the answer has a message of %d bytes, and says that it is %d", len(message), n)
	}
	for len(message) > 0 {
		field, value, rest, ok := nextField(message)
		if !ok {
			return 0, errors.New("the answer is no message of protobuf")
		}
		if field == 1<<3|varint {
			status = value
		}
		message = rest
	}
	return status, nil
}

// nextField returns the first field of a message of protobuf, with its type, what it has
// if that is a number, and what follows.
func nextField(message []byte) (field, value uint64, rest []byte, ok bool) {
	field, n := binary.Uvarint(message)
	if n <= 0 {
		return 0, 0, nil, false
	}
	message = message[n:]
	size := uint64(0)
	switch field & 7 {
	case varint:
		value, n = binary.Uvarint(message)
		size = uint64(max(n, 0))
		ok = n > 0
	case fixed64:
		size, ok = 8, true
	case fixed32:
		size, ok = 4, true
	case bytes32:
		length, n := binary.Uvarint(message)
		ok = n > 0 && length <= uint64(len(message))
		size = length + uint64(max(n, 0))
	}
	if !ok || size > uint64(len(message)) {
		return 0, 0, nil, false
	}
	return field, value, message[size:], true
}
