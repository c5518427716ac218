package kinds

import (
	"io"
	"net"
	"net/http"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	through := func(at *site, path string) checker.HTTP {
		return page(on(path), func(h *checker.HTTP) { h.Proxy, h.Host = true, at.addr.String()+":8080" })
	}
	register(server{
		name: "squid, as a proxy", port: 3128,
		start: func(at *site) *exec.Cmd {
			// What the proxy is asked for.
			l, err := net.Listen("tcp", at.addr.String()+":8080")
			if err != nil {
				at.t.Fatal(err)
			}
			origin := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "all is well") })}
			go origin.Serve(l)
			at.t.Cleanup(func() { origin.Close() })
			at.write("config", `http_port $ADDR:3128
acl forbidden urlpath_regex ^/forbidden
http_access deny forbidden
http_access allow all
cache deny all
access_log none
cache_log stdio:/dev/stderr
pid_filename none
coredump_dir $DIR
visible_hostname localhost
pinger_enable off
shutdown_lifetime 0 seconds
`)
			return at.as("proxy", at.command("squid", "-N", "-f", "$DIR/config"))
		},
		passes: func(at *site) checker.Options { return through(at, "/page") },
		rows: func(at *site) []row {
			gone := through(at, "/page")
			gone.Host = at.addr.String() + ":8081"
			direct := through(at, "/page")
			direct.Proxy = false
			return []row{
				{"a page that it does not let pass", through(at, "/forbidden"), checker.Failed, "status 403, want 200-299"},
				{"a server that is not there", gone, checker.Failed, "status 503, want 200-299"},
				{"a page of its own", direct, checker.Failed, "status 400, want 200-299"},
			}
		},
		hung: "timeout after 500ms while reading the response header",
	})
}
