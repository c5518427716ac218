package probe

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

func TestFTP(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ann := checker.FTP{Login: passwordAt(t, "ann", "secret")}
	secure := ann
	secure.Channel = begin(a)
	sized := checker.FTP{Login: checker.Login{User: "anonymous"}, File: "pub/a b"}
	anonymous := []string{"> 220 files", "< USER anonymous", "> 331 who?", "< PASS lvsd@", "> 230-hello\r\nno code\r\n 230 not yet\r\n230 in", "< TYPE I", "> 200 binary"}
	then := func(more ...string) []string { return append(anonymous[:len(anonymous):len(anonymous)], more...) }
	read := sized
	read.Expect.Text = []byte("x")
	play(t, a.config(t, -1, 1, "a.example"), []conversation{
		{"a greeting", checker.FTP{}, []string{"> 220 files"}, "QUIT", checker.Passed, "", 0},
		{"a server that is closed", checker.FTP{}, []string{"> 421 too many"}, "QUIT", checker.Failed, `"421 too many" came while waiting for the greeting, want 220`, checker.WrongStatus},
		{"a login", ann, []string{"> 220-files\r\n of all kinds\r\n220 welcome", "< USER ann", "> 331 password", "< PASS secret", "> 230 in"}, "QUIT", checker.Passed, "", 0},
		{"a login without a password", ann, []string{"> 220", "< USER ann", "> 230 in"}, "QUIT", checker.Passed, "", 0},
		{"a wrong password, which is repeated", ann, []string{"> 220", "< USER ann", "> 331", "< PASS secret", "> 530 not secret"}, "QUIT", checker.Failed, `does not let user "ann" in: "530 not [hidden]"`, checker.LoginRefused},
		{"a user who is not let in", ann, []string{"> 220", "< USER ann", "> 530 no"}, "QUIT", checker.Failed, `"530 no"`, checker.LoginRefused},
		{"AUTH TLS", secure, []string{"> 220", "< AUTH TLS", "> 234 go", "tls", "< USER ann", "> 331", "< PASS secret", "> 230"}, "QUIT", checker.Passed, "", 0},
		{"AUTH TLS stripped", secure, []string{"> 220", "< AUTH TLS", "> 500 what?"}, "QUIT", checker.Failed, "the server does not offer STARTTLS", checker.NoTLS},
		{"a file", sized, then("< SIZE pub/a b", "> 213 7"), "QUIT", checker.Passed, "", 0},
		{"no file", sized, then("< SIZE pub/a b", "> 550 no such file"), "QUIT", checker.Failed, `"550 no such file" came while waiting for the answer to SIZE, want 213`, checker.WrongStatus},
		{"no passive mode", read, then("< EPSV", "> 500 what?", "< PASV", "> 502 no"), "QUIT", checker.Failed, `"502 no" came while waiting for the answer to PASV, want 227`, checker.WrongStatus},
		{"no port", read, then("< EPSV", "> 229 (|||0|)"), "QUIT", checker.Failed, "and there is no port in it", checker.WrongAnswer},
		{"nobody at the port", read, then("< EPSV", "> 229 (|||1|)"), "QUIT", checker.Failed, "connection refused while connecting to port 1 for the file", checker.WrongAnswer},
	})
}

// A fileServer lets anybody in, and has one file, which it sends by serve. It tells how
// its part ended.
func fileServer(t *testing.T, extended bool, told string, serve func(io.Writer)) (func(*net.TCPConn), chan string) {
	ends := make(chan string, 1)
	return func(c *net.TCPConn) {
		defer c.Close()
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		s := &scripted{ends: ends, lines: []string{"> 220", "< USER ftp", "> 230 in", "< TYPE I", "> 200", "< EPSV"}}
		if extended {
			s.lines = append(s.lines, fmt.Sprintf("> 229 here (|||%d|)", port))
		} else {
			s.lines = append(s.lines, "> 500 what?", "< PASV", fmt.Sprintf(told, port>>8, port&255))
		}
		s.lines = append(s.lines, "< RETR x", "> 150 look", "do")
		s.do = func() {
			if data, err := l.Accept(); err == nil {
				serve(data)
				data.Close()
				io.WriteString(c, "226 done\r\n")
			}
		}
		s.serve(c)
	}, ends
}

func TestFTPReadsAFile(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	const elsewhere = "> 227 Entering Passive Mode (192,0,2,1,%d,%d)."
	text := func(s string) func(io.Writer) { return func(w io.Writer) { io.WriteString(w, s) } }
	for _, tt := range []struct {
		name     string
		extended bool
		serve    func(io.Writer)
		expect   checker.Expect
		outcome  checker.Outcome
		detail   string
	}{
		{"by EPSV", true, text("all is well\n"), checker.Expect{Text: []byte("well")}, checker.Passed, ""},
		{"by PASV, which tells another address", false, text("all is well\n"), checker.Expect{Pattern: `well\n$`}, checker.Passed, ""},
		{"with something else in it", true, text("nothing is\n"), checker.Expect{Text: []byte("well")}, checker.Failed, `does not match "well"; it begins with "nothing is\n"`},
		{"with what must not be in it", true, text("all is lost\n"), checker.Expect{Text: []byte("all"), Not: "lost"}, checker.Failed, "what must not come"},
		{"without anything in it", true, text(""), checker.Expect{Text: []byte("well")}, checker.Failed, `is empty, want "well"`},
		{"longer than what is looked at", true, text("well" + strings.Repeat("x", 500_000)), checker.Expect{Text: []byte("well")}, checker.Passed, ""},
		{"with the text behind what is looked at", true, text(strings.Repeat("x", 20_000) + "well"), checker.Expect{Text: []byte("well")}, checker.Failed, `does not match "well"`},
		{"without end", true, func(w io.Writer) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, strings.Repeat("x", 1000))
			}
		}, checker.Expect{Text: []byte("x")}, checker.Failed, "the file has more than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files, ends := fileServer(t, tt.extended, elsewhere, tt.serve)
			expect(t, probeOnce(t, p, at(serve(t, files), checker.FTP{Login: checker.Login{User: "ftp"}, File: "x", Expect: tt.expect}, patience)), tt.outcome, tt.detail)
			if end := <-ends; end != "QUIT" {
				t.Errorf("in the end, the server was told %q", end)
			}
		})
	}
	t.Run("a byte at a time", func(t *testing.T) {
		t.Parallel()
		slow, _ := fileServer(t, true, "", func(w io.Writer) {
			for range 500 {
				io.WriteString(w, "x")
				time.Sleep(3 * time.Millisecond)
			}
		})
		expect(t, probeOnce(t, p, at(serve(t, slow), checker.FTP{Login: checker.Login{User: "ftp"}, File: "x", Expect: checker.Expect{Text: []byte("y")}}, 300*time.Millisecond)), checker.Failed, "timeout after 300ms while reading the file")
	})
}

func TestPortsOfPassiveMode(t *testing.T) {
	for _, tt := range []struct {
		answer   string
		extended bool
		want     uint16
	}{
		{"229 Entering Extended Passive Mode (|||6446|)", true, 6446},
		{"229 (!!!6446!)", true, 6446},
		{"229 (|||65536|)", true, 0},
		{"229 (|||0|)", true, 0},
		{"229 (|||-1|)", true, 0},
		{"229 (|||7|", true, 0},
		{"229 (|1|192.0.2.1|7|)", true, 0},
		{"229 |||7|", true, 0},
		{"227 Entering Passive Mode (192,0,2,1,4,1).", false, 1025},
		{"227 =192,0,2,1,4,1", false, 1025},
		{"227 (192,0,2,1,256,1)", false, 0},
		{"227 (192,0,2,1,0,0)", false, 0},
		{"227 (192,0,2,1,4)", false, 0},
		{"227 ok", false, 0},
	} {
		parse := passivePort
		if tt.extended {
			parse = extendedPort
		}
		if got, ok := parse(tt.answer); ok != (tt.want > 0) || ok && got != tt.want {
			t.Errorf("%s: %d %v, want %d", tt.answer, got, ok, tt.want)
		}
	}
}

func FuzzPassivePorts(f *testing.F) {
	f.Add("229 (|||6446|)")
	f.Add("227 (192,0,2,1,4,1)")
	f.Fuzz(func(t *testing.T, answer string) {
		for _, parse := range []func(string) (uint16, bool){extendedPort, passivePort} {
			if port, ok := parse(answer); ok && port == 0 {
				t.Fatal("port 0")
			}
		}
	})
}
