package probe

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/lvsd/lvsd/checker"
)

// framed returns a server that reads what comes first and then talks by frames. Where
// that returns, the connection stays open.
func framed(talk func(*http2.Framer)) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
		go io.Copy(io.Discard, c)
		talk(http2.NewFramer(c, nil))
	}
}

// begins is framed for a server that says its settings first, and ends its half of the
// connection in the end. It does not close it: where that comes before the last bytes of
// the client, the kernel resets the connection, and what was said is lost.
func begins(talk func(*http2.Framer)) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		framed(func(f *http2.Framer) {
			f.WriteSettings()
			talk(f)
		})(c)
		c.CloseWrite()
	}
}

// block is a header in HPACK, of names and their values in turns.
func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for pair := range slices.Chunk(fields, 2) {
		e.WriteField(hpack.HeaderField{Name: pair[0], Value: pair[1]})
	}
	return b.Bytes()
}

// head sends a header.
func head(f *http2.Framer, last bool, fields ...string) {
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(fields...), EndHeaders: true, EndStream: last})
}

// forEver repeats what sends a frame, until the connection is gone.
func forEver(send func() error) {
	for send() == nil {
	}
}

func TestHTTP2Servers(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	page := checker.HTTP{Version: checker.HTTP2, Body: "^well$"}
	plain, text := checker.HTTP{Version: checker.HTTP2}, checker.HTTP{Version: checker.HTTP2, Text: []byte("well")}
	tests := []struct {
		name   string
		serve  func(*net.TCPConn)
		spec   checker.HTTP
		detail string // empty: it passes
	}{
		{"a good answer", begins(func(f *http2.Framer) { head(f, false, ":status", "200"); f.WriteData(1, true, []byte("well")) }), page, ""},
		{"an answer without a body", begins(func(f *http2.Framer) { head(f, true, ":status", "204") }), plain, ""},
		{"a bad status", begins(func(f *http2.Framer) { head(f, true, ":status", "503") }), plain, "status 503, want 200-299"},
		{"padding, trailers and frames that nobody knows", begins(func(f *http2.Framer) {
			f.WriteRawFrame(0x77, 0, 0, []byte("grease"))
			head(f, false, ":status", "103", "via", "x")
			head(f, false, ":status", "200", "via", "a")
			f.WriteDataPadded(1, false, []byte("we"), make([]byte, 100))
			f.WriteData(1, false, nil)
			f.WriteData(1, false, []byte("ll"))
			head(f, true, "via", "b")
		}), checker.HTTP{Version: checker.HTTP2, Body: "^well$", Answer: []checker.Header{{Name: "Via", Value: "^a$"}}}, ""},
		{"a trailer is no header", begins(func(f *http2.Framer) { head(f, false, ":status", "200"); head(f, true, "via", "b") }),
			checker.HTTP{Version: checker.HTTP2, Body: "^$", Answer: []checker.Header{{Name: "Via", Value: "."}}}, "the answer has no header Via"},
		{"a header in several frames", begins(func(f *http2.Framer) {
			all := block(":status", "200", "via", strings.Repeat("long ", 1000))
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: all[:1], EndStream: true})
			f.WriteContinuation(1, false, all[1:70])
			f.WriteContinuation(1, true, all[70:])
		}), plain, ""},
		{"the connection is ended after the answer", begins(func(f *http2.Framer) {
			f.WriteGoAway(1, http2.ErrCodeNo, nil)
			head(f, false, ":status", "200")
			f.WriteData(1, true, []byte("well"))
		}), page, ""},
		{"a reset after the answer means that no more of the request is wanted", begins(func(f *http2.Framer) {
			head(f, false, ":status", "200")
			f.WriteData(1, true, []byte("well"))
			f.WriteRSTStream(1, http2.ErrCodeNo)
		}), page, ""},
		{"some pings are answered", begins(func(f *http2.Framer) {
			for range 20 {
				f.WritePing(false, [8]byte{})
			}
			head(f, true, ":status", "200")
		}), plain, ""},

		{"HTTP/1.1 only", says("HTTP/1.1 400 Bad Request\r\n\r\n"), plain, `not HTTP/2: it begins with "HTTP/1.1 400 Bad Request"`},
		{"TLS only", says("\x15\x03\x01\x00\x02\x02\x16"), plain, `not HTTP/2: it begins with "\x15\x03\x01`},
		{"SSH", func(c *net.TCPConn) { io.WriteString(c, "SSH-2.0-x\r\n") }, plain, `not HTTP/2: it begins with "SSH-2.0-x"`},
		{"settings do not come first", framed(func(f *http2.Framer) { f.WritePing(false, [8]byte{}) }), plain, "not HTTP/2: it begins with"},
		{"it closes without a word", func(c *net.TCPConn) { io.CopyN(io.Discard, c, 24); c.CloseWrite() }, plain, "the server closed the connection without a response"},
		{"it closes after its settings", begins(func(*http2.Framer) {}), plain, "the server closed the connection within the response"},
		{"it closes within the body", begins(func(f *http2.Framer) { head(f, false, ":status", "200"); f.WriteData(1, false, []byte("we")) }), page, "the body is malformed after 2 bytes: the server closed the connection within the response"},
		{"it is silent", func(*net.TCPConn) {}, plain, "timeout after 300ms while reading the response header"},
		{"it is silent after its settings", framed(func(f *http2.Framer) { f.WriteSettings() }), plain, "timeout after 300ms while reading the response header"},
		{"it is silent within the body", framed(func(f *http2.Framer) { f.WriteSettings(); head(f, false, ":status", "200") }), page, "timeout after 300ms while reading the body"},
		{"it pings now and then and never answers", begins(func(f *http2.Framer) {
			forEver(func() error { time.Sleep(10 * time.Millisecond); return f.WritePing(false, [8]byte{}) })
		}), plain, "timeout after 300ms while reading the response header"},

		{"it floods settings", begins(func(f *http2.Framer) { forEver(func() error { return f.WriteSettings() }) }), plain, "the server floods the connection: 129 frames came, at last SETTINGS"},
		{"it floods pings", begins(func(f *http2.Framer) { forEver(func() error { return f.WritePing(false, [8]byte{}) }) }), plain, "the server floods the connection: 129 frames came, at last PING"},
		{"it floods resets", begins(func(f *http2.Framer) { forEver(func() error { return f.WriteRSTStream(3, http2.ErrCodeNo) }) }), plain, "the server resets the request"},
		{"it floods windows", begins(func(f *http2.Framer) { forEver(func() error { return f.WriteWindowUpdate(0, 1) }) }), plain, "at last WINDOW_UPDATE"},
		{"it floods frames that nobody knows", begins(func(f *http2.Framer) {
			forEver(func() error { return f.WriteRawFrame(0x77, 0, 0, make([]byte, 16<<10)) })
		}), plain, "at last UNKNOWN"},
		{"it floods data without a byte", begins(func(f *http2.Framer) {
			head(f, false, ":status", "200")
			forEver(func() error { return f.WriteData(1, false, nil) })
		}), page, "at last DATA"},
		{"it floods data of one byte", begins(func(f *http2.Framer) {
			head(f, false, ":status", "200")
			forEver(func() error { return f.WriteData(1, false, []byte("x")) })
		}), text, "the server floods the connection: 8193 frames came, at last DATA"},
		{"it floods informational answers", begins(func(f *http2.Framer) {
			forEver(func() error {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "103"), EndHeaders: true})
			})
		}), plain, "at last HEADERS"},
		{"its header has no end", begins(func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200")})
			forEver(func() error { return f.WriteContinuation(1, false, block("x", "y")) })
		}), plain, "the server floods the connection: a header has more than 32 frames"},
		{"its header has no end, and no bytes", begins(func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			forEver(func() error { return f.WriteContinuation(1, false, nil) })
		}), plain, "a header has more than 32 frames"},
		{"its header is a bomb: a few bytes stand for megabytes", begins(func(f *http2.Framer) {
			bomb := append(block(":status", "200", "x", strings.Repeat("y", 3000)), bytes.Repeat([]byte{0x80 | 62}, 16_000)...)
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: bomb[:16<<10], EndHeaders: true, EndStream: true})
		}), plain, "the response header is longer than 64 kB"},
		{"its body has no end", begins(func(f *http2.Framer) {
			head(f, false, ":status", "200")
			forEver(func() error { return f.WriteData(1, false, bytes.Repeat([]byte("x"), 16<<10)) })
		}), text, `the body (262144 bytes read) does not match "well"`},
		{"its frame is larger than allowed", begins(func(f *http2.Framer) { f.WriteData(1, false, make([]byte, 17<<10)) }), plain, "the server breaks HTTP/2: http2: frame too large"},
		{"its header is nonsense", begins(func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, EndHeaders: true})
		}), plain, "the server breaks HTTP/2: decoding error"},
		{"its answer has no status", begins(func(f *http2.Framer) { head(f, true, "via", "x") }), plain, "the response has no status"},
		{"its answer has a status that is none", begins(func(f *http2.Framer) { head(f, true, ":status", "+20") }), plain, "the response has no status"},
		{"its data comes before the header", begins(func(f *http2.Framer) { f.WriteData(1, true, []byte("well")) }), plain, "data came that belongs to no answer"},
		{"it answers what nobody asked", begins(func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block(":status", "200"), EndHeaders: true})
		}), plain, "a header came that belongs to no answer"},
		{"it pushes an answer", begins(func(f *http2.Framer) {
			f.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: block(":path", "/"), EndHeaders: true})
		}), plain, "it pushes an answer, which was refused"},
		{"a frame comes within a header", begins(func(f *http2.Framer) {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200")})
			f.WritePing(false, [8]byte{})
		}), plain, "the server breaks HTTP/2: got PING for stream 0; expected CONTINUATION"},

		{"it resets the request", begins(func(f *http2.Framer) { f.WriteRSTStream(1, http2.ErrCodeRefusedStream) }), plain, "the server resets the request (REFUSED_STREAM)"},
		{"it resets the request within the body", begins(func(f *http2.Framer) { head(f, false, ":status", "200"); f.WriteRSTStream(1, http2.ErrCodeInternal) }), page, "the server resets the request (INTERNAL_ERROR)"},
		{"it ends the connection at once", begins(func(f *http2.Framer) { f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too many\x00")) }), plain, `the server ends the connection (ENHANCE_YOUR_CALM: "too many\x00")`},
		{"it ends the connection, and does not answer before it closes", begins(func(f *http2.Framer) { f.WriteGoAway(1, http2.ErrCodeInternal, nil) }), plain, "the server ends the connection (INTERNAL_ERROR)"},
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
				limit = brief
			}
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), tt.spec, limit)), outcome, tt.detail)
		})
	}
}

// serveHTTP2 serves requests by golang.org/x/net/http2, over TLS unless there is no
// configuration of it.
func serveHTTP2(t testing.TB, config *tls.Config, handler http.Handler) netip.AddrPort {
	t.Helper()
	return serve(t, func(c *net.TCPConn) {
		var stream net.Conn = c
		if config != nil {
			secure := tls.Server(c, config)
			if secure.Handshake() != nil {
				return
			}
			stream = secure
		}
		//lint:ignore SA1019 net/http is built without HTTP/2 here.
		new(http2.Server).ServeConn(stream, &http2.ServeConnOpts{Handler: handler})
	})
}

func TestHTTP2Request(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- fmt.Sprintln(r.Proto, r.Method, r.RequestURI, r.Host, r.ContentLength, r.Header, string(body))
		w.Write([]byte(strings.Repeat("x", 300_000)))
	})
	ca := newAuthority(t)
	secure := ca.config(t, -1, 1, "a.example")
	secure.NextProtos = []string{"h2"}
	plain, byTLS := serveHTTP2(t, nil, handler), serveHTTP2(t, secure, handler)
	p := newProber(t)
	for _, tt := range []struct {
		name string
		addr netip.AddrPort
		spec checker.HTTP
		want string
	}{
		{"without TLS", plain, checker.HTTP{}, fmt.Sprintf("HTTP/2.0 GET / %s 0 map[User-Agent:[lvsd]] \n", plain)},
		{"by TLS", byTLS, checker.HTTP{Secure: true, Path: "/x?y", Host: "a.example", TLS: checker.TLS{CA: ca.file}}, "HTTP/2.0 GET /x?y a.example 0 map[User-Agent:[lvsd]] \n"},
		{"everything", plain, checker.HTTP{Method: "POST", Send: []byte("a=1"), Headers: []checker.Header{{Name: "User-Agent", Value: "me"}, {Name: "X-Y", Value: "z"}}, Digest: sha256Of(strings.Repeat("x", 300_000))},
			fmt.Sprintf("HTTP/2.0 POST / %s 3 map[Content-Length:[3] User-Agent:[me] X-Y:[z]] a=1\n", plain)},
		{"a header larger than a frame", plain, checker.HTTP{Headers: []checker.Header{{Name: "X", Value: strings.Repeat("\"", 40_000)}}},
			fmt.Sprintf("HTTP/2.0 GET / %s 0 map[User-Agent:[lvsd] X:[%s]] \n", plain, strings.Repeat("\"", 40_000))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Version = checker.HTTP2
			expect(t, probeOnce(t, p, at(tt.addr, tt.spec, patience)), checker.Passed, "")
			if diff := cmp.Diff(tt.want, <-asked); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTTP2IsNegotiated(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	with := func(protocols ...string) netip.AddrPort {
		config := ca.config(t, -1, 1, "a.example")
		config.NextProtos = protocols
		return serveTLS(t, config)
	}
	spec := ca.spec(func(h *checker.HTTP) { h.Version = checker.HTTP2 })
	p := newProber(t)
	expect(t, probeOnce(t, p, at(with(), spec, patience)), checker.Failed, "the server did not choose HTTP/2 (h2) when TLS was negotiated")
	expect(t, probeOnce(t, p, at(with("http/1.1"), spec, patience)), checker.Failed, "the server refused the TLS handshake: no application protocol")
	expect(t, probeOnce(t, p, at(with("h2"), spec, patience)), checker.Failed, `not HTTP/2: it begins with "HTTP/1.1 200 OK"`)
}

// The server hears that nothing more comes, and closes the connection, without a reset.
func TestHTTP2EndsInOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		whole bool
		want  string
	}{
		{"after the answer", true, "SETTINGS WINDOW_UPDATE HEADERS SETTINGS GOAWAY EOF"},
		{"with a rest that nobody wants", false, "SETTINGS WINDOW_UPDATE HEADERS SETTINGS RST_STREAM GOAWAY EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			heard := make(chan string, 1)
			addr := serve(t, func(c *net.TCPConn) {
				io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
				f := http2.NewFramer(c, c)
				f.WriteSettings()
				head(f, tt.whole, ":status", "200")
				var all []string
				for {
					frame, err := f.ReadFrame()
					if err != nil {
						heard <- strings.Join(append(all, err.Error()), " ")
						return
					}
					all = append(all, frame.Header().Type.String())
					if frame.Header().Type == http2.FrameGoAway {
						c.CloseWrite()
					}
				}
			})
			expect(t, probeOnce(t, newProber(t), at(addr, checker.HTTP{Version: checker.HTTP2}, patience)), checker.Passed, "")
			if got := <-heard; got != tt.want {
				t.Errorf("the server heard %s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzHTTP2 gives whatever a server may send to the reader of frames.
func FuzzHTTP2(f *testing.F) {
	record := func(talk func(*http2.Framer)) {
		var b bytes.Buffer
		framer := http2.NewFramer(&b, nil)
		framer.WriteSettings()
		talk(framer)
		f.Add(b.Bytes())
	}
	record(func(f *http2.Framer) { head(f, false, ":status", "200"); f.WriteData(1, true, []byte("well")) })
	record(func(f *http2.Framer) { head(f, false, ":status", "103"); head(f, true, ":status", "503", "via", "x") })
	record(func(f *http2.Framer) { f.WriteGoAway(0, http2.ErrCodeInternal, []byte("x")) })
	record(func(f *http2.Framer) { f.WritePing(false, [8]byte{}); f.WriteRSTStream(1, http2.ErrCodeCancel) })
	record(func(f *http2.Framer) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200")})
		f.WriteContinuation(1, true, block("via", "y"))
	})
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	c, err := newHTTPCheck(New(nil), checker.HTTP{Version: checker.HTTP2, Body: "well", Answer: []checker.Header{{Name: "via", Value: "x"}}})
	if err != nil {
		f.Fatal(err)
	}
	target := at(netip.MustParseAddrPort("192.0.2.1:80"), c.HTTP, time.Second)
	f.Fuzz(func(t *testing.T, answer []byte) {
		var sent bytes.Buffer
		s, err := askHTTP2(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(answer), &sent}, http2Fields("GET", "http", "a.example", "/", nil), nil, reading{keep: c.keep()})
		if err == nil {
			_, err = c.judge(target, []step{{"GET", "/"}}, &s.httpAnswer)
		}
		r := verdict(t.Context(), target, err)
		if r.Outcome == checker.NotRun || r.Outcome == checker.Passed && !bytes.Contains(answer, []byte("well")) {
			t.Fatalf("%q: %v %s", answer, r.Outcome, r.Detail)
		}
		if len(r.Detail) > detailLimit+10 || strings.ContainsAny(r.Detail, "\r\n") {
			t.Fatalf("%q: a detail that is no short line: %q", answer, r.Detail)
		}
		if sent.Len() > 16<<10 {
			t.Fatalf("%q is answered by %d bytes", answer, sent.Len())
		}
	})
}
