package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	ping := func(answer string) checker.TCP {
		return checker.TCP{Send: []byte("PING\r\n"), Expect: checker.Expect{Text: []byte(answer)}, Quit: []byte("QUIT\r\n")}
	}
	register(server{
		name: "redis, by a conversation of check tcp", chosen: true, port: 6379,
		start: func(at *site) *exec.Cmd {
			return at.command("redis-server", "--bind", "$ADDR", "--save", "", "--dir", "$DIR")
		},
		passes: func(*site) checker.Options { return ping("+PONG") },
		rows: func(*site) []row {
			never := ping("")
			never.Expect = checker.Expect{Not: "PONG"}
			return []row{
				{"an answer that must not come", never, checker.Failed, "the answer has what must not come"},
			}
		},
		complaint: "WARNING.*(attack|abort)",
	})
	register(server{
		name: "redis with a password, a user and TLS", port: 6379,
		start: func(at *site) *exec.Cmd {
			ca, key := at.certificate()
			at.write("users.acl", "user default on >secret ~* &* +@all\nuser lvsd on >other +ping +auth\nuser ranked on >third +ping +auth +info\n")
			return at.command("redis-server", "--bind", "$ADDR", "--save", "", "--dir", "$DIR", "--loglevel", "verbose", "--aclfile", "$DIR/users.acl",
				"--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no", "--tls-cert-file", ca, "--tls-key-file", key, "--tls-ca-cert-file", ca)
		},
		passes: func(at *site) checker.Options { return redisAs(at, "", "secret", "master") },
		rows: func(at *site) []row {
			nobody := redisAs(at, "", "secret", "")
			nobody.Login = checker.Login{}
			return []row{
				{"a user of its own", redisAs(at, "lvsd", "other", ""), checker.Passed, ""},
				{"a user who may only ask for INFO", redisAs(at, "ranked", "third", "master"), checker.Passed, ""},
				{"a user who may ask for no role", redisAs(at, "lvsd", "other", "master"), checker.Failed, `the server answers INFO with "NOPERM`},
				{"another role", redisAs(at, "", "secret", "replica"), checker.Failed, `the server's role is "master", want "replica"`},
				{"no password", nobody, checker.Failed, `"NOAUTH Authentication required.": set password_file`},
				{"a wrong password", redisAs(at, "", "wrong", ""), checker.Failed, `the server answers AUTH with "WRONGPASS invalid username-password pair`},
				{"an unknown user", redisAs(at, "nobody", "secret", ""), checker.Failed, `the server answers AUTH with "WRONGPASS`},
				{"no TLS", checker.Redis{}, checker.Failed, "while waiting for the answer to PING"},
			}
		},
		complaint: "WARNING.*(attack|abort)",
		hung:      "timeout after 500ms",
	})
	register(server{
		name: "redis that is a replica", port: 6379,
		start: func(at *site) *exec.Cmd {
			return at.command("redis-server", "--bind", "$ADDR", "--save", "", "--dir", "$DIR", "--replicaof", "$ADDR", "1")
		},
		passes: func(*site) checker.Options { return checker.Redis{Role: "replica"} },
		rows: func(*site) []row {
			return []row{{"a master is wanted", checker.Redis{Role: "master"}, checker.Failed, `the server's role is "replica", want "master"`}}
		},
	})
}

// redisAs is a check that logs in.
func redisAs(at *site, user, password, role string) checker.Redis {
	login := checker.Login{User: user, Password: checker.Secret{File: at.secret(password+".password", password)}}
	return checker.Redis{Login: login, Role: role, TLS: &checker.TLS{Insecure: true}}
}
