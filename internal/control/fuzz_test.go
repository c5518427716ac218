package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lvsd/lvsd/internal/api"
)

// Whatever is asked, on the socket or by HTTP, the answer is one of those that the
// manual knows, and short unless it is a success.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET /v1/status HTTP/1.1\r\nHost: lvsd\r\n\r\n"))
	f.Add([]byte("POST /v1/reload HTTP/1.1\r\nHost: lvsd\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9112\r\nAccept-Encoding: gzip\r\n\r\n"))
	f.Add([]byte("OPTIONS * HTTP/1.1\r\nHost: [::1%25eth0]:9112\r\n\r\n"))
	f.Add([]byte("GET //../healthz?%zz HTTP/1.0\r\n\r\n"))
	handlers := []http.Handler{newSocketHandler(working()), newHTTPHandler(working())}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, h := range handlers {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
			if err != nil {
				return
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch w.Code {
			case 200, 301, 307, 308, 400, 404, 405, 421:
			default:
				t.Errorf("%q is answered %d", text, w.Code)
			}
			if w.Code != 200 && w.Body.Len() > 1<<10+len(text) {
				t.Errorf("%q is answered %d with %d bytes", text, w.Code, w.Body.Len())
			}
		}
	})
}

// Whatever answers on the socket, the client says what it is in printable text.
func FuzzAnswer(f *testing.F) {
	f.Add(200, false, []byte(`{"schema_version":1,"routers":[{"name":"a","addresses":["10.13.0.200/24"]}]}`))
	f.Add(503, true, []byte(`{"error":"too many\u001b[2J"}`))
	f.Add(503, false, []byte(`null`))
	f.Fuzz(func(t *testing.T, code int, retry bool, body []byte) {
		c := Dial("/run/lvsd/lvsd.sock")
		_ = c.decode(body, new(api.Status))
		_ = c.decode(body, new(api.Reloaded))
		err := c.refused(code, retry, body)
		if text := err.Error(); !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\r\n") {
			t.Errorf("%q is not printable", text)
		}
		if errors.Is(err, ErrBusy) != retry {
			t.Errorf("busy: %v, want %v", !retry, retry)
		}
		if !json.Valid(body) && c.decode(body, new(api.Status)) == nil {
			t.Error("what is no JSON is an answer")
		}
	})
}
