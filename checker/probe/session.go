package probe

import (
	"context"
	"errors"
	"io"

	"github.com/lvsd/lvsd/checker"
)

// A session is a conversation with a server that a probe may log in to.
type session struct {
	io.ReadWriter
	*messages
	user, password string
	// secure negotiates TLS where the protocol has it later than at the start.
	secure func() error
	// goodbye is what a client says in the end, at the point that it has come to.
	goodbye []byte
}

// A client speaks one protocol, and is made ready to run.
type client struct {
	tls   *tlsClient // nil: no TLS
	late  bool       // the protocol says when it begins
	login login
	// talk asks what there is to ask.
	talk func(*session) error
}

// newClient returns a client that logs in.
func newClient(p *Prober, l checker.Login, secure *checker.TLS, talk func(*session) error) *client {
	c := &client{login: newLogin(p.passwords, l), talk: talk}
	if secure != nil {
		c.tls = newTLS(p.authorities, *secure, "")
	}
	return c
}

// run has a conversation, which ends in order however it went. The password is read
// first: a server is not bothered where that fails.
func (c *client) run(ctx context.Context, t checker.Target) (seen found, err error) {
	password, err := c.login.password(ctx)
	if err != nil {
		return found{}, err
	}
	ctx = untold(ctx, func() []string { return []string{password} })
	first := c.tls
	if c.late {
		first = nil
	}
	plain, stream, seen, err := connect(ctx, t, first)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	s := &session{ReadWriter: stream, messages: hear(stream, password), user: c.login.user, password: password}
	s.secure = func() error {
		if s.from.Buffered() > 0 {
			return because(checker.NoTLS, errors.New("the server says something in plain text where TLS must begin"))
		}
		secure, found, err := c.tls.handshake(ctx, plain, t.Addr)
		if err != nil {
			return err
		}
		stream, seen = secure, found
		s.ReadWriter = traced(ctx, secure)
		s.messages = hear(s.ReadWriter, password)
		return nil
	}
	err = c.talk(s)
	plain.part(ctx, stream, s.goodbye)
	return seen, err
}

// wants reports whether an answer that has come whole is as expected.
func (s *session) wants(e expectation, answer string) error {
	_, err := e.met([]byte(s.told(answer)), true)
	return err
}

// say sends something, and says what is awaited then.
func (s *session) say(text []byte, awaits string) error {
	s.await(awaits)
	if _, err := s.Write(text); err != nil {
		return while("sending what is to have "+awaits, err)
	}
	return nil
}
