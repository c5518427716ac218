package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// "Why is this server out?" It is asked now, and all that is seen is printed.
func TestCheckExplainsWhatItSees(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "out \x1b[31mof order")
		}
	}))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	port := func(url string) string { return url[strings.LastIndex(url, ":")+1:] }
	config := func(checks string) string {
		return file(t, "virtual_service \"web\" {\n address = \"10.13.0.200\"\n port = 80\n forward = \"direct\"\n"+checks+
			"\n real_server \"a\" { address = \"127.0.0.1\" }\n real_server \"b\" { address = \"127.0.0.2\" }\n}\n")
	}
	good := config(`check "http" { ` + "\nport = " + port(plain.URL) + "\npath = \"/health\"\ntimeout = \"20s\"\n }")
	bad := config(`check "http" { ` + "\nport = " + port(plain.URL) + "\npath = \"/\"\ntimeout = \"20s\"\n }")
	tls := config(`check "https" { ` + "\nport = " + port(secure.URL) + "\ntimeout = \"20s\"\n }")
	either := config("check \"any\" {\ncheck \"http\" {\nport = " + port(plain.URL) + "\npath = \"/\"\ntimeout = \"20s\"\n}\ncheck \"tcp\" {\nport = " + port(plain.URL) + "\ntimeout = \"20s\"\n}\n}")
	for _, tt := range []struct {
		name      string
		arguments []string
		exit      int
		out, errs []string
	}{
		{"a server that is well", []string{"web", "a", "--config", good}, 0,
			[]string{"web, a (127.0.0.1:80): check http at 127.0.0.1:" + port(plain.URL) + " within 20s\n", `wants  {"method":"GET","path":"/health"`,
				"  connected to 127.0.0.1:", " (an address of lo)\n", "  sent ", `received `, `"HTTP/1.1 200 OK\r\n`, "  passed\n"}, nil},
		{"one that answers another status", []string{"web", "127.0.0.1", "--config", bad}, 1,
			[]string{`"HTTP/1.1 503 Service Unavailable\r\n`, `out \x1b[31mof order`, "failed: status 503, want 200-299 (status)\n"}, nil},
		{"one whose certificate nobody knows", []string{"web", "a", "--config", tls}, 1,
			[]string{"  certificate for example.com, ", "failed: the certificate is signed by an unknown authority", "(tls)\n"}, nil},
		{"all servers, of which one does not listen", []string{"web", "--config", good}, 1,
			[]string{"passed\n", "web, b (127.0.0.2:80)", "failed: connection refused (refused)\n", "1 of 2 checks did not pass\n"}, nil},
		{"one of two checks, which is enough", []string{"web", "a", "--config", either}, 0,
			[]string{"check http (any) at 127.0.0.1:", "failed: status 503", "check tcp (any) at", "passed\n", "1 of 2 checks did not pass, and those that did are enough\n"}, nil},
		{"and another server, where that one fails too", []string{"web", "--config", either}, 1, []string{"3 of 4 checks did not pass\n"}, nil},
		{"no such service", []string{"shop", "--config", good}, 1, nil, []string{`there is no virtual service "shop": write one of web`}},
		{"no such server", []string{"web", "c", "--config", good}, 1, nil, []string{`has no real server "c": lvsd status web lists them`}},
		{"a configuration with a mistake", []string{"web", "--config", file(t, broken)}, 1, nil, []string{`Did you mean "wrr"?`, "is not valid"}},
		{"nothing", nil, 2, nil, []string{"give the name of a virtual service"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, exit := command(t, append([]string{"check"}, tt.arguments...)...)
			for _, want := range tt.out {
				if !strings.Contains(out, want) {
					t.Errorf("it does not print %q:\n%s", want, out)
				}
			}
			for _, want := range tt.errs {
				if !strings.Contains(errs, want) {
					t.Errorf("it does not say %q:\n%s", want, errs)
				}
			}
			if exit != tt.exit {
				t.Errorf("exit status %d, want %d:\n%s%s", exit, tt.exit, out, errs)
			}
		})
	}
	out, _, exit := command(t, "check", "web", "a", "-o", "json", "--config", bad)
	var answer api.Checked
	if err := json.Unmarshal([]byte(out), &answer); err != nil || exit != 1 {
		t.Fatalf("exit status %d, %v: %s", exit, err, out)
	}
	if c := answer.Checks[0]; answer.Passed || c.Last.Reason != "status" || len(c.Steps) < 4 || c.Steps[1].Step != "connected" {
		t.Errorf("%+v", answer)
	}
}
