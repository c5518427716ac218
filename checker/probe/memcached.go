package probe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Memcached{}, compileMemcached) }

// compileMemcached returns the run that passes when a server tells its version.
func compileMemcached(p *Prober, o checker.Memcached) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return newClient(p, o.Login, o.TLS, askMemcached).run, nil
}

// unauthenticated is what a server answers whatever it is asked before a login.
const unauthenticated = "CLIENT_ERROR unauthenticated"

// askMemcached asks for the version, and logs in where the server wants that. It is not
// done before: in the text protocol, a login stores "USER PASSWORD" at any key, and a
// server that wants none would keep it for everybody to read.
func askMemcached(s *session) error {
	s.goodbye = []byte("quit\r\n")
	answer, err := memcachedAsk(s, "version", "the answer to version")
	if err == nil && answer == unauthenticated {
		if s.password == "" {
			return because(checker.LoginRefused, errors.New("the server wants a login: set user and password_file"))
		}
		if err := logInToMemcached(s); err != nil {
			return err
		}
		answer, err = memcachedAsk(s, "version", "the answer to version")
	}
	if err == nil && !strings.HasPrefix(answer, "VERSION ") {
		err = fmt.Errorf("the server answers version with %.120q", s.told(answer))
	}
	return err
}

func logInToMemcached(s *session) error {
	login := s.user + " " + s.password
	answer, err := memcachedAsk(s, fmt.Sprintf("set lvsd 0 0 %d\r\n%s", len(login), login), "the answer to the login")
	if err == nil && answer != "STORED" {
		err = because(checker.LoginRefused, fmt.Errorf("the server answers the login with %.120q", s.told(answer)))
	}
	return err
}

func memcachedAsk(s *session, command, awaits string) (string, error) {
	if err := s.say([]byte(command+"\r\n"), awaits); err != nil {
		return "", err
	}
	return s.line()
}
