package probe

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// postgresSays is a message of a server's.
func postgresSays(kind byte, body string) string {
	return string(binary.BigEndian.AppendUint32([]byte{kind}, uint32(4+len(body)))) + body
}

// What a server asks for or says of a login.
func postgresAuth(asks uint32, body string) string {
	return postgresSays('R', string(binary.BigEndian.AppendUint32(nil, asks))+body)
}

func postgresRefuses(code, text string) string {
	return postgresSays('E', "SFATAL\x00VFATAL\x00C"+code+"\x00M"+text+"\x00\x00")
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	asks := checker.Postgres{}
	in := checker.Postgres{SQL: checker.SQL{Login: passwordAt(t, "lvsd", canary)}}
	trusted := checker.Postgres{SQL: checker.SQL{Login: checker.Login{User: "lvsd"}}}
	query := trusted
	query.Query, query.Expect = "SELECT 1", checker.Expect{Pattern: "^1\tNULL\n$"}
	const hello = "application_name\x00lvsd\x00"
	ready := postgresAuth(0, "") + postgresSays('S', "server_version\x0015\x00") + postgresSays('K', "12345678") + postgresSays('Z', "I")
	md5 := "p\x00\x00\x00\x28md5" + md5Hex(md5Hex(canary+"lvsd")+"salt") + "\x00"
	const asked = "Q\x00\x00\x00\x0dSELECT 1\x00"
	row := postgresSays('D', "\x00\x02\x00\x00\x00\x011\xff\xff\xff\xff")
	rows := []sessionRow{
		{"a login without a password", plays(turns{{hello, ready}}), trusted, checker.Passed, 0, ""},
		{"a login by md5", plays(turns{{hello, postgresAuth(5, "salt")}, {md5, ready}}), in, checker.Passed, 0, ""},
		{"a login by the password itself", plays(turns{{hello, postgresAuth(3, "")}, {canary + "\x00", ready}}), in, checker.Passed, 0, ""},
		{"nobody's login is judged", plays(turns{{"user\x00lvsd\x00" + hello + "database\x00postgres\x00\x00", postgresAuth(10, "SCRAM-SHA-256\x00\x00")}}), asks, checker.Passed, 0, ""},
		{"nobody's login is refused", plays(turns{{hello, postgresRefuses("28000", `role "lvsd" does not exist`)}}), asks, checker.Passed, 0, ""},
		{"nobody has no database", plays(turns{{hello, postgresRefuses("3D000", "no database")}}), asks, checker.Passed, 0, ""},
		{"nobody is let in", plays(turns{{hello, ready}}), asks, checker.Passed, 0, ""},
		{"a row", plays(turns{{hello, ready}, {asked, postgresSays('T', "\x00\x00") + row + postgresSays('C', "SELECT 1\x00") + postgresSays('Z', "I")}}), query, checker.Passed, 0, ""},
		{"a notice before the row", plays(turns{{hello, ready}, {asked, postgresSays('N', "SNOTICE\x00\x00") + row + postgresSays('Z', "I")}}), query, checker.Passed, 0, ""},

		{"it starts", plays(turns{{hello, postgresRefuses("57P03", "the database system is starting up")}}), asks, checker.Failed, checker.WrongAnswer, `the server says "the database system is starting up" (57P03)`},
		{"it is full", plays(turns{{hello, postgresRefuses("53300", "sorry, too many clients already")}}), asks, checker.Failed, checker.WrongAnswer, "too many clients"},
		{"another row", plays(turns{{hello, ready}, {asked, postgresSays('D', "\x00\x01\x00\x00\x00\x010") + postgresSays('Z', "I")}}), query, checker.Failed, checker.WrongAnswer, `the answer does not match "^1\tNULL\n$"; it begins with "0\n"`},
		{"no row", plays(turns{{hello, ready}, {asked, postgresSays('C', "SELECT 0\x00") + postgresSays('Z', "I")}}), query, checker.Failed, checker.WrongAnswer, "the answer is empty"},
		{"no table", plays(turns{{hello, ready}, {asked, postgresRefuses("42P01", `relation "a" does not exist`)}}), query, checker.Failed, checker.WrongAnswer, `(42P01)`},
		{"a column that is longer than its row", plays(turns{{hello, ready}, {asked, postgresSays('D', "\x00\x01\x7f\xff\xff\xff1")}}), query, checker.Failed, checker.WrongAnswer, "a row of the answer has a column that is longer than the row"},
		{"a column of no length", plays(turns{{hello, ready}, {asked, postgresSays('D', "\x00\x01\x80\x00\x00\x001")}}), query, checker.Failed, checker.WrongAnswer, "a column that is longer"},
		{"more columns than there are", plays(turns{{hello, ready}, {asked, postgresSays('D', "\xff\xff")}}), query, checker.Failed, checker.WrongAnswer, "a column that is longer"},
		{"a request for data", plays(turns{{hello, ready}, {asked, postgresSays('G', "\x00\x00\x00")}}), query, checker.Failed, checker.WrongAnswer, "the server answers the query in another way than by rows ('G')"},
		{"a message of two gigabytes", plays(turns{{hello, ready}, {asked, "D\x7f\xff\xff\xff"}}), query, checker.Failed, checker.WrongAnswer, "claims to have 2147483647 bytes"},
		{"rows for ever", plays(turns{{hello, ready}, {asked, strings.Repeat(row, 10_000)}}), query, checker.Failed, checker.WrongAnswer, "the answer to the query does not end within 16384 bytes"},
		{"notices for ever", plays(turns{{hello, strings.Repeat(postgresSays('N', "x\x00"), 10_000)}}), asks, checker.Failed, checker.WrongAnswer, "does not end within 16384 bytes"},

		{"it wants a password", plays(turns{{hello, postgresAuth(5, "salt")}}), trusted, checker.Failed, checker.LoginRefused, "the server wants a password: set password_file"},
		{"the password is wrong", plays(turns{{hello, postgresAuth(5, "salt")}, {md5, postgresRefuses("28P01", `password authentication failed for user "lvsd"`)}}), in, checker.Failed, checker.LoginRefused, `the server says "password authentication failed for user \"lvsd\"" (28P01)`},
		{"it repeats the password", plays(turns{{hello, postgresAuth(3, "")}, {canary, postgresRefuses("28P01", "no "+canary)}}), in, checker.Failed, checker.LoginRefused, `"no [hidden]"`},
		{"another way to log in", plays(turns{{hello, postgresAuth(7, "")}}), in, checker.Failed, checker.LoginRefused, "in another way (7) than by"},
		{"another mechanism", plays(turns{{hello, postgresAuth(10, "SCRAM-SHA-256-PLUS\x00\x00")}}), in, checker.Failed, checker.LoginRefused, "in another way (10)"},
		{"an end of SCRAM without its beginning", plays(turns{{hello, postgresAuth(12, "v=x")}}), in, checker.Failed, checker.LoginRefused, "in another way (12)"},
		{"a challenge to another client", plays(turns{{hello, postgresAuth(10, "SCRAM-SHA-256\x00\x00")}, {"n,,n=,r=", postgresAuth(11, "r=other,s=c2FsdA==,i=4096")}}), in, checker.Failed, checker.LoginRefused, "the server's challenge to the login (SCRAM-SHA-256) is none"},
		{"in without a proof of its own", plays(turns{{hello, postgresAuth(10, "SCRAM-SHA-256\x00\x00")}, {"n,,n=,r=", ready}}), in, checker.Failed, checker.LoginRefused, "the server does not show that it knows the password itself"},
		{"no TLS where it is wanted", plays(turns{{"\x04\xd2\x16\x2f", "N"}}), checker.Postgres{SQL: checker.SQL{TLS: &checker.TLS{}}}, checker.Failed, checker.NoTLS, "the server does not offer TLS"},
		{"text before TLS", plays(turns{{"\x04\xd2\x16\x2f", "SR\x00\x00\x00\x08\x00\x00\x00\x00"}}), checker.Postgres{SQL: checker.SQL{TLS: &checker.TLS{}}}, checker.Failed, checker.NoTLS, "the server says something in plain text where TLS must begin"},
		{"an answer of an old server", plays(turns{{"\x04\xd2\x16\x2f", "E"}}), checker.Postgres{SQL: checker.SQL{TLS: &checker.TLS{}}}, checker.Failed, checker.WrongAnswer, "the server does not speak PostgreSQL's protocol"},
	}
	testSessions(t, append(rows, badServers(asks, false)...))
	inAndAsk := in
	inAndAsk.Query = "SELECT 1"
	testEndless(t, inAndAsk, postgresAuth(5, "salt"), ready, ready[:7])
}

// The example of RFC 7677, section 3.
func TestScram(t *testing.T) {
	s := scram{begun: true, nonce: "rOprNGfwEbeRWgbNEkqO"}
	const challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	// The RFC's client has a name, and PostgreSQL's has none, so its signatures differ: what
	// is compared is what the server would compute.
	final, err := s.final("pencil", challenge)
	if err != nil || !strings.HasPrefix(final, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=") {
		t.Fatalf("%q, %v", final, err)
	}
	if err := s.verify("v=" + base64.StdEncoding.EncodeToString(s.signature)); err != nil || !s.verified {
		t.Error(err)
	}
	if err := s.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="); err == nil || s.verified {
		t.Error("another server's signature is believed")
	}
	for _, bad := range []string{"", "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=0", "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=2147483647"} {
		if final, err := s.final("pencil", bad); err == nil {
			t.Errorf("%q is answered by %q", bad, final)
		}
	}
}

// Whatever a server says, it is understood or refused.
func FuzzPostgres(f *testing.F) {
	ready := postgresAuth(0, "") + postgresSays('Z', "I")
	f.Add([]byte(postgresAuth(5, "salt") + ready + postgresSays('D', "\x00\x02\x00\x00\x00\x011\xff\xff\xff\xff") + postgresSays('Z', "I")))
	f.Add([]byte(postgresAuth(10, "SCRAM-SHA-256\x00\x00") + postgresAuth(11, "r=x,s=c2FsdA==,i=4096") + postgresAuth(12, "v=x")))
	f.Add([]byte(postgresRefuses("57P03", "starting up")))
	expect, err := compileExpect(checker.Expect{Pattern: "^1\n$"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &session{ReadWriter: &bytes.Buffer{}, messages: hear(bytes.NewReader(text), canary), user: "lvsd", password: canary}
		o := checker.SQL{Login: checker.Login{User: "lvsd"}, Query: "SELECT 1"}
		if err := askPostgres(&postgres{s}, o, expect); err != nil && strings.Contains(err.Error(), canary) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
