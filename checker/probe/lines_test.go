package probe

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// A scripted server follows a script: "> text" is what it says, "< text" a line that
// it must be told, "tls" where TLS begins. Then it reads up to the end of the
// connection, and tells what was said in the end, or what went wrong.
type scripted struct {
	lines  []string
	secure *tls.Config
	do     func() // where the script says "do"
	ends   chan string
}

func (s *scripted) serve(c *net.TCPConn) {
	defer c.Close()
	var stream io.ReadWriter = c
	in := bufio.NewReader(c)
	for _, line := range s.lines {
		direction, text, _ := strings.Cut(line, " ")
		switch direction {
		case ">":
			io.WriteString(stream, text+"\r\n")
		case "<":
			if said, err := in.ReadString('\n'); strings.TrimRight(said, "\r\n") != text {
				s.ends <- fmt.Sprintf("%q and %v came, want %q", said, err, text)
				return
			}
		case "do":
			s.do()
		case "tls":
			secure := tls.Server(c, s.secure)
			if err := secure.Handshake(); err != nil {
				s.ends <- err.Error()
				return
			}
			stream, in = secure, bufio.NewReader(secure)
		}
	}
	rest, err := io.ReadAll(in)
	s.ends <- strings.TrimSpace(string(rest))
	if err != nil {
		s.ends <- err.Error()
	}
}

// A conversation is a script, and what a check makes of it.
type conversation struct {
	name    string
	asks    checker.Options
	script  []string
	ends    string // what is said in the end
	outcome checker.Outcome
	detail  string
	reason  checker.Reason
}

// play runs conversations.
func play(t *testing.T, secure *tls.Config, all []conversation) {
	t.Helper()
	p := newProber(t)
	for _, tt := range all {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{lines: tt.script, secure: secure, ends: make(chan string, 2)}
			r := probeOnce(t, p, at(serve(t, s.serve), tt.asks, patience))
			expect(t, r, tt.outcome, tt.detail)
			if r.Reason != tt.reason {
				t.Errorf("reason %v, want %v", r.Reason, tt.reason)
			}
			select {
			case got := <-s.ends:
				if got != tt.ends {
					t.Errorf("in the end, the server was told %q, want %q", got, tt.ends)
				}
			case <-time.After(patience):
				t.Error("the conversation does not end")
			}
			select {
			case wrong := <-s.ends:
				t.Errorf("the connection did not end in order: %s", wrong)
			case <-time.After(50 * time.Millisecond):
			}
		})
	}
}

// begin is a channel that begins in plain text, and trusts an authority.
func begin(a *authority) checker.Channel {
	return checker.Channel{TLS: &checker.TLS{CA: a.file, ServerName: "a.example"}, StartTLS: true}
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	secure := checker.SMTP{Channel: begin(a), Name: "me"}
	play(t, a.config(t, -1, 1, "a.example"), []conversation{
		{"a greeting", checker.SMTP{}, []string{"> 220 mail ESMTP", "< EHLO [127.0.0.1]", "> 250 mail"}, "QUIT", checker.Passed, "", 0},
		{"a greeting of several lines", checker.SMTP{Name: "me"}, []string{"> 220-mail", "> 220-no spam", "> 220 please", "< EHLO me", "> 250-mail", "> 250 SIZE 1"}, "QUIT", checker.Passed, "", 0},
		{"a greeting without text", checker.SMTP{Name: "me"}, []string{"> 220", "< EHLO me", "> 250"}, "QUIT", checker.Passed, "", 0},
		{"a server of the last century", checker.SMTP{Name: "me"}, []string{"> 220 mail", "< EHLO me", "> 500 what?", "< HELO me", "> 250 hello"}, "QUIT", checker.Passed, "", 0},
		{"a server that takes no mail, as is wanted", checker.SMTP{Code: 554}, []string{"> 554 no"}, "QUIT", checker.Passed, "", 0},
		{"a server that takes no mail", checker.SMTP{}, []string{"> 554 no mail here"}, "QUIT", checker.Failed, `"554 no mail here" came while waiting for the greeting, want 220`, checker.WrongStatus},
		{"a server that is busy", checker.SMTP{}, []string{"> 421-busy", "> 421 come later"}, "QUIT", checker.Failed, `"421 come later" came`, checker.WrongStatus},
		{"a server that does not like the name", checker.SMTP{Name: "me"}, []string{"> 220 mail", "< EHLO me", "> 501 no such name"}, "QUIT", checker.Failed, `"501 no such name" came while waiting for the answer to EHLO, want 250`, checker.WrongStatus},
		{"a server that knows no greeting", checker.SMTP{Name: "me"}, []string{"> 220 mail", "< EHLO me", "> 502 no", "< HELO me", "> 550 no"}, "QUIT", checker.Failed, `the answer to HELO, want 250`, checker.WrongStatus},
		{"another protocol", checker.SMTP{}, []string{"> +OK hello"}, "QUIT", checker.Failed, `"+OK hello" came while waiting for the greeting, and that is no reply`, checker.WrongAnswer},
		{"more lines than anybody sends", checker.SMTP{}, []string{"> 220 mail", "< EHLO [127.0.0.1]", "> 250-a" + strings.Repeat("\r\n250-x", 300)}, "QUIT", checker.Failed, "more than 256 lines", checker.WrongAnswer},
		{"a longer line than anybody sends", checker.SMTP{}, []string{"> 220 " + strings.Repeat("x", 5000)}, "QUIT", checker.Failed, `a line of more than 4096 bytes, which begins with "220 xxx`, checker.WrongAnswer},
		{"the server speaks before it is asked", checker.SMTP{}, []string{"> 220 mail\r\n250 hello"}, "QUIT", checker.Failed, `the server speaks before it is asked: "250 hello\r\n"`, checker.WrongAnswer},

		{"STARTTLS", secure, []string{"> 220 mail", "< EHLO me", "> 250-mail", "> 250-starttls", "> 250 SIZE", "< STARTTLS", "> 220 go", "tls", "< EHLO me", "> 250 mail"}, "QUIT", checker.Passed, "", 0},
		{"STARTTLS stripped from the answer", secure, []string{"> 220 mail", "< EHLO me", "> 250-STARTTLS", "> 250 SIZE"}, "QUIT", checker.Failed, "the server does not offer STARTTLS", checker.NoTLS},
		{"STARTTLS masked", secure, []string{"> 220 mail", "< EHLO me", "> 250-mail", "> 250 XXXXXXXA"}, "QUIT", checker.Failed, "or somebody on the way has taken it out", checker.NoTLS},
		{"STARTTLS refused", secure, []string{"> 220 mail", "< EHLO me", "> 250-mail", "> 250 STARTTLS", "< STARTTLS", "> 454 not now"}, "QUIT", checker.Failed, `the server does not offer STARTTLS ("454 not now")`, checker.NoTLS},
		{"an old server, and STARTTLS is wanted", secure, []string{"> 220 mail", "< EHLO me", "> 500 what?", "< HELO me", "> 250 hello"}, "QUIT", checker.Failed, "does not offer STARTTLS", checker.NoTLS},
		{"TLS, and then a refusal", secure, []string{"> 220 mail", "< EHLO me", "> 250-mail", "> 250 STARTTLS", "< STARTTLS", "> 220 go", "tls", "< EHLO me", "> 550 no"}, "QUIT", checker.Failed, `"550 no" came`, checker.WrongStatus},
	})
}

// What comes in plain text where TLS must begin is not believed afterwards.
func TestSTARTTLSInjected(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	p := newProber(t)
	for _, tt := range []struct {
		name, greeting, want, behind string
		asks                         checker.Options
	}{
		{"smtp", "220 mail\r\n", "EHLO me\r\nSTARTTLS\r\n", "220 go\r\n250-injected\r\n", checker.SMTP{Channel: begin(a), Name: "me"}},
		{"imap", "* OK\r\n", "a STARTTLS\r\n", "a OK go\r\n* BYE injected\r\n", checker.IMAP{Mailbox: checker.Mailbox{Channel: begin(a)}}},
		{"pop3", "+OK\r\n", "STLS\r\n", "+OK go\r\n+OK injected\r\n", checker.POP3{Mailbox: checker.Mailbox{Channel: begin(a)}}},
		{"ftp", "220 files\r\n", "AUTH TLS\r\n", "234 go\r\n331 injected\r\n", checker.FTP{Channel: begin(a)}},
		{"nntp", "200 news\r\n", "STARTTLS\r\n", "382 go\r\n281 injected\r\n", checker.NNTP{Channel: begin(a)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, func(c *net.TCPConn) {
				in := bufio.NewReader(c)
				io.WriteString(c, tt.greeting)
				for line := range strings.Lines(tt.want) {
					if got, _ := in.ReadString('\n'); got != line {
						t.Errorf("%q came, want %q", got, line)
					}
					if strings.HasPrefix(line, "EHLO") {
						io.WriteString(c, "250-mail\r\n250 STARTTLS\r\n")
					}
				}
				io.WriteString(c, tt.behind)
				io.Copy(io.Discard, c)
			})
			r := probeOnce(t, p, at(addr, tt.asks, patience))
			expect(t, r, checker.Failed, "plain text came behind the answer to STARTTLS")
			if r.Reason != checker.NoTLS {
				t.Errorf("reason %v", r.Reason)
			}
		})
	}
}

// Whatever the protocol, a bad server costs a bounded time, and has its reason.
func TestConversationsWithBadServers(t *testing.T) {
	t.Parallel()
	const brief = 300 * time.Millisecond
	a := newAuthority(t)
	plain := checker.Channel{}
	direct := checker.Channel{TLS: &checker.TLS{Insecure: true}}
	kinds := map[string]struct {
		asks     func(checker.Channel) checker.Options
		greeting string
	}{
		"smtp": {func(c checker.Channel) checker.Options { return checker.SMTP{Channel: c} }, "220 "},
		"imap": {func(c checker.Channel) checker.Options { return checker.IMAP{Mailbox: checker.Mailbox{Channel: c}} }, "* OK "},
		"pop3": {func(c checker.Channel) checker.Options { return checker.POP3{Mailbox: checker.Mailbox{Channel: c}} }, "+OK "},
		"ftp":  {func(c checker.Channel) checker.Options { return checker.FTP{Channel: c} }, "220 "},
		"nntp": {func(c checker.Channel) checker.Options { return checker.NNTP{Channel: c} }, "200 "},
	}
	p := newProber(t)
	for kind, k := range kinds {
		for _, tt := range []struct {
			name    string
			serve   func(*net.TCPConn)
			channel checker.Channel
			detail  string
		}{
			{"silence", func(*net.TCPConn) {}, plain, "timeout after 300ms while waiting for the greeting"},
			{"one byte at a time for ever", trickles("2"), plain, "timeout after 300ms while waiting for the greeting"},
			{"an endless line", floods("2"), plain, "the server has sent a line of more than 4096 bytes"},
			{"zeros without end", floods("\x00"), plain, "the server has sent a line of more than 4096 bytes"},
			{"endless lines", floods("hello\r\n"), plain, `"hello"`},
			{"garbage", greets("\xff\xfe\x00\r\n"), plain, `"\xff\xfe\x00"`},
			{"an empty line", greets("\r\n"), plain, `""`},
			{"the server closes at once", func(c *net.TCPConn) { c.Close() }, plain, "the server closed the connection while waiting for the greeting"},
			{"the server closes its half", func(c *net.TCPConn) { c.CloseWrite(); io.Copy(io.Discard, c) }, plain, "the server closed the connection while waiting for the greeting"},
			{"the server closes in a line", func(c *net.TCPConn) { io.WriteString(c, k.greeting); c.Close() }, plain, "the server closed the connection while waiting for the greeting"},
			{"the server resets", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, plain, "connection reset by peer"},
			{"plain text where TLS is expected", greets(k.greeting + "\r\n"), direct, "the server does not speak TLS"},
			{"silence where TLS is expected", func(*net.TCPConn) {}, direct, "timeout after 300ms while negotiating TLS"},
			{"silence where STARTTLS is to be asked for", greets(k.greeting + "\r\n"), begin(a), "timeout after 300ms while waiting for the answer to"},
		} {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				expect(t, probeOnce(t, p, at(serve(t, tt.serve), k.asks(tt.channel), brief)), checker.Failed, tt.detail)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		}
	}
}

func TestIMAP(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	box := func(change func(*checker.Mailbox)) checker.IMAP {
		var m checker.Mailbox
		change(&m)
		return checker.IMAP{Mailbox: m}
	}
	login := func(m *checker.Mailbox) { m.Login = passwordAt(t, `an"n`, `se\cret`) }
	secure := func(m *checker.Mailbox) { m.Channel = begin(a) }
	both := func(m *checker.Mailbox) { login(m); secure(m) }
	const said = `< a LOGIN "an\"n" "se\\cret"`
	play(t, a.config(t, -1, 1, "a.example"), []conversation{
		{"a greeting", checker.IMAP{}, []string{"> * OK [CAPABILITY IMAP4rev1] ready"}, "z LOGOUT", checker.Passed, "", 0},
		{"a greeting to one who is known", checker.IMAP{}, []string{"> * preauth hello"}, "z LOGOUT", checker.Passed, "", 0},
		{"a server that is closed", checker.IMAP{}, []string{"> * BYE too many"}, "z LOGOUT", checker.Failed, `the server greets by "* BYE too many", want * OK`, checker.WrongStatus},
		{"another protocol", checker.IMAP{}, []string{"> +OK hello"}, "z LOGOUT", checker.Failed, `greets by "+OK hello"`, checker.WrongStatus},
		{"a login", box(login), []string{"> * OK", said, "> * CAPABILITY IMAP4rev1", "> a OK in"}, "z LOGOUT", checker.Passed, "", 0},
		{"a login after lines that nobody asked for", box(login), []string{"> * OK\r\n* OK still here", said, "> a ok in"}, "z LOGOUT", checker.Passed, "", 0},
		{"a login that is refused, and the password is repeated", box(login), []string{"> * OK", said, `> a NO "se\\cret" or se\cret is wrong`}, "z LOGOUT", checker.Failed, `does not let user "an\"n" in: "NO [hidden] or [hidden] is wrong"`, checker.LoginRefused},
		{"a goodbye in place of an answer", box(login), []string{"> * OK", said, "> * BYE I must go"}, "z LOGOUT", checker.Failed, "the server says goodbye while waiting for the answer to LOGIN", checker.WrongStatus},
		{"no line of IMAP", box(login), []string{"> * OK", said, "> hello"}, "z LOGOUT", checker.Failed, "and that is no line of IMAP", checker.WrongAnswer},
		{"lines without end", box(login), []string{"> * OK", said, "> *" + strings.Repeat(" x\r\n*", 300)}, "z LOGOUT", checker.Failed, "more than 256 lines", checker.WrongAnswer},
		{"STARTTLS and a login", box(both), []string{"> * OK", "< a STARTTLS", "> a OK go", "tls", said, "> a OK in"}, "z LOGOUT", checker.Passed, "", 0},
		{"STARTTLS stripped", box(both), []string{"> * OK", "< a STARTTLS", "> a BAD what?"}, "z LOGOUT", checker.Failed, `the server does not offer STARTTLS ("BAD what?")`, checker.NoTLS},
	})
}

func TestPOP3(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	login := checker.POP3{Mailbox: checker.Mailbox{Login: passwordAt(t, "ann", "secret")}}
	secure := login
	secure.Channel = begin(a)
	play(t, a.config(t, -1, 1, "a.example"), []conversation{
		{"a greeting", checker.POP3{}, []string{"> +OK ready"}, "QUIT", checker.Passed, "", 0},
		{"a server that is closed", checker.POP3{}, []string{"> -ERR busy"}, "QUIT", checker.Failed, `the server greets by "-ERR busy", want +OK`, checker.WrongStatus},
		{"another protocol", checker.POP3{}, []string{"> 220 hello"}, "QUIT", checker.Failed, "and that is no answer of POP3", checker.WrongAnswer},
		{"a login", login, []string{"> +OK", "< USER ann", "> +OK", "< PASS secret", "> +OK 3 messages"}, "QUIT", checker.Passed, "", 0},
		{"a wrong password, which is repeated", login, []string{"> +OK", "< USER ann", "> +OK", "< PASS secret", "> -ERR not secret"}, "QUIT", checker.Failed, `does not let user "ann" in: "-ERR not [hidden]"`, checker.LoginRefused},
		{"an unknown user", login, []string{"> +OK", "< USER ann", "> -ERR who?"}, "QUIT", checker.Failed, "-ERR who?", checker.LoginRefused},
		{"STARTTLS and a login", secure, []string{"> +OK", "< STLS", "> +OK", "tls", "< USER ann", "> +OK", "< PASS secret", "> +OK"}, "QUIT", checker.Passed, "", 0},
		{"STARTTLS stripped", secure, []string{"> +OK", "< STLS", "> -ERR what?"}, "QUIT", checker.Failed, "the server does not offer STARTTLS", checker.NoTLS},
	})
}

func TestNNTP(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	login := checker.NNTP{Login: passwordAt(t, "ann", "secret"), Group: "comp.lang.go"}
	secure := login
	secure.Channel = begin(a)
	play(t, a.config(t, -1, 1, "a.example"), []conversation{
		{"the time", checker.NNTP{}, []string{"> 200 news", "< DATE", "> 111 20261127210000"}, "QUIT", checker.Passed, "", 0},
		{"a server to read from", checker.NNTP{}, []string{"> 201 news", "< DATE", "> 111 20261127210000"}, "QUIT", checker.Passed, "", 0},
		{"a server that is closed", checker.NNTP{}, []string{"> 400 later"}, "QUIT", checker.Failed, `"400 later" came while waiting for the greeting, want 200 or 201`, checker.WrongStatus},
		{"no time", checker.NNTP{}, []string{"> 200 news", "< DATE", "> 500 what?"}, "QUIT", checker.Failed, "want 111", checker.WrongStatus},
		{"a group", checker.NNTP{Group: "a.b"}, []string{"> 200 news", "< GROUP a.b", "> 211 1 1 1 a.b"}, "QUIT", checker.Passed, "", 0},
		{"a group that is not there", checker.NNTP{Group: "a.b"}, []string{"> 200 news", "< GROUP a.b", "> 411 no such group"}, "QUIT", checker.Failed, `"411 no such group" came while waiting for the answer to GROUP, want 211`, checker.WrongStatus},
		{"a login", login, []string{"> 200", "< AUTHINFO USER ann", "> 381 more", "< AUTHINFO PASS secret", "> 281 in", "< GROUP comp.lang.go", "> 211 1"}, "QUIT", checker.Passed, "", 0},
		{"a login without a password", login, []string{"> 200", "< AUTHINFO USER ann", "> 281 in", "< GROUP comp.lang.go", "> 211 1"}, "QUIT", checker.Passed, "", 0},
		{"a wrong password, which is repeated", login, []string{"> 200", "< AUTHINFO USER ann", "> 381 more", "< AUTHINFO PASS secret", "> 481 not secret"}, "QUIT", checker.Failed, `does not let user "ann" in: "481 not [hidden]"`, checker.LoginRefused},
		{"STARTTLS", secure, []string{"> 200", "< STARTTLS", "> 382 go", "tls", "< AUTHINFO USER ann", "> 281 in", "< GROUP comp.lang.go", "> 211 1"}, "QUIT", checker.Passed, "", 0},
		{"STARTTLS stripped", secure, []string{"> 200", "< STARTTLS", "> 580 no"}, "QUIT", checker.Failed, "the server does not offer STARTTLS", checker.NoTLS},
	})
}

// However lines are made, what reads them returns, and within bounds.
func FuzzLines(f *testing.F) {
	f.Add("220 a\r\n", "250-a\r\n250 b\r\n")
	f.Add("220", "250\n250-\r\n99 x\r\n")
	f.Add("* OK\r\n", "* x\r\na OK\r\n")
	f.Add("+OK\r\n", "-ERR\r\n")
	f.Add("220-a\nb\n220 c\n", "229 x (|||7|)\r\n227 x 1,2,3,4,5,6\r\n")
	f.Fuzz(func(t *testing.T, greeting, rest string) {
		for _, talk := range []func(*dialogue) error{
			func(d *dialogue) error { return talkSMTP(t.Context(), d, checker.SMTP{Code: 220, Name: "x"}) },
			func(d *dialogue) error { return talkIMAP(t.Context(), d, login{}) },
			func(d *dialogue) error { return d.tagged("NOOP", "NOOP", d.stripped) },
			func(d *dialogue) error { return talkPOP3(t.Context(), d, login{user: "x"}) },
			func(d *dialogue) error { return talkNNTP(t.Context(), d, login{user: "x"}, "x") },
			func(d *dialogue) error { _, err := d.passive(); return err },
		} {
			d := &dialogue{stage: "waiting", unasked: true}
			d.stream = &monologue{text: strings.NewReader(greeting + rest)}
			d.in = bufio.NewReaderSize(d.stream, maxLine)
			if err := talk(d); err != nil && len(clip(err.Error())) > detailLimit+10 {
				t.Fatalf("a long detail: %v", err)
			}
			if d.lines > maxLines+1 {
				t.Fatalf("%d lines", d.lines)
			}
		}
	})
}

// A monologue is a server that does not listen.
type monologue struct{ text *strings.Reader }

func (m *monologue) Read(b []byte) (int, error)  { return m.text.Read(b) }
func (m *monologue) Write(b []byte) (int, error) { return len(b), nil }
func (m *monologue) Close() error                { return nil }
