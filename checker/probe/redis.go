package probe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Redis{}, compileRedis) }

// resp is the name of the protocol (https://redis.io/docs/latest/develop/reference/protocol-spec).
const resp = "Redis's protocol"

// compileRedis returns the run that passes when a server answers PING and has its role.
func compileRedis(p *Prober, o checker.Redis) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return newClient(p, o.Login, o.TLS, func(s *session) error { return askRedis(s, o.Role) }).run, nil
}

// redisCommand returns a command as it is sent (RESP, an array of bulk strings).
func redisCommand(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func askRedis(s *session, role string) error {
	s.goodbye = []byte(redisCommand("QUIT"))
	if s.password != "" {
		words := []string{"AUTH", s.user, s.password}
		if s.user == "" {
			words = slices.Delete(words, 1, 2)
		}
		if answer, err := redisAsk(s, words...); err != nil || answer != "OK" {
			return cmp.Or(err, s.foreign(resp, answer))
		}
	}
	switch answer, err := redisAsk(s, "PING"); {
	case err != nil:
		return err
	case answer != "PONG":
		return fmt.Errorf("the server answers PING with %.60q", s.told(answer))
	case role == "":
		return nil
	}
	is, err := redisRole(s)
	if err == nil && is != role {
		err = fmt.Errorf("the server's role is %.60q, want %q", s.told(is), role)
	}
	return err
}

// redisRole returns the server's role. A user may have the right to only one of the
// commands that tell it, and old servers have only the second.
func redisRole(s *session) (string, error) {
	is, err := redisAsk(s, "ROLE")
	if refused := (redisError{}); errors.As(err, &refused) {
		var info string
		if info, err = redisAsk(s, "INFO", "replication"); err == nil {
			_, is, _ = strings.Cut("\n"+info, "\nrole:")
			is, _, _ = strings.Cut(is, "\r\n")
		}
	}
	if is == "slave" {
		is = "replica" // Only the protocol has the old word.
	}
	return is, err
}

// A redisError is what a server answers that does not do what it is asked.
type redisError struct{ asked, text string }

func (e redisError) Error() string {
	return fmt.Sprintf("the server answers %s with %.120q", e.asked, e.text)
}

// redisAsk sends a command, and returns the first text of its answer.
func redisAsk(s *session, words ...string) (string, error) {
	if err := s.say([]byte(redisCommand(words...)), "the answer to "+words[0]); err != nil {
		return "", err
	}
	text, err := redisAnswer(s.messages)
	refused := redisError{}
	if !errors.As(err, &refused) {
		return text, err
	}
	refused = redisError{words[0], s.told(refused.text)}
	switch word, _, _ := strings.Cut(refused.text, " "); {
	case word == "NOAUTH":
		return "", because(checker.LoginRefused, fmt.Errorf("%w: set password_file", refused))
	case words[0] == "AUTH":
		return "", because(checker.LoginRefused, refused)
	default:
		return "", refused
	}
}

// redisAnswer returns the first text of an answer: all of it, or the first one of an
// array, whose others are not read.
func redisAnswer(m *messages) (string, error) {
	for {
		line, err := m.line()
		if err != nil {
			return "", err
		}
		if line == "" {
			return "", m.foreign(resp, line)
		}
		switch kind, rest := line[0], line[1:]; kind {
		case '+', ':':
			return rest, nil
		case '-':
			return "", redisError{text: rest}
		case '$':
			return redisBulk(m, rest)
		case '*':
			if n, err := strconv.Atoi(rest); err != nil || n < 1 {
				return "", m.foreign(resp, line)
			}
		default:
			return "", m.foreign(resp, line)
		}
	}
}

// redisBulk returns a text of a length, and reads the end of its line.
func redisBulk(m *messages, length string) (string, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return "", m.foreign(resp, "$"+length)
	}
	if n > checker.AnswerLimit-len("\r\n") {
		return "", m.tooLong(n)
	}
	text, err := m.take(n + len("\r\n"))
	if err != nil {
		return "", err
	}
	return string(text[:n]), nil
}
