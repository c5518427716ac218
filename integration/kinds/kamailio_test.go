package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "kamailio", port: 5060,
		start: func(at *site) *exec.Cmd {
			at.write("kamailio.cfg", `#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:$ADDR:5060
listen=tcp:$ADDR:5060
loadmodule "pv.so"
loadmodule "sl.so"
request_route {
  if ($rm != "OPTIONS") {
    sl_send_reply("405", "Method Not Allowed");
  } else if ($rU == "gone") {
    sl_send_reply("404", "Not Found");
  } else if ($fd == "stranger.example") {
    sl_send_reply("403", "Forbidden");
  } else if ($rU == "slow") {
    sl_send_reply("100", "Trying");
    sl_send_reply("200", "OK");
  } else {
    sl_send_reply("200", "OK");
  }
}
`)
			return at.command("kamailio", "-DD", "-E", "-f", "$DIR/kamailio.cfg", "-m", "32", "-M", "4", "-Y", "$DIR", "-P", "$DIR/pid")
		},
		passes: func(*site) checker.Options { return checker.SIP{} },
		rows: func(*site) []row {
			gone := checker.StatusRanges{{First: 200, Last: 200}, {First: 404, Last: 404}}
			return []row{
				{"by TCP", checker.SIP{TCP: true}, checker.Passed, ""},
				{"a URI", checker.SIP{URI: "sip:lvsd@example.org", From: "sip:lvs1@example.org"}, checker.Passed, ""},
				{"a user who is not there", checker.SIP{URI: "sip:gone@example.org"}, checker.Failed, "status 404 Not Found, want 200-299"},
				{"a user who need not be there", checker.SIP{URI: "sip:gone@example.org", Status: gone}, checker.Passed, ""},
				{"by TCP, a user who is not there", checker.SIP{TCP: true, URI: "sip:gone@example.org"}, checker.Failed, "status 404 Not Found, want 200-299"},
				{"somebody whom it does not know", checker.SIP{From: "sip:lvsd@stranger.example"}, checker.Failed, "status 403 Forbidden, want 200-299"},
				{"it is trying, and then well", checker.SIP{URI: "sip:slow@example.org"}, checker.Passed, ""},
				{"by TCP, it is trying, and then well", checker.SIP{TCP: true, URI: "sip:slow@example.org"}, checker.Passed, ""},
			}
		},
		hung:      "timeout after 500ms while waiting for the answer",
		complaint: "ERROR|WARNING.*(parse|tcp_read|receive)",
	})
}
