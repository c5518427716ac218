package kinds

import (
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// clock is the program of a time server: the machine's, or the one that
// integration/packages has unpacked.
func clock() string {
	cache, _ := os.UserCacheDir()
	for _, path := range []string{"/usr/sbin/chronyd", filepath.Join(cache, "lvsd-lab/chrony/usr/sbin/chronyd")} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return "chronyd"
}

func init() {
	register(server{
		name: "chrony", port: 123,
		start: func(at *site) *exec.Cmd {
			at.write("chrony.conf", `
local stratum 5
allow 127.0.0.0/8
bindaddress $ADDR
cmdport 0
bindcmdaddress /
pidfile $DIR/pid
`)
			return at.command(clock(), "-d", "-x", "-u", "root", "-f", "$DIR/chrony.conf") // -x: it leaves the machine's clock alone
		},
		passes: func(*site) checker.Options { return checker.NTP{} },
		rows: func(*site) []row {
			return []row{
				{"its stratum and its clock are good enough", checker.NTP{Stratum: 5, Offset: time.Minute}, checker.Passed, ""},
				{"its stratum is not", checker.NTP{Stratum: 4}, checker.Failed, "stratum 5, want 4 at most"},
			}
		},
		hung: "timeout after 500ms while waiting for the answer",
	})
}
