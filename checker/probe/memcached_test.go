package probe

import (
	"testing"

	"github.com/lvsd/lvsd/checker"
)

func TestMemcached(t *testing.T) {
	t.Parallel()
	asks := checker.Memcached{}
	in := checker.Memcached{Login: passwordAt(t, "lvsd", canary)}
	const ask, version, wants = "version\r\n", "VERSION 1.6.18\r\n", "CLIENT_ERROR unauthenticated\r\n"
	login := "set lvsd 0 0 19\r\nlvsd " + canary + "\r\n"
	rows := []sessionRow{
		{"its version", plays(turns{{ask, version}}), asks, checker.Passed, 0, ""},
		{"a login", plays(turns{{ask, wants}, {login, "STORED\r\n"}, {ask, version}}), in, checker.Passed, 0, ""},
		{"a login that the server does not want is not made", plays(turns{{ask, version}, {"set", "ERROR the password is stored\r\n"}}), in, checker.Passed, 0, ""},

		{"it wants a login", plays(turns{{ask, wants}}), asks, checker.Failed, checker.LoginRefused, "the server wants a login: set user and password_file"},
		{"the password is wrong", plays(turns{{ask, wants}, {login, "CLIENT_ERROR authentication failure\r\n"}}), in, checker.Failed, checker.LoginRefused, `the server answers the login with "CLIENT_ERROR authentication failure"`},
		{"it repeats the password", plays(turns{{ask, wants}, {login, "no " + canary + "\r\n"}}), in, checker.Failed, checker.LoginRefused, `with "no [hidden]"`},
		{"the login is not enough", plays(turns{{ask, wants}, {login, "STORED\r\n"}, {ask, wants}}), in, checker.Failed, checker.WrongAnswer, `the server answers version with "CLIENT_ERROR unauthenticated"`},
		{"an error", plays(turns{{ask, "SERVER_ERROR out of memory\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `the server answers version with "SERVER_ERROR out of memory"`},
		{"it speaks before it is asked", greets("220 hello\r\n"), asks, checker.Failed, checker.WrongAnswer, `the server answers version with "220 hello"`},
		{"a line that does not end", floods("VERSION "), asks, checker.Failed, checker.WrongAnswer, "the answer to version has a line that does not end"},
	}
	testSessions(t, append(rows, badServers(asks, false)...))
	testEndless(t, in, "CLIENT_ERROR unauthenticated\r\n", "CLIENT_ERROR")
}
