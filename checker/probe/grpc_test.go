package probe

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/lvsd/lvsd/checker"
)

// prefixed puts its prefix before a message of gRPC.
func prefixed(text ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
}

// calls returns a server that answers a call by a message, and by a status after it.
func calls(text []byte, trailers ...string) func(*net.TCPConn) {
	return begins(func(f *http2.Framer) {
		head(f, false, ":status", "200", "content-type", "application/grpc+proto")
		if len(text) > 0 {
			f.WriteData(1, false, text)
		}
		head(f, true, trailers...)
	})
}

// refuses returns a server that answers a call by a status alone.
func refuses(trailers ...string) func(*net.TCPConn) {
	return begins(func(f *http2.Framer) {
		head(f, true, append([]string{":status", "200", "content-type", "application/grpc"}, trailers...)...)
	})
}

func TestGRPCServers(t *testing.T) {
	t.Parallel()
	orders := checker.GRPC{Service: "orders"}
	long := bytes.Repeat([]byte{0x12, 1, 'x'}, 2000)
	tests := []struct {
		name   string
		serve  func(*net.TCPConn)
		spec   checker.GRPC
		detail string // empty: it passes
	}{
		{"it serves", calls(prefixed(8, 1), grpcStatus, "0"), orders, ""},
		{"it serves, and says more than is known", calls(prefixed(0x12, 2, 'h', 'i', 8, 1, 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x28, 0x96, 1), grpcStatus, "0"), orders, ""},
		{"it does not serve", calls(prefixed(8, 2), grpcStatus, "0"), orders, `the service "orders" is NOT_SERVING`},
		{"it does not serve as a whole", calls(prefixed(8, 2), grpcStatus, "0"), checker.GRPC{}, "the server is NOT_SERVING"},
		{"the last status counts", calls(prefixed(8, 1, 8, 2), grpcStatus, "0"), orders, "NOT_SERVING"},
		{"it does not know whether it serves", calls(prefixed(), grpcStatus, "0"), orders, "is UNKNOWN"},
		{"it is of a status that nobody knows", calls(prefixed(8, 0x96, 1), grpcStatus, "0"), orders, "is 150"},
		{"it watches, and does not know the service", calls(prefixed(8, 3), grpcStatus, "0"), orders, "is SERVICE_UNKNOWN"},

		{"it does not know the service", refuses(grpcStatus, "5", grpcMessage, "unknown service"), orders, `the server does not know the service "orders" (NOT_FOUND: "unknown service")`},
		{"it has no health", refuses(grpcStatus, "12"), orders, "the server does not tell its health by grpc.health.v1 (UNIMPLEMENTED)"},
		{"it wants a login", refuses(grpcStatus, "16", grpcMessage, "who%20are you%3F"), orders, `the call is refused (UNAUTHENTICATED: "who are you?")`},
		{"it is overloaded, and says so after its answer", calls(prefixed(8, 1), grpcStatus, "14", grpcMessage, "100%"), orders, `the call fails (UNAVAILABLE: "100%")`},
		{"its error is of the future", refuses(grpcStatus, "77"), orders, "the call fails (77)"},
		{"its error is no number", refuses(grpcStatus, "x"), orders, `the status of gRPC is "x", want a number`},
		{"it does not say how the call went", calls(prefixed(8, 1), "via", "x"), orders, "the answer ends without a status of gRPC (grpc-status)"},

		{"a web server", begins(func(f *http2.Framer) { head(f, true, ":status", "404") }), orders, "status 404, want 200: is gRPC spoken here?"},
		{"a web server that has a page for everything", begins(func(f *http2.Framer) { head(f, true, ":status", "200", "content-type", "text/html") }), orders, `the answer is "text/html", want application/grpc: is gRPC spoken here?`},
		{"a web server of old", says("HTTP/1.1 400 Bad Request\r\n\r\n"), orders, "not HTTP/2"},
		{"it answers without end", begins(func(f *http2.Framer) {
			head(f, false, ":status", "200", "content-type", "application/grpc")
			forEver(func() error { return f.WriteData(1, false, long) })
		}), orders, "the answer has more than 4096 bytes"},
		{"it is silent after the header", framed(func(f *http2.Framer) {
			f.WriteSettings()
			head(f, false, ":status", "200", "content-type", "application/grpc")
		}), orders, "timeout after 300ms while reading the body"},
		{"its message is compressed", calls([]byte{1, 0, 0, 0, 2, 8, 1}, grpcStatus, "0"), orders, "compressed, which was not offered"},
		{"its message is longer than it says", calls([]byte{0, 0, 0, 0, 1, 8, 1}, grpcStatus, "0"), orders, "the answer has a message of 2 bytes, and says that it is 1"},
		{"its message is shorter than it says", calls([]byte{0, 0xff, 0xff, 0xff, 0xff, 8, 1}, grpcStatus, "0"), orders, "says that it is 4294967295"},
		{"its message is none", calls([]byte("hi"), grpcStatus, "0"), orders, "the answer has 2 bytes, which is no message of gRPC"},
		{"its message is nonsense", calls(prefixed(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f), grpcStatus, "0"), orders, "the answer is no message of protobuf"},
		{"its message is cut off", calls(prefixed(8), grpcStatus, "0"), orders, "the answer is no message of protobuf"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome, limit := checker.Passed, patience
			if tt.detail != "" {
				outcome = checker.Failed
			}
			if strings.HasPrefix(tt.detail, "timeout") {
				limit = 300 * time.Millisecond
			}
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), tt.spec, limit)), outcome, tt.detail)
		})
	}
}

func TestGRPCRequest(t *testing.T) {
	t.Parallel()
	type call struct {
		Method, Path, Host, Type, TE, Timeout, Message string
	}
	heard := make(chan call, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		heard <- call{r.Method, r.URL.Path, r.Host, r.Header.Get("Content-Type"), r.Header.Get("TE"), r.Header.Get("Grpc-Timeout"), string(text)}
		w.Header().Set("Content-Type", "application/grpc")
		w.Write(prefixed(8, 1))
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})
	ca := newAuthority(t)
	secure := ca.config(t, -1, 1, "a.example")
	secure.NextProtos = []string{"h2"}
	plain, byTLS := serveHTTP2(t, nil, handler), serveHTTP2(t, secure, handler)
	want := call{"POST", "/grpc.health.v1.Health/Check", plain.String(), "application/grpc", "trailers", "10001m", "\x00\x00\x00\x00\x00"}
	p := newProber(t)
	ask := func(addr netip.AddrPort, o checker.GRPC, want call) {
		t.Helper()
		expect(t, probeOnce(t, p, at(addr, o, patience)), checker.Passed, "")
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("call (-want +got):\n%s", diff)
		}
	}
	ask(plain, checker.GRPC{}, want)
	want.Host, want.Message = "a.example", "\x00\x00\x00\x00\x08\x0a\x06orders"
	ask(byTLS, checker.GRPC{Service: "orders", Host: "a.example", TLS: &checker.TLS{CA: ca.file}}, want)
	expect(t, probeOnce(t, p, at(plain, checker.GRPC{TLS: &checker.TLS{}}, patience)), checker.Failed, "TLS")
}

// FuzzHealth reads whatever a server may say of its health.
func FuzzHealth(f *testing.F) {
	for _, text := range [][]byte{prefixed(), prefixed(8, 1), prefixed(8, 2, 0x12, 2, 'h', 'i'), prefixed(0x0d, 1, 2, 3, 4, 8, 0x96, 1), []byte("hi")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		status, err := healthOf(text)
		if err != nil {
			return
		}
		// What was said once more, and then something else, is that.
		again := prefixed(append(append([]byte{}, text[prefix:]...), 8, 3)...)
		if other, err := healthOf(again); err != nil || other != 3 {
			t.Fatalf("%x is %d, and with 3 after it %d, %v", text, status, other, err)
		}
	})
}
