package probe

import (
	"errors"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/checker"
)

func TestRedis(t *testing.T) {
	t.Parallel()
	asks := checker.Redis{}
	in := checker.Redis{Login: passwordAt(t, "", canary)}
	inAs := checker.Redis{Login: passwordAt(t, "lvsd", canary)}
	as := func(role string) checker.Redis { return checker.Redis{Role: role} }
	ping, auth, role, info := "$4\r\nPING\r\n", "AUTH\r\n$14\r\n"+canary+"\r\n", "$4\r\nROLE\r\n", "$11\r\nreplication\r\n"
	rows := []sessionRow{
		{"PONG", plays(turns{{ping, "+PONG\r\n"}}), asks, checker.Passed, 0, ""},
		{"PONG as a bulk string", plays(turns{{ping, "$4\r\nPONG\r\n"}}), asks, checker.Passed, 0, ""},
		{"a password", plays(turns{{auth, "+OK\r\n"}, {ping, "+PONG\r\n"}}), in, checker.Passed, 0, ""},
		{"a user and a password", plays(turns{{"*3\r\n$4\r\nAUTH\r\n$4\r\nlvsd\r\n$14\r\n" + canary + "\r\n", "+OK\r\n"}, {ping, "+PONG\r\n"}}), inAs, checker.Passed, 0, ""},
		{"a master", plays(turns{{ping, "+PONG\r\n"}, {role, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"}}), as("master"), checker.Passed, 0, ""},
		{"a replica", plays(turns{{ping, "+PONG\r\n"}, {role, "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n"}}), as("replica"), checker.Passed, 0, ""},
		{"a replica without the right to ROLE", plays(turns{{ping, "+PONG\r\n"}, {role, "-NOPERM no\r\n"}, {info, "$28\r\n# Replication\r\nrole:slave\r\nx\r\n"}}), as("replica"), checker.Passed, 0, ""},

		{"a replica where a master is wanted", plays(turns{{ping, "+PONG\r\n"}, {role, "*5\r\n$5\r\nslave\r\n"}}), as("master"), checker.Failed, checker.WrongAnswer, `the server's role is "replica", want "master"`},
		{"a sentinel", plays(turns{{ping, "+PONG\r\n"}, {role, "*2\r\n$8\r\nsentinel\r\n"}}), as("master"), checker.Failed, checker.WrongAnswer, `the server's role is "sentinel", want "master"`},
		{"no way to learn the role", plays(turns{{ping, "+PONG\r\n"}, {role, "-NOPERM no\r\n"}, {info, "-NOPERM no\r\n"}}), as("master"), checker.Failed, checker.WrongAnswer, `the server answers INFO with "NOPERM no"`},
		{"it loads its data", plays(turns{{ping, "-LOADING Redis is loading the dataset in memory\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `the server answers PING with "LOADING Redis is loading the dataset in memory"`},
		{"it wants a password", plays(turns{{ping, "-NOAUTH Authentication required.\r\n"}}), asks, checker.Failed, checker.LoginRefused, `"NOAUTH Authentication required.": set password_file`},
		{"the password is wrong", plays(turns{{auth, "-WRONGPASS invalid username-password pair or user is disabled.\r\n"}}), in, checker.Failed, checker.LoginRefused, `the server answers AUTH with "WRONGPASS invalid`},
		{"it has no password", plays(turns{{auth, "-ERR AUTH <password> called without any password configured\r\n"}}), in, checker.Failed, checker.LoginRefused, "called without any password configured"},
		{"it repeats the password", plays(turns{{auth, "-ERR wrong: " + canary + "\r\n"}}), in, checker.Failed, checker.LoginRefused, "wrong: [hidden]"},
		{"it answers by the password", plays(turns{{auth, canary + "\r\n"}}), in, checker.Failed, checker.WrongAnswer, `the server does not speak Redis's protocol: it says "[hidden]"`},
		{"it is protected", greets("-DENIED Redis is running in protected mode\r\n"), asks, checker.Failed, checker.WrongAnswer, "DENIED"},
		{"another answer to PING", plays(turns{{ping, "+PANG\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `the server answers PING with "PANG"`},
		{"an empty line", plays(turns{{ping, "\r\n"}}), asks, checker.Failed, checker.WrongAnswer, "does not speak Redis's protocol"},
		{"a length that is none", plays(turns{{ping, "$x\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `it says "$x"`},
		{"no text", plays(turns{{ping, "$-1\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `it says "$-1"`},
		{"an empty array", plays(turns{{ping, "*0\r\n"}}), asks, checker.Failed, checker.WrongAnswer, `it says "*0"`},
		{"a length of a gigabyte", plays(turns{{ping, "$1073741824\r\n"}}), asks, checker.Failed, checker.WrongAnswer, "the answer to PING claims to have 1073741824 bytes, and 16384 are looked at"},
		{"a length beyond all numbers", plays(turns{{ping, "$99999999999999999999\r\n"}}), asks, checker.Failed, checker.WrongAnswer, "does not speak Redis's protocol"},
		{"a length that is too long", plays(turns{{ping, "$9\r\nPONG\r\n"}}), asks, checker.Failed, checker.TimedOut, "timeout after 400ms while waiting for the rest of the answer to PING"},
		{"arrays in arrays for ever", floods("*1\r\n"), asks, checker.Failed, checker.WrongAnswer, "the answer to PING does not end within 16384 bytes"},
		{"a line that does not end", floods("+PONG"), asks, checker.Failed, checker.WrongAnswer, "the answer to PING has a line that does not end"},
	}
	testSessions(t, append(rows, badServers(asks, false)...))
	testEndless(t, in, "+OK\r\n", "$600\r\n", "+OK\r\n+PONG\r\n"[:10])
}

func FuzzRedisAnswer(f *testing.F) {
	for _, text := range []string{"+PONG\r\n", "-ERR x\r\n", ":1\r\n", "$4\r\nPONG\r\n", "*3\r\n$6\r\nmaster\r\n", "*1\r\n*1\r\n", "$-1\r\n", "$99999999999999999999\r\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := hear(strings.NewReader(text), "")
		m.await("the answer")
		got, err := redisAnswer(m)
		if refused := (redisError{}); errors.As(err, &refused) {
			got = refused.text
		} else if err != nil && got != "" {
			t.Fatalf("%q: %q and %v", text, got, err)
		}
		if !strings.Contains(text, got) {
			t.Fatalf("%q is not in %q", got, text)
		}
	})
}
