package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	as := func(at *site, user, password string) func(*checker.HTTP) {
		file := at.secret(user+"-"+password, password+"\n")
		return func(h *checker.HTTP) {
			h.Login = checker.Login{User: user, Password: checker.Secret{File: file}}
		}
	}
	register(server{
		name: "apache, with a login", port: 80,
		start: func(at *site) *exec.Cmd {
			at.write("root/page", "all is well")
			at.write("root/members/page", "all is well")
			at.write("users", "lvsd:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n") // secret
			at.write("config", `ServerRoot /usr/lib/apache2
ServerName localhost
Listen $ADDR:80
PidFile $DIR/pid
DocumentRoot $DIR/root
ErrorLog /dev/stderr
LogLevel info
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule auth_basic_module modules/mod_auth_basic.so
<Location /members>
  AuthType Basic
  AuthName members
  AuthUserFile $DIR/users
  Require valid-user
</Location>
`)
			return at.command("apache2", "-X", "-f", "$DIR/config")
		},
		passes: func(at *site) checker.Options { return page(on("/members/page"), as(at, "lvsd", "secret")) },
		rows: func(at *site) []row {
			return []row{
				{"a page that is open", page(), checker.Passed, ""},
				{"its digest, as genhash prints it", page(func(h *checker.HTTP) { h.Digest = "md5:10b7e0dd2eb6ae7eb8ff1d32aeea18c0" }), checker.Failed, "has the digest"},
				{"nobody", page(on("/members/page")), checker.Failed, "status 401, want 200-299"},
				{"a wrong password", page(on("/members/page"), as(at, "lvsd", "guess")), checker.Failed, "status 401, want 200-299"},
				{"somebody else", page(on("/members/page"), as(at, "root", "secret")), checker.Failed, "status 401, want 200-299"},
			}
		},
		hung: "timeout after 500ms while reading the response header",
	})
}
