package kinds

import (
	"os/exec"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "freeradius", port: 1812,
		start: func(at *site) *exec.Cmd {
			at.write("radius/radiusd.conf", `prefix = /usr
libdir = /usr/lib/freeradius
run_dir = $DIR
logdir = $DIR
pidfile = $DIR/pid
max_requests = 1024
security {
  status_server = yes
}
client here {
  ipaddr = 127.0.0.0/8
  secret = testing123
  require_message_authenticator = yes
}
modules {
  pap {
  }
  files {
    filename = $DIR/radius/users
  }
}
server default {
  listen {
    type = auth
    ipaddr = $ADDR
    port = 1812
  }
  authorize {
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
  }
}
`)
			at.write("radius/users", "lvsd Cleartext-Password := \"hunter2\"\n\nlong Cleartext-Password := \""+strings.Repeat("x", 100)+"\"\n\n")
			return at.command("freeradius", "-f", "-l", "stdout", "-d", "$DIR/radius")
		},
		passes: func(at *site) checker.Options { return radiusAs(at, "lvsd", "hunter2", "testing123") },
		rows: func(at *site) []row {
			rejected, any := radiusAs(at, "lvsd", "wrong", "testing123"), radiusAs(at, "nobody", "wrong", "testing123")
			rejected.Answer, any.Answer = "reject", "any"
			return []row{
				{"its status", checker.Radius{Secret: rejected.Secret}, checker.Passed, ""},
				{"a long password", radiusAs(at, "long", strings.Repeat("x", 100), "testing123"), checker.Passed, ""},
				{"a login that must be rejected", rejected, checker.Passed, ""},
				{"a login that is judged", any, checker.Passed, ""},
				{"a wrong password", radiusAs(at, "lvsd", "wrong", "testing123"), checker.Failed, "the server rejects the login"},
				{"an unknown user", radiusAs(at, "nobody", "hunter2", "testing123"), checker.Failed, "the server rejects the login"},
			}
		},
	})
}

// radiusAs is a check that logs in.
func radiusAs(at *site, user, password, secret string) checker.Radius {
	in := func(name, text string) checker.Secret { return checker.Secret{File: at.secret(name, text)} }
	return checker.Radius{Login: checker.Login{User: user, Password: in("password", password)}, Secret: in("secret", secret)}
}
