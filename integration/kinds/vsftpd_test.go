package kinds

import (
	"os"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "vsftpd", port: 21,
		start: func(at *site) *exec.Cmd {
			certificate, key := at.certificate()
			at.write("files/pub/lvsd.txt", "all is well\n")
			os.MkdirAll(at.path("empty"), 0o755)
			return at.command("vsftpd", at.write("vsftpd.conf", `
listen=YES
background=NO
listen_address=$ADDR
anonymous_enable=YES
local_enable=YES
anon_root=$DIR/files
secure_chroot_dir=$DIR/empty
xferlog_enable=YES
vsftpd_log_file=$DIR/log
log_ftp_protocol=YES
seccomp_sandbox=NO
delay_failed_login=0
ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file=`+certificate+`
rsa_private_key_file=`+key+`
`))
		},
		passes: func(*site) checker.Options { return checker.FTP{} },
		rows: func(at *site) []row {
			at.watch("log")
			file := func(name, text string) checker.FTP {
				f := checker.FTP{Login: checker.Login{User: "anonymous"}, File: name}
				f.Expect.Text = []byte(text)
				return f
			}
			secure := checker.Channel{TLS: &checker.TLS{CA: at.path("certificate.pem")}, StartTLS: true}
			covered := file("pub/lvsd.txt", "")
			covered.Channel = secure
			stranger := checker.FTP{Login: checker.Login{User: "nobody-here", Password: checker.Secret{File: at.secret("wrong", "guess")}}}
			return []row{
				{"a file", file("pub/lvsd.txt", ""), checker.Passed, ""},
				{"no file", file("pub/none.txt", ""), checker.Failed, `"550 Could not get file size." came while waiting for the answer to SIZE`},
				{"what is in a file", file("pub/lvsd.txt", "well"), checker.Passed, ""},
				{"what is not in a file", file("pub/lvsd.txt", "lost"), checker.Failed, `does not match "lost"; it begins with "all is well\n"`},
				{"no file to read", file("pub/none.txt", "x"), checker.Failed, `"550 Failed to open file." came while waiting for the answer to RETR`},
				{"a wrong password", stranger, checker.Failed, `the server does not let user "nobody-here" in: "530 Login incorrect."`},
				{"AUTH TLS", checker.FTP{Channel: secure}, checker.Passed, ""},
				{"a file, by TLS", covered, checker.Passed, ""},
			}
		},
		complaint: `FAIL DOWNLOAD.*lvsd.txt|"42[16]`,
	})
}
