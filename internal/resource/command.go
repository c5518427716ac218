package resource

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/internal/text"
)

// systemd is there if it has started this machine (sd_booted(3)).
const systemd = "/run/systemd/system"

// beside has systemd run a mount: lvsd's unit has a view of the file system of its own,
// and what is mounted there is seen by nobody else. A oneshot is waited for, and unlike
// with --wait, no D-Bus is needed.
var beside = []string{"/usr/bin/systemd-run", "--quiet", "--collect", "--no-ask-password", "--service-type=oneshot", "--"}

// command is the program that does something about a resource.
func command(a Action, r config.Resource, booted bool) spawn.Command {
	args := map[Action][]string{Look: r.Status, Start: r.Start, Stop: r.Stop}[a]
	if r.Directory != "" && booted {
		args = append(beside[:len(beside):len(beside)], args...)
	}
	env := []string{"LVSD_ROUTER=" + r.Router, "LVSD_GROUP=" + r.Group, "LVSD_RESOURCE=" + r.Name}
	return spawn.Command{Args: args, Env: env, User: r.User, Timeout: r.Timeout}
}

// outcome is what a program's end means.
func outcome(a Action, o spawn.Outcome, err error) Result {
	r := Result{OK: err == nil && o.OK()}
	switch {
	case err != nil:
		r.Text = err.Error()
	case a == Look:
		// What ends by itself has looked: "0 if the service is running" (LSB, systemctl).
		r.OK, r.Runs = !o.TimedOut && !o.Canceled && o.Signal == 0, o.OK()
	case !r.OK:
		r.Text = o.String()
		if lines := o.Lines(); len(lines) > 0 {
			r.Text += ": " + text.Printable(lines[0])
		}
	}
	return r
}

// mounted looks whether something is mounted on a directory.
func mounted(directory string) Result {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return Result{Text: err.Error()}
	}
	defer f.Close()
	found, err := isMounted(f, directory)
	if err != nil {
		return Result{Text: fmt.Sprintf("reading what is mounted: %v", err)}
	}
	return Result{OK: true, Runs: found}
}

// isMounted looks into a list of mounts, of which the fifth field is the mount point
// (proc_pid_mountinfo(5)).
func isMounted(list io.Reader, directory string) (bool, error) {
	lines := bufio.NewScanner(list)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && unescaped(fields[4]) == directory {
			return true, nil
		}
	}
	return false, lines.Err()
}

// unescaped is a path without the kernel's escapes: \040 is a space.
func unescaped(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}
