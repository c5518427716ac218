package probe

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

// mysqlPacket is a packet of a server's.
func mysqlPacket(number byte, body string) string {
	return string([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), number}) + body
}

const (
	mysqlNonce   = "abcdefghijklmnopqrst"
	mysqlHello   = "\x0a10.11.19-MariaDB\x00\x01\x00\x00\x00abcdefgh\x00\xfe\xff\x2d\x02\x00\xff\x81\x15" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "ijklmnopqrst\x00mysql_native_password\x00"
	mysqlOKBody  = "\x00\x00\x00\x02\x00\x00\x00"
	mysqlEndBody = "\xfe\x00\x00\x02\x00"
	mysqlColumn  = "\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x01\x00\x00\x00\x03\x81\x00\x00\x00\x00"
)

// nativeProof and shaProof are the proofs of a password as the documentation has them.
func nativeProof(password string) string {
	a := sha1.Sum([]byte(password))
	b := sha1.Sum(a[:])
	c := sha1.Sum([]byte(mysqlNonce + string(b[:])))
	return string(xor(a[:], c[:]))
}

func shaProof(password string) string {
	a := sha256.Sum256([]byte(password))
	b := sha256.Sum256(a[:])
	c := sha256.Sum256([]byte(string(b[:]) + mysqlNonce))
	return string(xor(a[:], c[:]))
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	asks := checker.MySQL{}
	in := checker.MySQL{SQL: checker.SQL{Login: passwordAt(t, "lvsd", canary)}}
	query := in
	query.Query, query.Expect = "SELECT 1", checker.Expect{Pattern: "^1\tNULL\n$"}
	hello := turn{"", mysqlPacket(0, mysqlHello)}
	login := "lvsd\x00\x14" + nativeProof(canary) + "mysql_native_password\x00"
	ok := turn{login, mysqlPacket(2, mysqlOKBody)}
	asked := "\x09\x00\x00\x00\x03SELECT 1"
	says := func(bodies ...string) (all string) {
		for i, b := range bodies {
			all += mysqlPacket(byte(i+1), b)
		}
		return all
	}
	switchTo := func(plugin string) string { return mysqlPacket(2, "\xfe"+plugin+"\x00"+mysqlNonce+"\x00") }
	rows := []sessionRow{
		{"a login", plays(turns{hello, ok}), in, checker.Passed, 0, ""},
		{"nobody is known without a user", plays(turns{hello, {"lvsd\x00\x00mysql_native_password\x00", mysqlPacket(2, "\xff\x15\x04#28000Access denied for user 'lvsd'@'lvs1' (using password: NO)")}}), asks, checker.Passed, 0, ""},
		{"and somebody is", plays(turns{hello, {"lvsd\x00\x00", mysqlPacket(2, mysqlOKBody)}}), asks, checker.Passed, 0, ""},
		{"a login by MySQL 8, which remembers it", plays(turns{hello, {login, switchTo("caching_sha2_password")}, {shaProof(canary), mysqlPacket(4, "\x01\x03") + mysqlPacket(5, mysqlOKBody)}}), in, checker.Passed, 0, ""},
		{"a row", plays(turns{hello, ok, {asked, says("\x02", mysqlColumn, mysqlColumn, mysqlEndBody, "\x011\xfb", mysqlEndBody)}}), query, checker.Passed, 0, ""},

		{"another row", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody, "\x010", mysqlEndBody)}}), query, checker.Failed, checker.WrongAnswer, `the answer does not match "^1\tNULL\n$"; it begins with "0\n"`},
		{"no row", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody, mysqlEndBody)}}), query, checker.Failed, checker.WrongAnswer, "the answer is empty"},
		{"a row with the password", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody, "\x0e"+canary, mysqlEndBody)}}), query, checker.Failed, checker.WrongAnswer, `it begins with "[hidden]\n"`},
		{"no table", plays(turns{hello, ok, {asked, says("\xff\x7a\x04#42S02Table 'a.b' doesn't exist")}}), query, checker.Failed, checker.WrongAnswer, `the server says "Table 'a.b' doesn't exist" (error 1146)`},
		{"an error after the columns", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody, "\xff\x7a\x04#42S02gone")}}), query, checker.Failed, checker.WrongAnswer, `"gone" (error 1146)`},
		{"a request for a file", plays(turns{hello, ok, {asked, says("\xfb/etc/passwd")}}), query, checker.Failed, checker.WrongAnswer, "the server wants to read a file of the client's"},
		{"a column that is longer than its row", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff1")}}), query, checker.Failed, checker.WrongAnswer, "a row of the answer has a column that is longer than the row"},
		{"columns beyond number", plays(turns{hello, ok, {asked, says("\xfe\xff\xff\xff\xff\xff\xff\xff\x7f")}}), query, checker.Failed, checker.TimedOut, "timeout"},
		{"rows for ever", plays(turns{hello, ok, {asked, says("\x01", mysqlColumn, mysqlEndBody) + manyRows(3)}}), query, checker.Failed, checker.WrongAnswer, "the answer to the query does not end within 16384 bytes"},
		{"a packet of 16 MB", plays(turns{hello, ok, {asked, "\xff\xff\xff\x01"}}), query, checker.Failed, checker.WrongAnswer, "claims to have 16777215 bytes"},

		{"the password is wrong", plays(turns{hello, {login, mysqlPacket(2, "\xff\x15\x04#28000Access denied for user 'lvsd'@'lvs1' (using password: YES)")}}), in, checker.Failed, checker.LoginRefused, `the server says "Access denied for user 'lvsd'@'lvs1' (using password: YES)" (error 1045)`},
		{"it repeats the password", plays(turns{hello, {login, mysqlPacket(2, "\xff\x15\x04#28000no "+canary)}}), in, checker.Failed, checker.LoginRefused, `"no [hidden]"`},
		{"the host is blocked", greets(mysqlPacket(0, "\xff\x69\x04Host 'lvs1' is blocked because of many connection errors")), asks, checker.Failed, checker.WrongAnswer, "is blocked because of many connection errors"},
		{"too many connections", greets(mysqlPacket(0, "\xff\x10\x04Too many connections")), asks, checker.Failed, checker.WrongAnswer, `"Too many connections" (error 1040)`},
		{"MySQL 8 does not remember the password", plays(turns{hello, {login, switchTo("caching_sha2_password")}, {shaProof(canary), mysqlPacket(4, "\x01\x04")}}), in, checker.Failed, checker.LoginRefused, "which takes TLS: write tls {}"},
		{"another way to log in", plays(turns{hello, {login, switchTo("dialog")}}), in, checker.Failed, checker.LoginRefused, `the server wants the user to log in by "dialog"`},
		{"ways to log in without end", plays(turns{hello, {login, switchTo("mysql_native_password") + strings.Join([]string{"", ""}, "")}, {nativeProof(canary), mysqlPacket(4, "\xfemysql_native_password\x00"+mysqlNonce+"\x00")}, {nativeProof(canary), mysqlPacket(6, "\xfemysql_native_password\x00"+mysqlNonce+"\x00")}, {nativeProof(canary), mysqlPacket(8, "\xfemysql_native_password\x00"+mysqlNonce+"\x00")}}), in, checker.Failed, checker.WrongAnswer, "does not come to an end with the login"},
		{"no TLS where it is wanted", greets(mysqlPacket(0, strings.Replace(mysqlHello, "\xfe\xff", "\xfe\xf7", 1))), checker.MySQL{SQL: checker.SQL{TLS: &checker.TLS{}}}, checker.Failed, checker.NoTLS, "the server does not offer TLS"},
		{"an old protocol", greets(mysqlPacket(0, "\x09"+mysqlHello[1:])), asks, checker.Failed, checker.WrongAnswer, "the server does not speak MySQL's protocol"},
		{"a short greeting", greets(mysqlPacket(0, mysqlHello[:30])), asks, checker.Failed, checker.WrongAnswer, "the server does not speak MySQL's protocol"},
		{"an empty greeting", greets(mysqlPacket(0, "")), asks, checker.Failed, checker.WrongAnswer, "the greeting is empty"},
		{"a packet out of turn", greets(mysqlPacket(7, mysqlHello)), asks, checker.Failed, checker.WrongAnswer, "the server does not speak MySQL's protocol"},
	}
	testSessions(t, append(rows, badServers(asks, true)...))
	testEndless(t, query, mysqlPacket(0, mysqlHello), mysqlPacket(0, mysqlHello)+mysqlPacket(2, mysqlOKBody), mysqlPacket(0, mysqlHello)[:40])
}

func manyRows(from int) string {
	var b strings.Builder
	for i := range 20_000 {
		b.WriteString(mysqlPacket(byte(from+1+i), "\x011"))
	}
	return b.String()
}

// Whatever a server says, it is understood or refused.
func FuzzMySQL(f *testing.F) {
	f.Add([]byte(mysqlPacket(0, mysqlHello) + mysqlPacket(2, mysqlOKBody) + mysqlPacket(1, "\x01") + mysqlPacket(2, mysqlColumn) + mysqlPacket(3, mysqlEndBody) + mysqlPacket(4, "\x011") + mysqlPacket(5, mysqlEndBody)))
	f.Add([]byte(mysqlPacket(0, mysqlHello) + mysqlPacket(2, "\xfecaching_sha2_password\x00"+mysqlNonce+"\x00") + mysqlPacket(4, "\x01\x04")))
	f.Add([]byte(mysqlPacket(0, "\xff\x10\x04#08004Too many connections")))
	expect, err := compileExpect(checker.Expect{Pattern: "^1\n$"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &session{ReadWriter: &bytes.Buffer{}, messages: hear(bytes.NewReader(text), canary), user: "lvsd", password: canary}
		o := checker.SQL{Login: checker.Login{User: "lvsd"}, Query: "SELECT 1"}
		if err := askMySQL(&mysql{session: s}, o, expect); err != nil && strings.Contains(err.Error(), canary) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
