package probe

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker"
)

// replies returns a server that reads a line and then sends a text, and closes.
func replies(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		bufio.NewReader(c).ReadString('\n')
		io.WriteString(c, text)
		c.Close()
	}
}

// holds is replies, but the server does not close.
func holds(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		bufio.NewReader(c).ReadString('\n')
		io.WriteString(c, text)
	}
}

// greets returns a server that sends a text at once, and reads what comes.
func greets(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		io.WriteString(c, text)
		io.Copy(io.Discard, c)
		c.Close()
	}
}

// trickles returns a server that sends one byte of a text every few milliseconds.
func trickles(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		c.SetNoDelay(true)
		for i := 0; ; i++ {
			if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			time.Sleep(3 * time.Millisecond)
		}
	}
}

// floods returns a server that sends a text for ever.
func floods(text string) func(*net.TCPConn) {
	all := bytes.Repeat([]byte(text), 1000)
	return func(c *net.TCPConn) {
		for {
			if _, err := c.Write(all); err != nil {
				return
			}
		}
	}
}

// saying asks for a text.
func saying(text string) checker.TCP {
	return checker.TCP{Send: []byte("PING\r\n"), Expect: checker.Expect{Text: []byte(text)}}
}

// matching asks for what an expression matches, and another does not.
func matching(pattern, not string) checker.TCP {
	return checker.TCP{Send: []byte("PING\r\n"), Expect: checker.Expect{Pattern: pattern, Not: not}}
}

func TestTCPConversations(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	silent := func(*net.TCPConn) {}
	resets := func(c *net.TCPConn) {
		bufio.NewReader(c).ReadString('\n')
		c.SetLinger(0)
		c.Close()
	}
	tests := []struct {
		name    string
		serve   func(*net.TCPConn)
		spec    checker.TCP
		timeout time.Duration
		outcome checker.Outcome
		detail  string
	}{
		{"the handshake is all that is asked", silent, checker.TCP{Connected: true}, patience, checker.Passed, ""},
		{"nothing is expected in return", silent, checker.TCP{Send: []byte("hello\n")}, patience, checker.Passed, ""},
		{"the text comes, and the server closes", replies("+PONG\r\n"), saying("+PONG"), patience, checker.Passed, ""},
		{"the text comes, and nothing else", holds("+PONG"), saying("+PONG"), patience, checker.Passed, ""},
		{"the text comes after others", holds("*1\r\n+PONG\r\n"), saying("+PONG"), patience, checker.Passed, ""},
		{"the text comes a byte at a time", trickles("+PONG\r\n"), saying("+PONG"), patience, checker.Passed, ""},
		{"bytes that are no text", holds("\x00\xff\x01"), saying("\xff\x01"), patience, checker.Passed, ""},
		{"the server speaks first", greets("220 mail.example ESMTP\r\n"), checker.TCP{Expect: checker.Expect{Pattern: "^220[ -]"}, Quit: []byte("QUIT\r\n")}, patience, checker.Passed, ""},
		{"the server speaks before it is asked", greets("+PONG\r\n"), saying("+PONG"), patience, checker.Passed, ""},
		{"an expression, and nothing follows", holds("+PONG"), matching(`^\+PO`, ""), patience, checker.Passed, ""},
		{"an expression for the end of a line", holds("+PONG\r\n"), matching(`(?m)PONG\r$`, ""), patience, checker.Passed, ""},
		{"an expression for the end, and the server closes", replies("OK"), matching("^OK$", ""), patience, checker.Passed, ""},
		{"an expression for the end, and more may come", holds("OK"), matching("^OK$", ""), brief, checker.Failed, `timeout after 300ms while waiting for the rest of an answer that begins with "OK"`},
		{"an expression for the end of a word, and more may come", holds("OK"), matching(`\bOK\b`, ""), brief, checker.Failed, "timeout"},
		{"what must not come does not", holds("+PONG\r\n"), matching("", "^-"), patience, checker.Passed, ""},
		{"what must not come does not, and the server closes without a line", replies("+PONG"), matching("", "^-"), patience, checker.Passed, ""},
		{"what must not come does", holds("-LOADING data\r\n"), matching("", "^-"), patience, checker.Failed, `the answer has what must not come; it begins with "-LOADING data\r\n"`},
		{"what must not come does, before what must", holds("-ERR\r\n+PONG\r\n"), matching(`PONG`, "ERR"), patience, checker.Failed, "the answer has what must not come"},

		{"another text", replies("-NOAUTH\r\n"), saying("+PONG"), patience, checker.Failed, `the answer does not match "+PONG"; it begins with "-NOAUTH\r\n"`},
		{"another text, and the server waits", holds("-NOAUTH\r\n"), saying("+PONG"), brief, checker.Failed, `timeout after 300ms while waiting for the rest of an answer that begins with "-NOAUTH\r\n"`},
		{"silence", silent, saying("+PONG"), brief, checker.Failed, "timeout after 300ms while waiting for the answer"},
		{"silence where only something must not come", silent, matching("", "x"), brief, checker.Failed, "timeout after 300ms while waiting for the answer"},
		{"the server closes without a word", replies(""), saying("+PONG"), patience, checker.Failed, "the server closed the connection without an answer"},
		{"the server closes without a word where only something must not come", replies(""), matching("", "x"), patience, checker.Failed, "without an answer"},
		{"the server resets the connection", resets, saying("+PONG"), patience, checker.Failed, "connection reset by peer while waiting for the answer"},
		{"the server sends single bytes for ever", trickles("x"), saying("+PONG"), patience, checker.Failed, `the answer came in more than 256 pieces, and it does not match "+PONG"; it begins with "xxx`},
		{"the server sends for ever", floods("x"), saying("+PONG"), patience, checker.Failed, `does not match "+PONG"; it begins with "xxx`},
		{"the server sends zeros for ever", floods("\x00"), matching("PONG", ""), patience, checker.Failed, `it begins with "\x00`},
		{"plain text where TLS is expected", greets("220 mail.example ESMTP\r\n"), checker.TCP{TLS: &checker.TLS{Insecure: true}}, patience, checker.Failed, "the server does not speak TLS"},
		{"silence where TLS is expected", silent, checker.TCP{TLS: &checker.TLS{Insecure: true}}, brief, checker.Failed, "timeout after 300ms while negotiating TLS"},
	}
	p := newProber(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			expect(t, probeOnce(t, p, at(serve(t, tt.serve), tt.spec, tt.timeout)), tt.outcome, tt.detail)
			if took := time.Since(began); took > tt.timeout+5*time.Second {
				t.Errorf("it took %v, and its timeout is %v", took, tt.timeout)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		expect(t, probeOnce(t, p, at(closedPort(t), saying("x"), patience)), checker.Failed, "connection refused")
	})
}

func TestTCPByTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	addr := serve(t, func(c *net.TCPConn) {
		secure := tls.Server(c, a.config(t, -1, 1, "a.example"))
		if line, err := bufio.NewReader(secure).ReadString('\n'); err == nil {
			io.WriteString(secure, "you said "+line)
		}
		secure.Close()
	})
	spec := func(name, want string) checker.TCP {
		return checker.TCP{TLS: &checker.TLS{CA: a.file, ServerName: name}, Send: []byte("hello\n"), Expect: checker.Expect{Text: []byte(want)}}
	}
	p := newProber(t)
	expect(t, probeOnce(t, p, at(addr, spec("a.example", "you said hello"), patience)), checker.Passed, "")
	expect(t, probeOnce(t, p, at(addr, spec("a.example", "goodbye"), patience)), checker.Failed, `does not match "goodbye"; it begins with "you said hello\n"`)
	expect(t, probeOnce(t, p, at(addr, spec("b.example", "hello"), patience)), checker.Failed, "the certificate is for a.example, not for b.example")
}

// A conversation ends in order: the server reads what is said at last, and then the
// end of the connection, not a reset.
func TestTCPPartsInOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, says, want string
		spec             checker.TCP
		outcome          checker.Outcome
	}{
		{"nothing is said", "", "", checker.TCP{Connected: true}, checker.Passed},
		{"nothing is said, and the server greets", "220 hello\r\n", "", checker.TCP{Connected: true}, checker.Passed},
		{"the server says QUIT's answer", "220 hello\r\n", "QUIT\r\n", checker.TCP{Expect: checker.Expect{Pattern: "^220"}, Quit: []byte("QUIT\r\n")}, checker.Passed},
		{"the answer is wrong", "421 busy\r\n", "QUIT\r\n", checker.TCP{Expect: checker.Expect{Not: "^4"}, Quit: []byte("QUIT\r\n")}, checker.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type end struct {
				read string
				err  error
			}
			ends := make(chan end, 1)
			addr := serve(t, func(c *net.TCPConn) {
				io.WriteString(c, tt.says)
				text, err := io.ReadAll(c)
				ends <- end{string(text), err}
				c.Close()
			})
			r := probeOnce(t, newProber(t), at(addr, tt.spec, patience))
			if got := <-ends; r.Outcome != tt.outcome || got.read != tt.want || got.err != nil {
				t.Errorf("%v %s; the server read %q and %v, want %q and the end", r.Outcome, r.Detail, got.read, got.err, tt.want)
			}
		})
	}
}

// However much a server says, a probe reads a bounded part.
func TestTCPAnswersAreBounded(t *testing.T) {
	addr := serve(t, floods("x"))
	p := newProber(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		expect(t, probeOnce(t, p, at(addr, matching("y$", ""), patience)), checker.Failed, `does not match "y$"`)
	}
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) / 20; grown > 512<<10 {
		t.Errorf("a probe takes %d bytes", grown)
	}
}

// What is met does not depend on how an answer is cut into pieces.
func FuzzExpectation(f *testing.F) {
	f.Add([]byte("+PONG\r\n"), []byte("PONG"), "", "^-", uint8(3))
	f.Add([]byte("OK"), []byte(nil), "^OK$", "", uint8(1))
	f.Add([]byte("\xff\x00\nx"), []byte(nil), `\bx|\x{fffd}`, "y$", uint8(2))
	f.Fuzz(func(t *testing.T, answer, text []byte, pattern, not string, piece uint8) {
		e, err := compileExpect(checker.Expect{Text: text, Pattern: pattern, Not: not})
		if err != nil || len(answer) > 1000 || e.want == nil && e.not == nil {
			return
		}
		whole, _ := e.met(answer, true)
		for n := int(piece); n < len(answer) && piece > 0; n += int(piece) {
			switch done, err := e.met(answer[:n], false); {
			case err != nil && whole && e.not == nil:
				t.Fatalf("%q fails after %d bytes, and not as a whole: %v", answer, n, err)
			case done && !whole && e.want != nil && e.not == nil:
				t.Fatalf("%q passes after %d bytes, and not as a whole", answer, n)
			}
		}
	})
}

// startServer runs a server of Debian's in the foreground until the end of the test, and
// returns when it listens. What it says is logged if the test fails.
func startServer(t *testing.T, addr netip.AddrPort, command ...string) *os.Process {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skip("needs " + command[0])
	}
	server := exec.Command(command[0], command[1:]...)
	path := filepath.Join(t.TempDir(), "told")
	log, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr, server.Stdout = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		if text, _ := os.ReadFile(path); t.Failed() {
			t.Logf("%s: %s", command[0], text)
		}
	})
	for range 500 {
		c, err := dial(t.Context(), addr, true)
		if err == nil {
			c.Close()
			return server.Process
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not listen on %v", command[0], addr)
	return nil
}

// whileStopped calls f while a process is stopped, as one that hangs.
func whileStopped(t *testing.T, p *os.Process, f func()) {
	t.Helper()
	if err := p.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer p.Signal(unix.SIGCONT)
	// A thread that still runs may answer.
	if err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	f()
}
