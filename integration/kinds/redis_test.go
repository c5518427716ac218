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
}
