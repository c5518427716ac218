package kinds

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	box := func(at *site, user, password string, start bool) checker.Mailbox {
		var m checker.Mailbox
		if start {
			m.Channel = checker.Channel{TLS: &checker.TLS{CA: at.path("certificate.pem")}, StartTLS: true}
		}
		if user != "" {
			m.Login = checker.Login{User: user, Password: checker.Secret{File: password}}
		}
		return m
	}
	rows := func(port uint16, of func(checker.Mailbox) checker.Options) func(*site) []row {
		return func(at *site) []row {
			right, wrong := at.secret("right", "se\\cret \"1\""), at.secret("wrong", "guess")
			unknown := checker.Mailbox{Channel: checker.Channel{TLS: &checker.TLS{}, StartTLS: true}}
			return []row{
				{"a login", of(box(at, "ann", right, false)), checker.Passed, ""},
				{"a login as behind a proxy, by version 1", proxied{of(box(at, "ann", right, false)), checker.ProxyV1, 10000 + port}, checker.Passed, ""},
				{"a login as behind a proxy, by version 2", proxied{of(box(at, "ann", right, true)), checker.ProxyV2, 10000 + port}, checker.Passed, ""},
				{"a login by TLS", of(box(at, "ann", right, true)), checker.Passed, ""},
				{"a wrong password", of(box(at, "ann", wrong, true)), checker.Failed, `the server does not let user "ann" in: `},
				{"a password that is not there", of(box(at, "ann", at.path("none"), true)), checker.NotRun, "the check cannot log in"},
				{"STARTTLS, and an unknown authority", of(unknown), checker.Failed, "unknown authority"},
				{"TLS at a port without", of(checker.Mailbox{Channel: checker.Channel{TLS: &checker.TLS{}}}), checker.Failed, "the server does not speak TLS"},
			}
		}
	}
	imap := func(m checker.Mailbox) checker.Options { return checker.IMAP{Mailbox: m} }
	pop3 := func(m checker.Mailbox) checker.Options { return checker.POP3{Mailbox: m} }
	const complaint = "Error: |Panic: |Fatal: |reset by peer"
	register(server{
		name: "dovecot, by imap", port: 143, start: startDovecot, rows: rows(143, imap), complaint: complaint,
		passes: func(at *site) checker.Options { return imap(box(at, "", "", true)) },
	})
	register(server{
		name: "dovecot, by pop3", port: 110, start: startDovecot, rows: rows(110, pop3), complaint: complaint,
		passes: func(at *site) checker.Options { return pop3(box(at, "", "", true)) },
	})
}

func startDovecot(at *site) *exec.Cmd {
	certificate, key := at.certificate()
	at.write("users", "ann:{PLAIN}se\\cret \"1\"::::::\n")
	owner, err := user.Lookup("dovecot")
	if err == nil {
		at.write("mail/ann/empty", "")
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		os.Chown(at.path("mail"), uid, gid)
		os.Chown(at.path("mail/ann"), uid, gid)
	}
	at.write("dovecot.conf", `
base_dir = $DIR/run
state_dir = $DIR/state
listen = $ADDR
protocols = imap pop3
log_path = /dev/stderr
ssl = yes
ssl_cert = <`+certificate+`
ssl_key = <`+key+`
disable_plaintext_auth = no
mail_location = maildir:$DIR/mail/%u
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0
haproxy_trusted_networks = 127.0.0.0/8
service imap-login {
  inet_listener haproxy {
    port = 10143
    haproxy = yes
  }
}
service pop3-login {
  inet_listener haproxy {
    port = 10110
    haproxy = yes
  }
}
service anvil {
  chroot =
}
passdb {
  driver = passwd-file
  args = $DIR/users
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=$DIR/mail/%u
}
`)
	return at.command("dovecot", "-F", "-c", "$DIR/dovecot.conf")
}
