package probe

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.MySQL{}, compileMySQL) }

// compileMySQL returns the run that passes when a server accepts a login, and answers a
// query as expected.
func compileMySQL(p *Prober, o checker.MySQL) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	expect, err := compileExpect(o.Expect)
	ask := func(s *session) error { return askMySQL(&mysql{session: s}, o.SQL, expect) }
	c := newClient(p, o.Login, o.TLS, ask)
	c.late = true
	return c.run, err
}

// A mysql is a session in MySQL's protocol
// (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html).
type mysql struct {
	*session
	number byte // of the next packet
}

const mysqlName = "MySQL's protocol"

// mysqlQuit is the packet that ends a session (COM_QUIT).
var mysqlQuit = []byte{1, 0, 0, 0, 1}

// What a client can do (CapabilitiesFlags).
const (
	mysqlLongPassword = 1 << 0
	mysqlWithDatabase = 1 << 3
	mysqlProtocol41   = 1 << 9
	mysqlTLS          = 1 << 11
	mysqlTransactions = 1 << 13
	mysqlSecure       = 1 << 15
	mysqlPlugins      = 1 << 19
)

// The first bytes of packets of a server's.
const (
	mysqlOK     = 0x00
	mysqlMore   = 0x01
	mysqlFile   = 0xfb
	mysqlEnd    = 0xfe
	mysqlFailed = 0xff
)

// askMySQL always logs in. A client that goes away after the greeting is an error of its
// host's: MariaDB counts it, and blocks the host after a hundred (max_connect_errors). A
// login that is refused is none.
func askMySQL(m *mysql, o checker.SQL, expect expectation) error {
	nonce, err := m.greeting(o.TLS != nil)
	if err != nil {
		return err
	}
	anonymous := o.User == ""
	if anonymous {
		m.user = checker.Anonymous
	}
	if o.TLS != nil {
		if err := m.send(m.hello(o, true)); err != nil {
			return err
		}
		if err := m.secure(); err != nil {
			return err
		}
	}
	err = m.logIn(o, nonce)
	if refused := (mysqlError{}); anonymous && errors.As(err, &refused) && refused.denied() {
		return nil
	}
	if err != nil || o.Query == "" {
		return err
	}
	rows, err := m.query(o.Query)
	if err != nil {
		return err
	}
	return m.wants(expect, rows)
}

// packet reads a packet, which is valid until the next one.
func (m *mysql) packet(what string) ([]byte, error) {
	m.await(what)
	head, err := m.take(4)
	if err != nil {
		return nil, err
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if head[3] != m.number {
		return nil, m.foreign(mysqlName, string(head))
	}
	m.number++
	if n == 0 {
		return nil, fmt.Errorf("%s is empty", what)
	}
	body, err := m.take(n)
	if err != nil {
		return nil, err
	}
	if body[0] == mysqlFailed {
		return nil, m.failure(body[1:])
	}
	return body, nil
}

// send sends a packet.
func (m *mysql) send(body []byte) error {
	head := []byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), m.number}
	m.number++
	return m.say(append(head, body...), "an answer")
}

// A mysqlError is what a server says that does not do what it is asked.
type mysqlError struct {
	code uint16
	text string
}

func (e mysqlError) Error() string {
	return fmt.Sprintf("the server says %.200q (error %d)", e.text, e.code)
}

// denied reports whether the server has refused a user who it may or may not know.
func (e mysqlError) denied() bool {
	const accessDenied, noPassword, databaseDenied = 1045, 1698, 1044
	return e.code == accessDenied || e.code == noPassword || e.code == databaseDenied
}

// failure reads a packet of an error: its code, and after the state of SQL (a # and five
// letters, from the login on) its text.
func (m *mysql) failure(body []byte) error {
	if len(body) < 2 {
		return m.foreign(mysqlName, string(body))
	}
	e := mysqlError{code: binary.LittleEndian.Uint16(body)}
	text := body[2:]
	if len(text) >= 6 && text[0] == '#' {
		text = text[6:]
	}
	e.text = m.told(strings.ToValidUTF8(string(text), "?"))
	if e.denied() {
		return because(checker.LoginRefused, e)
	}
	return e
}

// nonceSize is how long the random part of a greeting is.
const nonceSize = 20

// greeting reads what a server says at first (HandshakeV10), and returns what the
// password is mixed with.
func (m *mysql) greeting(secure bool) ([]byte, error) {
	body, err := m.packet("the greeting")
	if err != nil {
		return nil, err
	}
	// A version, an id of four bytes, 8 bytes of nonce, a zero, capabilities, a character
	// set, a status, capabilities, the length of the nonce, ten bytes, its rest.
	_, rest, found := bytes.Cut(body[1:], []byte{0})
	if body[0] != 10 || !found || len(rest) < 31+nonceSize-8 {
		return nil, m.foreign(mysqlName, string(body))
	}
	if can := binary.LittleEndian.Uint16(rest[13:]); secure && can&mysqlTLS == 0 {
		return nil, because(checker.NoTLS, errors.New("the server does not offer TLS, or somebody on the way has taken it out"))
	}
	return slices.Concat(rest[4:12], rest[31:31+nonceSize-8]), nil
}

// hello is how a client's first packet begins; with a request for TLS, it is all of it.
func (m *mysql) hello(o checker.SQL, secure bool) []byte {
	can := uint32(mysqlLongPassword | mysqlProtocol41 | mysqlTransactions | mysqlSecure | mysqlPlugins)
	if secure {
		can |= mysqlTLS
	}
	if o.Database != "" {
		can |= mysqlWithDatabase
	}
	const largest, utf8mb4 = 1 << 24, 45
	head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, can), largest)
	return append(append(head, utf8mb4), make([]byte, 23)...)
}

// logIn logs in by the older of the two ways; a server that knows the user by the newer
// one says so.
func (m *mysql) logIn(o checker.SQL, nonce []byte) error {
	const native = "mysql_native_password"
	hello := append(m.hello(o, o.TLS != nil), m.user+"\x00"...)
	proof, err := m.proof(native, nonce)
	if err != nil {
		return err
	}
	hello = append(append(hello, byte(len(proof))), proof...)
	if o.Database != "" {
		hello = append(hello, o.Database+"\x00"...)
	}
	if err := m.send(append(hello, native+"\x00"...)); err != nil {
		return err
	}
	for range 4 {
		body, err := m.packet("the answer to the login")
		switch {
		case err != nil:
			return err
		case body[0] == mysqlOK:
			m.goodbye = mysqlQuit
			return nil
		case body[0] == mysqlEnd:
			plugin, nonce, _ := bytes.Cut(body[1:], []byte{0})
			proof, err := m.proof(string(plugin), bytes.TrimSuffix(nonce, []byte{0}))
			if err != nil {
				return err
			}
			if err := m.send(proof); err != nil {
				return err
			}
		case body[0] == mysqlMore && len(body) == 2 && body[1] == fastDone:
		case body[0] == mysqlMore && len(body) == 2 && body[1] == fullWanted:
			if o.TLS == nil {
				return because(checker.LoginRefused, errors.New("the server does not remember the user's password and wants to be told (caching_sha2_password), which takes TLS: write tls {}"))
			}
			if err := m.send([]byte(m.password + "\x00")); err != nil {
				return err
			}
		default:
			return m.foreign(mysqlName, string(body))
		}
	}
	return errors.New("the server does not come to an end with the login")
}

// What caching_sha2_password says of a proof.
const fastDone, fullWanted = 3, 4

// proof is what shows that a client knows the password.
func (m *mysql) proof(plugin string, nonce []byte) ([]byte, error) {
	switch {
	case plugin != "mysql_native_password" && plugin != "caching_sha2_password":
		return nil, because(checker.LoginRefused, fmt.Errorf("the server wants the user to log in by %.40q, and this check knows mysql_native_password and caching_sha2_password", m.told(plugin)))
	case m.password == "":
		return nil, nil
	case plugin == "mysql_native_password":
		once := sha1.Sum([]byte(m.password))
		twice := sha1.Sum(once[:])
		mixed := sha1.Sum(slices.Concat(nonce, twice[:]))
		return xor(once[:], mixed[:]), nil
	default:
		once := sha256.Sum256([]byte(m.password))
		twice := sha256.Sum256(once[:])
		mixed := sha256.Sum256(slices.Concat(twice[:], nonce))
		return xor(once[:], mixed[:]), nil
	}
}

func xor(a, b []byte) []byte {
	for i := range a {
		a[i] ^= b[i]
	}
	return a
}

// query asks, and returns the rows as text.
func (m *mysql) query(text string) (string, error) {
	const query = 3
	m.number = 0
	if err := m.send(append([]byte{query}, text...)); err != nil {
		return "", err
	}
	body, err := m.packet("the answer to the query")
	switch {
	case err != nil || body[0] == mysqlOK:
		return "", err
	case body[0] == mysqlFile:
		return "", errors.New("the server wants to read a file of the client's, instead of answering the query")
	}
	if err := m.skipColumns(); err != nil {
		return "", err
	}
	var rows strings.Builder
	for {
		body, err := m.packet("the answer to the query")
		if err != nil {
			return "", err
		}
		if isMySQLEnd(body) {
			return rows.String(), nil
		}
		if err := mysqlRow(&rows, body); err != nil {
			return "", err
		}
	}
}

// skipColumns reads what the columns are.
func (m *mysql) skipColumns() error {
	for {
		body, err := m.packet("the answer to the query")
		if err != nil || isMySQLEnd(body) {
			return err
		}
	}
}

func isMySQLEnd(body []byte) bool { return body[0] == mysqlEnd && len(body) < 9 }

// mysqlRow adds a row to a text.
func mysqlRow(to *strings.Builder, body []byte) error {
	for first := true; len(body) > 0; first = false {
		if !first {
			to.WriteByte('\t')
		}
		if body[0] == mysqlFile { // NULL
			to.WriteString("NULL")
			body = body[1:]
			continue
		}
		n, rest, ok := mysqlLength(body)
		if !ok || n > uint64(len(rest)) {
			return errors.New("a row of the answer has a column that is longer than the row")
		}
		to.Write(rest[:n])
		body = rest[n:]
	}
	to.WriteByte('\n')
	return nil
}

// mysqlLength reads a length (a length-encoded integer).
func mysqlLength(body []byte) (n uint64, rest []byte, ok bool) {
	size := map[byte]int{0xfc: 2, 0xfd: 3, 0xfe: 8}[body[0]]
	switch {
	case body[0] < mysqlFile:
		return uint64(body[0]), body[1:], true
	case size == 0 || len(body) < 1+size:
		return 0, nil, false
	}
	for i := size; i > 0; i-- {
		n = n<<8 | uint64(body[i])
	}
	return n, body[1+size:], true
}
