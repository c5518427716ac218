package probe

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.Postgres{}, compilePostgres) }

// compilePostgres returns the run that passes when a server accepts a login, and answers
// a query as expected.
func compilePostgres(p *Prober, o checker.Postgres) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	expect, err := compileExpect(o.Expect)
	c := newClient(p, o.Login, o.TLS, func(s *session) error { return askPostgres(&postgres{s}, o.SQL, expect) })
	c.late = true
	return c.run, err
}

// A postgres is a session in PostgreSQL's protocol, version 3
// (https://www.postgresql.org/docs/current/protocol.html).
type postgres struct{ *session }

const postgresName = "PostgreSQL's protocol"

// postgresQuit is the message that ends a session (Terminate). Before the login is over,
// the server would log that it expects something else.
var postgresQuit = []byte{'X', 0, 0, 0, 4}

// Numbers of requests that begin a connection.
const (
	postgresVersion = 3 << 16
	postgresTLS     = 1234<<16 | 5679
)

func askPostgres(p *postgres, o checker.SQL, expect expectation) error {
	if o.TLS != nil {
		if err := p.negotiateTLS(); err != nil {
			return err
		}
	}
	database := o.Database
	anonymous := o.User == ""
	if anonymous {
		p.user, database = checker.Anonymous, "postgres" // It is always there.
	}
	err := p.logIn(database)
	if refused := (postgresError{}); anonymous && (err == errPostgresAsks || errors.As(err, &refused) && refused.judged()) {
		return nil
	}
	if err != nil || o.Query == "" {
		return err
	}
	rows, err := p.query(o.Query)
	if err != nil {
		return err
	}
	return p.wants(expect, rows)
}

// postgresRequest returns a request that begins a connection.
func postgresRequest(number uint32, body string) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), number)
	return append(head, body...)
}

// negotiateTLS asks whether the server speaks TLS, and begins it.
func (p *postgres) negotiateTLS() error {
	if err := p.say(postgresRequest(postgresTLS, ""), "the answer to the request for TLS"); err != nil {
		return err
	}
	answer, err := p.take(1)
	switch {
	case err != nil:
		return err
	case answer[0] == 'N':
		return because(checker.NoTLS, errors.New("the server does not offer TLS, or somebody on the way has taken it out"))
	case answer[0] != 'S':
		return p.foreign(postgresName, string(answer))
	}
	return p.secure()
}

// message reads a message and its type; the message is valid until the next one. Notices
// and parameters are passed over.
func (p *postgres) message(what string) (kind byte, body []byte, err error) {
	for {
		p.await(what)
		head, err := p.take(5)
		if err != nil {
			return 0, nil, err
		}
		kind := head[0]
		n := binary.BigEndian.Uint32(head[1:])
		if n < 4 || kind < 'A' || kind > 'z' {
			return 0, nil, p.foreign(postgresName, string(head))
		}
		if n > checker.AnswerLimit {
			return 0, nil, p.tooLong(int(n))
		}
		body, err := p.take(int(n) - 4)
		switch {
		case err != nil:
			return 0, nil, err
		case kind == 'E':
			return 0, nil, p.failure(body)
		case kind != 'N' && kind != 'S' && kind != 'K': // NoticeResponse, ParameterStatus, BackendKeyData
			return kind, body, nil
		}
	}
}

// send sends a message.
func (p *postgres) send(kind byte, body string) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))
	return p.say(append(head, body...), "an answer")
}

// A postgresError is what a server says that does not do what it is asked.
type postgresError struct{ code, text string }

func (e postgresError) Error() string {
	return fmt.Sprintf("the server says %.200q (%.5s)", e.text, e.code)
}

// judged reports whether the server has looked at who logs in, and where: class 28 is an
// invalid authorization, 3D000 a database that there is not.
func (e postgresError) judged() bool { return strings.HasPrefix(e.code, "28") || e.code == "3D000" }

// failure reads an ErrorResponse: fields, each with a letter and an end.
func (p *postgres) failure(body []byte) error {
	var e postgresError
	for len(body) > 1 {
		field, rest, ok := bytes.Cut(body[1:], []byte{0})
		if !ok {
			break
		}
		text := strings.ToValidUTF8(string(field), "?")
		switch body[0] {
		case 'C':
			e.code = p.told(text)
		case 'M':
			e.text = p.told(text)
		}
		body = rest
	}
	if strings.HasPrefix(e.code, "28") {
		return because(checker.LoginRefused, e)
	}
	return e
}

// What an authentication request (R) asks for.
const (
	postgresIn       = 0
	postgresClear    = 3
	postgresMD5      = 5
	postgresSASL     = 10
	postgresContinue = 11
	postgresFinal    = 12
)

// errPostgresAsks: the server wants a proof that nobody has.
var errPostgresAsks = because(checker.LoginRefused, errors.New("the server wants a password: set password_file"))

// logIn logs in, and waits until the server is ready.
func (p *postgres) logIn(database string) error {
	parameters := "user\x00" + p.user + "\x00application_name\x00lvsd\x00"
	if database != "" {
		parameters += "database\x00" + database + "\x00"
	}
	if err := p.say(postgresRequest(postgresVersion, parameters+"\x00"), "the answer to the login"); err != nil {
		return err
	}
	var proof scram
	for {
		kind, body, err := p.message("the answer to the login")
		switch {
		case err != nil:
			return err
		case kind == 'Z' && p.goodbye != nil: // ReadyForQuery
			return nil
		case kind == 'v': // NegotiateProtocolVersion
			continue
		case kind != 'R' || len(body) < 4:
			return p.foreign(postgresName, string(body))
		}
		if err := p.answer(binary.BigEndian.Uint32(body), body[4:], &proof); err != nil {
			return err
		}
	}
}

// answer answers what an authentication request asks for.
func (p *postgres) answer(asks uint32, body []byte, proof *scram) error {
	if asks == postgresIn {
		if proof.begun && !proof.verified {
			return because(checker.LoginRefused, errors.New("the server does not show that it knows the password itself"))
		}
		p.goodbye = postgresQuit
		return nil
	}
	if p.password == "" {
		return errPostgresAsks
	}
	switch {
	case asks == postgresClear:
		return p.send('p', p.password+"\x00")
	case asks == postgresMD5 && len(body) == 4:
		return p.send('p', "md5"+md5Hex(md5Hex(p.password+p.user)+string(body))+"\x00")
	case asks == postgresSASL && bytes.Contains(append([]byte{0}, body...), []byte("\x00SCRAM-SHA-256\x00")):
		first := proof.first()
		return p.send('p', "SCRAM-SHA-256\x00"+string(binary.BigEndian.AppendUint32(nil, uint32(len(first))))+first)
	case asks == postgresContinue && proof.begun:
		final, err := proof.final(p.password, string(body))
		if err != nil {
			return because(checker.LoginRefused, err)
		}
		return p.send('p', final)
	case asks == postgresFinal && proof.begun:
		return proof.verify(string(body))
	}
	return because(checker.LoginRefused, fmt.Errorf("the server wants the user to log in in another way (%d) than by SCRAM-SHA-256, md5 or password", asks))
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// A scram is a proof of a password by SCRAM-SHA-256 (RFC 5802, RFC 7677).
type scram struct {
	begun, verified bool
	nonce           string
	signature       []byte // that the server must show
}

// maxIterations bounds the work that a server can ask for; PostgreSQL asks for 4096.
const maxIterations = 100_000

// first is the client's first message. It has no name: the server knows it.
func (s *scram) first() string {
	s.begun, s.nonce = true, rand.Text()
	return "n,,n=,r=" + s.nonce
}

// final is the answer to the server's first message: "r=NONCE,s=SALT,i=ITERATIONS".
func (s *scram) final(password, challenge string) (string, error) {
	nonce, rest, _ := strings.Cut(challenge, ",")
	salt, iterations, _ := strings.Cut(rest, ",")
	iterations, _, _ = strings.Cut(iterations, ",")
	salted, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(salt, "s="))
	n, wrong := strconv.Atoi(strings.TrimPrefix(iterations, "i="))
	if err != nil || wrong != nil || n < 1 || n > maxIterations || !strings.HasPrefix(nonce, "r="+s.nonce) || len(nonce) <= len("r="+s.nonce) {
		return "", errors.New("the server's challenge to the login (SCRAM-SHA-256) is none")
	}
	key, err := pbkdf2.Key(sha256.New, password, salted, n, sha256.Size)
	if err != nil {
		return "", err
	}
	without := "c=biws," + nonce // "biws" is "n,," in base64.
	all := "n=,r=" + s.nonce + "," + challenge + "," + without
	client := mac(key, "Client Key")
	stored := sha256.Sum256(client)
	s.signature = mac(mac(key, "Server Key"), all)
	return without + ",p=" + base64.StdEncoding.EncodeToString(xor(client, mac(stored[:], all))), nil
}

// verify checks that the server knows the password, too, by its last message: "v=SIGNATURE".
func (s *scram) verify(message string) error {
	shown, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(message, "v="))
	s.verified = err == nil && len(s.signature) > 0 && hmac.Equal(shown, s.signature)
	if !s.verified {
		return because(checker.LoginRefused, errors.New("the server does not know the password itself"))
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// query asks, and returns the rows as text.
func (p *postgres) query(text string) (string, error) {
	if err := p.send('Q', text+"\x00"); err != nil {
		return "", err
	}
	var rows strings.Builder
	for {
		kind, body, err := p.message("the answer to the query")
		if err != nil {
			return "", err
		}
		switch kind {
		case 'Z': // ReadyForQuery
			return rows.String(), nil
		case 'D': // DataRow
			if err := postgresRow(&rows, body); err != nil {
				return "", err
			}
		case 'T', 'C', 'I': // RowDescription, CommandComplete, EmptyQueryResponse
		default:
			return "", fmt.Errorf("the server answers the query in another way than by rows (%q)", kind)
		}
	}
}

// postgresRow adds a row to a text: the number of columns, and each with its length.
func postgresRow(to *strings.Builder, body []byte) error {
	if len(body) < 2 {
		return errPostgresRow
	}
	columns := binary.BigEndian.Uint16(body)
	body = body[2:]
	for i := range columns {
		if len(body) < 4 {
			return errPostgresRow
		}
		n := int32(binary.BigEndian.Uint32(body))
		body = body[4:]
		if i > 0 {
			to.WriteByte('\t')
		}
		if n == -1 {
			to.WriteString("NULL")
			continue
		}
		if n < 0 || int(n) > len(body) {
			return errPostgresRow
		}
		to.Write(body[:n])
		body = body[n:]
	}
	to.WriteByte('\n')
	return nil
}

var errPostgresRow = errors.New("a row of the answer has a column that is longer than the row")
