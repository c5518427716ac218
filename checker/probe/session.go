package probe

import (
	"context"
	"io"

	"github.com/lvsd/lvsd/checker"
)

// A session is a conversation with a server that a probe may log in to.
type session struct {
	io.ReadWriter
	*messages
	user, password string
}

// A client speaks one protocol, and is made ready to run.
type client struct {
	tls   *tlsClient // nil: no TLS from the start
	login login
	// talk asks what there is to ask.
	talk func(*session) error
	// goodbye is what a client says in the end.
	goodbye []byte
}

// newClient returns a client that logs in.
func newClient(p *Prober, l checker.Login, secure *checker.TLS, talk func(*session) error, goodbye string) *client {
	c := &client{login: newLogin(p.passwords, l), talk: talk, goodbye: []byte(goodbye)}
	if secure != nil {
		c.tls = newTLS(p.authorities, *secure, "")
	}
	return c
}

// run has a conversation, which ends in order however it went. The password is read
// first: a server is not bothered where that fails.
func (c *client) run(ctx context.Context, t checker.Target) (found, error) {
	password, err := c.login.password(ctx)
	if err != nil {
		return found{}, err
	}
	plain, stream, seen, err := connect(ctx, t, c.tls)
	if err != nil {
		return seen, err
	}
	defer plain.Close()
	err = c.talk(&session{ReadWriter: stream, messages: hear(stream, password), user: c.login.user, password: password})
	plain.part(ctx, stream, c.goodbye)
	return seen, err
}

// say sends something, and says what is awaited then.
func (s *session) say(text []byte, awaits string) error {
	s.await(awaits)
	if _, err := s.Write(text); err != nil {
		return while("sending what is to have "+awaits, err)
	}
	return nil
}
