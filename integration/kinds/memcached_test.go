package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "memcached", port: 11211,
		start: func(at *site) *exec.Cmd {
			return at.as("memcache", at.command("memcached", "-u", "memcache", "-l", "$ADDR", "-U", "0", "-v"))
		},
		passes: func(*site) checker.Options { return checker.Memcached{} },
		rows: func(at *site) []row {
			login := checker.Login{User: "lvsd", Password: checker.Secret{File: at.secret("password", "secret")}}
			return []row{
				{"a login that it does not want", checker.Memcached{Login: login}, checker.Passed, ""},
				{"and that it does not keep", checker.TCP{Send: []byte("get lvsd\r\n"), Expect: checker.Expect{Pattern: `^END\r\n`}}, checker.Passed, ""},
			}
		},
		complaint: "(?i)error|abort",
	})
	register(server{
		name: "memcached with a password", port: 11211,
		start: func(at *site) *exec.Cmd {
			at.write("users", "lvsd:secret\n")
			return at.as("memcache", at.command("memcached", "-u", "memcache", "-l", "$ADDR", "-U", "0", "-v", "-Y", "$DIR/users"))
		},
		passes: func(at *site) checker.Options { return memcachedAs(at, "lvsd", "secret") },
		rows: func(at *site) []row {
			return []row{
				{"no login", checker.Memcached{}, checker.Failed, "the server wants a login"},
				{"a wrong password", memcachedAs(at, "lvsd", "wrong"), checker.Failed, `the server answers the login with "CLIENT_ERROR authentication failure"`},
				{"an unknown user", memcachedAs(at, "nobody", "secret"), checker.Failed, `the server answers the login with "CLIENT_ERROR`},
			}
		},
		complaint: "(?i)abort",
	})
}

// memcachedAs is a check that logs in.
func memcachedAs(at *site, user, password string) checker.Memcached {
	return checker.Memcached{Login: checker.Login{User: user, Password: checker.Secret{File: at.secret(password+".password", password)}}}
}
