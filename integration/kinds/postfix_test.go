package kinds

import (
	"os"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "postfix", port: 25, stopped: "connection re", // reset by a process that has not ended yet, or refused
		start: func(at *site) *exec.Cmd {
			certificate, key := at.certificate()
			at.write("conf/main.cf", `
compatibility_level = 3.6
queue_directory = $DIR/queue
data_directory = $DIR/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:nothing is sent
smtpd_tls_security_level = may
smtpd_tls_cert_file = `+certificate+`
smtpd_tls_key_file = `+key+`
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname
maillog_file = /dev/stdout
maillog_file_prefixes = /dev
`)
			const none = " unix n - n - 0 "
			at.write("conf/master.cf", `
$ADDR:25 inet n - n - - smtpd
$ADDR:10025 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy
$ADDR:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup`+none+`cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
rewrite unix - - n - - trivial-rewrite
bounce`+none+`bounce
error unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`)
			os.MkdirAll(at.path("data"), 0o700)
			os.MkdirAll(at.path("queue"), 0o755)
			at.must(exec.Command("chown", "postfix", at.path("data")))
			at.must(exec.Command("/usr/sbin/postfix", "-c", at.path("conf"), "check"))
			// postfix itself would start it as the leader of another process group.
			return at.command("/usr/lib/postfix/sbin/master", "-d", "-c", "$DIR/conf")
		},
		passes: func(*site) checker.Options { return checker.SMTP{} },
		rows: func(at *site) []row {
			verified := checker.Channel{TLS: &checker.TLS{CA: at.path("certificate.pem")}, StartTLS: true}
			unknown := checker.Channel{TLS: &checker.TLS{}, StartTLS: true}
			return []row{
				{"another name", checker.SMTP{Name: "lvs1.example.org"}, checker.Passed, ""},
				{"as behind a proxy, by version 1, whose UNKNOWN it does not know", proxied{checker.SMTP{}, checker.ProxyV1, 10025}, checker.Failed, "421 4.3.0"},
				{"as behind a proxy, by version 2", proxied{checker.SMTP{}, checker.ProxyV2, 10025}, checker.Passed, ""},
				{"STARTTLS", checker.SMTP{Channel: verified}, checker.Passed, ""},
				{"STARTTLS, and an unknown authority", checker.SMTP{Channel: unknown}, checker.Failed, "unknown authority"},
				{"TLS at a port without", checker.SMTP{Channel: checker.Channel{TLS: &checker.TLS{}}}, checker.Failed, "the server does not speak TLS"},
				{"a greeting that does not come", checker.SMTP{Code: 554}, checker.Failed, `"220 mail.example ESMTP`},
			}
		},
		complaint: "lost connection after (EHLO|QUIT)|timeout after|SSL_accept error from .*(reset|lost)|fatal",
	})
}
