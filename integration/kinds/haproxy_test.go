package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	start := func(bind string) func(*site) *exec.Cmd {
		return func(at *site) *exec.Cmd {
			at.certificate()
			at.must(exec.Command("sh", "-c", "cat "+at.path("certificate.pem")+" "+at.path("key.pem")+" > "+at.path("both.pem")))
			at.write("page", "all is well")
			at.write("config", `global
  log stderr format raw local0 info
defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
  log global
  option httplog
  option dontlog-normal
frontend f
  bind `+bind+`
  http-request return status 503 if { path /down }
  http-request return status 200 content-type text/plain file $DIR/page
`)
			return at.command("haproxy", "-db", "-f", "$DIR/config")
		}
	}
	const hung = "timeout after 500ms while reading the response header"
	// A line of httplog about a client that went away: the first letters of its state.
	const complaint = ` C[RQCHDLT]-- `
	register(server{
		name: "haproxy, by h2c", port: 80, start: start("$ADDR:80 proto h2"),
		passes: func(*site) checker.Options { return page(version2) },
		rows: func(*site) []row {
			return []row{{"a service that is down", page(version2, on("/down")), checker.Failed, "status 503, want 200-299"}}
		},
		hung: hung, complaint: complaint,
	})
	for bind, version := range map[string]checker.ProxyProtocol{"v1": checker.ProxyV1, "v2": checker.ProxyV2} {
		register(server{
			name: "haproxy, by the PROXY protocol " + bind, port: 80, start: start("$ADDR:80 accept-proxy"),
			passes: func(*site) checker.Options { return page() },
			via:    checker.Via{Proxy: version},
			hung:   hung,
		})
	}
	secure := func(at *site, changes ...func(*checker.HTTP)) checker.HTTP {
		return page(append([]func(*checker.HTTP){func(h *checker.HTTP) {
			h.Secure, h.Version, h.Host, h.CA = true, checker.HTTP2, "server.example", at.path("certificate.pem")
		}}, changes...)...)
	}
	register(server{
		name: "haproxy, by HTTP/2 over TLS", port: 443, start: start("$ADDR:443 ssl crt $DIR/both.pem alpn h2"),
		passes: func(at *site) checker.Options { return secure(at) },
		rows: func(at *site) []row {
			return []row{{"HTTP/1.1, which it falls back to", secure(at, func(h *checker.HTTP) { h.Version = "" }), checker.Passed, ""}}
		},
		hung: "timeout after 500ms while negotiating TLS",
	})
}
