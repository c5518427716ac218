package kinds

import (
	"os"
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "leafnode", port: 119,
		start: func(at *site) *exec.Cmd {
			// Its paths are fixed, and it refuses names that are for examples.
			at.write("etc/config", "server = localhost\nexpire = 20\nhostname = news.director.lvs\n")
			for _, dir := range []string{"leaf.node", "interesting.groups", "message.id", "temp.files", "failed.postings", "out.going"} {
				os.MkdirAll(at.path("spool/"+dir), 0o755)
			}
			at.write("spool/leaf.node/groupinfo", "comp.lang.go 5 1 1795478400 The Go language\n")
			own := at.command("chown", "-R", "news:news", "$DIR/etc", "$DIR/spool")
			if err := own.Run(); err != nil {
				at.t.Skipf("%v: %v", own.Args, err)
			}
			return at.command("unshare", "-m", "sh", "-c", `mount --bind $DIR/etc /etc/news/leafnode &&
mount --bind $DIR/spool /var/spool/news &&
exec socat TCP-LISTEN:119,bind=$ADDR,fork,reuseaddr EXEC:"setpriv --reuid news --regid news --clear-groups /usr/sbin/leafnode",pipes`)
		},
		passes: func(*site) checker.Options { return checker.NNTP{} },
		rows: func(at *site) []row {
			in := checker.NNTP{Login: checker.Login{User: "lvsd", Password: checker.Secret{File: at.secret("password", "hunter2")}}}
			return []row{
				{"a newsgroup", checker.NNTP{Group: "comp.lang.go"}, checker.Passed, ""},
				{"no newsgroup", checker.NNTP{Group: "no.such.group"}, checker.Failed, `"411 No such group" came while waiting for the answer to GROUP, want 211`},
				{"a login, where there are none", in, checker.Failed, `the server does not let user "lvsd" in: "500 Unknown command"`},
				{"STARTTLS, where there is none", checker.NNTP{Channel: checker.Channel{TLS: &checker.TLS{}, StartTLS: true}}, checker.Failed, "the server does not offer STARTTLS"},
			}
		},
		hung:      "timeout after 500ms while waiting for the greeting",
		complaint: "Broken pipe|reset by peer",
	})
}
