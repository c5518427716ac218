package probe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// A connection begins with the header, below TLS and before what any kind of check says.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for _, tt := range []struct {
		name    string
		version checker.ProxyProtocol
		asks    checker.Options
		want    string // the connection's first bytes
	}{
		{"version 1", checker.ProxyV1, checker.HTTP{}, "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n"},
		{"version 2", checker.ProxyV2, checker.HTTP{}, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00GET / HTTP/1.1\r\n"},
		{"by TLS", checker.ProxyV1, ca.spec(), "PROXY UNKNOWN\r\n\x16\x03\x01"},
		{"of a connection without a word", checker.ProxyV1, checker.TCP{Connected: true}, "PROXY UNKNOWN\r\n"},
		{"of a conversation", checker.ProxyV1, checker.TCP{Send: []byte("PING")}, "PROXY UNKNOWN\r\nPING"},
		{"of a login to a database", checker.ProxyV2, checker.Redis{}, "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00*1\r\n"},
		{"before a server that speaks first", checker.ProxyV1, checker.SMTP{}, "PROXY UNKNOWN\r\n"},
		{"none", 0, checker.HTTP{}, "GET / HTTP/1.1\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			heard := make(chan string, 1)
			addr := serve(t, func(c *net.TCPConn) {
				begin := make([]byte, len(tt.want))
				n, _ := io.ReadFull(c, begin)
				heard <- string(begin[:n])
				if _, waits := tt.asks.(checker.HTTP); waits {
					http.ReadRequest(bufio.NewReader(c))
				}
				c.Close()
			})
			target := at(addr, tt.asks, patience)
			target.Spec = target.Spec.By(checker.Via{Proxy: tt.version})
			probeOnce(t, newProber(t), target)
			if got := <-heard; got != tt.want {
				t.Errorf("the connection began with %q, want %q", got, tt.want)
			}
		})
	}
	if err := (checker.Via{Proxy: 3}).Validate(); err == nil {
		t.Error("there is a version 3")
	}
}
