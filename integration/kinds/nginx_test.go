package kinds

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

// nginx returns the command of an nginx with a server block's text.
func nginx(at *site, server string) *exec.Cmd {
	at.write("root/page", "all is well")
	at.write("config", `daemon off; master_process off; pid $DIR/pid; error_log stderr info;
events {}
http {
  access_log off; client_body_temp_path $DIR/b; proxy_temp_path $DIR/p; fastcgi_temp_path $DIR/f; uwsgi_temp_path $DIR/u; scgi_temp_path $DIR/s;
  server {
    root $DIR/root;
    location /old { return 302 /page; }
    location /round { return 307 /round; }
    location /away { return 301 https://www.example.org/; }
    `+server+`
  }
}
`)
	return at.command("nginx", "-c", "$DIR/config", "-e", "stderr")
}

// nginxComplaint is each line of its log that is no notice.
const nginxComplaint = `\[(debug|info|warn|error|crit|alert|emerg)\]`

// page is a check of the page that these servers have, with changes.
func page(changes ...func(*checker.HTTP)) checker.HTTP {
	h := checker.HTTP{Path: "/page", Text: []byte("well"), Digest: checker.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("all is well"))))}
	for _, change := range changes {
		change(&h)
	}
	return h
}

// on gives a check another path.
func on(path string) func(*checker.HTTP) { return func(h *checker.HTTP) { h.Path = path } }

// version2 makes it one by HTTP/2.
func version2(h *checker.HTTP) { h.Version = checker.HTTP2 }

func init() {
	follow := func(h *checker.HTTP) { h.Redirects = 3 }
	redirects := func(changes ...func(*checker.HTTP)) []row {
		with := func(more ...func(*checker.HTTP)) checker.HTTP { return page(append(changes, more...)...) }
		return []row{
			{"another page", with(func(h *checker.HTTP) { h.Text, h.Digest = nil, "md5:d41d8cd98f00b204e9800998ecf8427e" }), checker.Failed, "the body (11 bytes) has the digest"},
			{"what must not come", with(func(h *checker.HTTP) { h.Not = "(?i)WELL" }), checker.Failed, "what must not come"},
			{"a header of the answer", with(func(h *checker.HTTP) { h.Answer = []checker.Header{{Name: "Server", Value: "^nginx"}} }), checker.Passed, ""},
			{"a page that has moved", with(on("/old")), checker.Failed, "status 302, want 200-299"},
			{"a page that has moved, which is followed", with(on("/old"), follow), checker.Passed, ""},
			{"a page that has moved to itself", with(on("/round"), follow), checker.Failed, `a redirect loop: status 307 leads from "/round" back to "/round"`},
			{"a page that has moved to another server", with(on("/away"), follow), checker.Failed, "which is not this server"},
			{"a page that is missing", with(on("/missing")), checker.Failed, "status 404, want 200-299"},
		}
	}
	register(server{
		name: "nginx", chosen: true, port: 80,
		start:  func(at *site) *exec.Cmd { return nginx(at, "listen $ADDR:80;") },
		passes: func(*site) checker.Options { return page() },
		rows: func(*site) []row {
			return append(redirects(), row{"HTTP/2, which it is not told to speak", page(version2), checker.Failed, "not HTTP/2: it begins with"})
		},
		hung: "timeout after 500ms while reading the response header",
	})
	register(server{
		name: "nginx, by h2c", port: 80,
		start:     func(at *site) *exec.Cmd { return nginx(at, "listen $ADDR:80 http2; location /post { return 204; }") },
		passes:    func(*site) checker.Options { return page(version2) },
		rows:      func(*site) []row { return redirects(version2)[:7] },
		hung:      "timeout after 500ms while reading the response header",
		complaint: nginxComplaint,
	})
	secure := func(at *site, changes ...func(*checker.HTTP)) checker.HTTP {
		return page(append([]func(*checker.HTTP){version2, func(h *checker.HTTP) {
			h.Secure, h.Host, h.CA = true, "server.example", at.path("certificate.pem")
		}}, changes...)...)
	}
	register(server{
		name: "nginx, by HTTP/2 over TLS, with certificates of clients", port: 443,
		start: func(at *site) *exec.Cmd {
			at.certificate()
			return nginx(at, `listen $ADDR:443 ssl http2; ssl_certificate $DIR/certificate.pem; ssl_certificate_key $DIR/key.pem;
    ssl_client_certificate $DIR/certificate.pem; ssl_verify_client optional;
    location /members { if ($ssl_client_verify != SUCCESS) { return 403; } return 200 "all is well"; }`)
		},
		passes: func(at *site) checker.Options { return secure(at) },
		rows: func(at *site) []row {
			text, err := os.ReadFile(at.path("key.pem"))
			if err != nil {
				at.t.Fatal(err)
			}
			key := at.secret("client.key", string(text))
			member := func(h *checker.HTTP) {
				h.Client = checker.Client{Certificate: at.path("certificate.pem"), Key: key}
			}
			return append(redirects(func(h *checker.HTTP) { *h = secure(at) })[:7],
				row{"HTTP/1.1", secure(at, func(h *checker.HTTP) { h.Version = "" }), checker.Passed, ""},
				row{"a page of members, by a stranger", secure(at, on("/members")), checker.Failed, "status 403"},
				row{"a page of members, by one", secure(at, on("/members"), member), checker.Passed, ""},
				row{"another name", secure(at, func(h *checker.HTTP) { h.Host = "other.example" }), checker.Failed, "not for other.example"},
				row{"gRPC", checker.GRPC{Host: "server.example", TLS: &checker.TLS{CA: at.path("certificate.pem")}}, checker.Failed, "status 404, want 200: is gRPC spoken here?"},
			)
		},
		hung: "timeout after 500ms while negotiating TLS",
	})
}
