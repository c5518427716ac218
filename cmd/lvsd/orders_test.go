package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// TestOrderCommands holds what --help promises: what is printed, and the exit status.
func TestOrderCommands(t *testing.T) {
	lvs2 := netip.MustParseAddr("10.13.0.16")
	for _, tt := range []struct {
		name           string
		args           string
		outcome        api.Ordered
		exit           int
		stdout, stderr string
	}{
		{"handed over", "failover", api.Ordered{OK: true, Routers: []api.Move{
			{Router: "inside", Outcome: "not_master", State: api.Backup, Master: lvs2, MasterPriority: 100},
			{Router: "outside", Outcome: "accepted", State: api.Backup, Master: lvs2, MasterPriority: 100}}}, 0,
			"inside: nothing to do: 10.13.0.16 is Master (priority 100)\noutside: handed over to 10.13.0.16 (priority 100)\n", ""},
		{"nobody was there", "failover outside", api.Ordered{Error: "not all virtual routers were handed over",
			Routers: []api.Move{{Router: "outside", Outcome: "declined", State: api.Master}}}, 1,
			"outside: not handed over: no other director took over in time, and this one goes on as Master\n", "lvsd: not all virtual routers were handed over\n"},
		{"nobody was there, by force", "failover --force", api.Ordered{OK: true,
			Routers: []api.Move{{Router: "outside", Outcome: "let_go", State: api.Backup}}}, 0,
			"outside: let go, although no other director was heard taking over\n", ""},
		{"it does not take part", "failover", api.Ordered{OK: true, Routers: []api.Move{{Router: "outside", Outcome: "not_master", State: api.Initialize}}}, 0,
			"outside: nothing to do: this director is not Master, but Initialize\n", ""},
		{"a name that is not configured", "failover outsite", api.Ordered{Error: `there is no virtual router "outsite": configured are outside`}, 1,
			"", "lvsd: there is no virtual router \"outsite\": configured are outside\n"},
		{"a disk that cannot be unmounted", "failover", api.Ordered{Error: "not all virtual routers were handed over",
			Routers: []api.Move{{Router: "outside", Outcome: "kept", Reason: `resource "mount" "/srv" could not be stopped: exited with status 32: target is busy`, State: api.Master}}}, 1,
			"outside: not handed over: resource \"mount\" \"/srv\" could not be stopped: exited with status 32: target is busy; this one goes on as Master\n", "lvsd: not all virtual routers were handed over\n"},
		{"a hostile name", "failover", api.Ordered{OK: true, Routers: []api.Move{{Router: "a\x1b[2J", Outcome: "declined"}}}, 0,
			"a\\x1b[2J: not handed over: no other director took over in time, and this one goes on as Master\n", ""},
		{"for a program", "failover -o json", api.Ordered{Routers: []api.Move{{Router: "outside", Outcome: "declined", State: api.Master}}, Ended: []string{}, Warnings: []string{}, Error: "no"}, 1,
			`{"ok":false,"routers":[{"router":"outside","outcome":"declined","state":"Master"}],"ended":[],"warnings":[],"error":"no"}` + "\n", "lvsd: no\n"},
		{"a standby", "standby --for 2h", api.Ordered{OK: true, Routers: []api.Move{{Router: "outside", Outcome: "accepted", Master: lvs2, MasterPriority: 100}},
			Standby: &api.Standby{Until: time.Date(2026, 11, 27, 14, 0, 0, 0, time.UTC)}, Warnings: []string{"this is not remembered over a restart of lvsd: no space left on device"}}, 0,
			"outside: handed over to 10.13.0.16 (priority 100)\nin standby: until 2026-11-27 14:00:00, or lvsd resume\n",
			"warning: this is not remembered over a restart of lvsd: no space left on device\n"},
		{"a standby without an end", "standby", api.Ordered{OK: true, Standby: &api.Standby{}}, 0, "in standby: until lvsd resume\n", ""},
		{"a standby that nobody relieves", "standby", api.Ordered{Error: "this director is not in standby", Routers: []api.Move{{Router: "outside", Outcome: "declined"}}}, 1,
			"outside: not handed over: no other director took over in time, and this one goes on as Master\n", "lvsd: this director is not in standby\n"},
		{"resumed", "resume", api.Ordered{OK: true, Ended: []string{`the failover of virtual router "outside", ordered by root (uid 0) 3m0s ago`}}, 0,
			"ended: the failover of virtual router \"outside\", ordered by root (uid 0) 3m0s ago\n", ""},
		{"hooks that are run again", "assert", api.Ordered{Error: "not all hooks have succeeded", Hooks: []api.Asserted{
			{SyncGroup: "nat", On: "master", Program: "/etc/lvsd/hooks/move", Outcome: api.AssertedRun, HookRun: api.HookRun{State: "master", OK: true, Result: "exited with status 0", Took: 1200 * time.Millisecond}},
			{Router: "outside", On: "any", Program: "/etc/lvsd/hooks/a\x1b[2J", Outcome: api.AssertedRun, HookRun: api.HookRun{State: "master", Result: "exited with status 1"}},
			{Router: "outside", On: "master", Program: "/etc/lvsd/hooks/b", Outcome: api.AssertedNot, HookRun: api.HookRun{State: "master"}},
			{Router: "inside", On: "any", Program: "/etc/lvsd/hooks/c", Outcome: api.AssertedUnknown, HookRun: api.HookRun{State: "backup"}}}}, 1,
			"sync group nat: on \"master\" /etc/lvsd/hooks/move: told \"master\", exited with status 0 (1.2s)\n" +
				"outside: on \"any\" /etc/lvsd/hooks/a\\x1b[2J: told \"master\", exited with status 1 (0s)\n" +
				"outside: on \"master\" /etc/lvsd/hooks/b: given up, because the state is not \"master\" any more, and its hooks come first\n" +
				"inside: on \"any\" /etc/lvsd/hooks/c: has not ended yet (see lvsd status)\n", "lvsd: not all hooks have succeeded\n"},
		{"hooks that are run again, for a program", "assert outside -o json", api.Ordered{OK: true, Routers: []api.Move{}, Ended: []string{}, Warnings: []string{}, Hooks: []api.Asserted{
			{Router: "outside", On: "any", Program: "/a", Outcome: api.AssertedRun, HookRun: api.HookRun{State: "master", Asserted: "order", OK: true, Result: "exited with status 0", Took: 1e9, TookText: 1e9}}}}, 0,
			`{"ok":true,"routers":[],"ended":[],"hooks":[{"router":"outside","on":"any","program":"/a","outcome":"run","state":"master","asserted":"order","took_ns":1000000000,"took":"1s","ok":true,"result":"exited with status 0"}],"warnings":[]}` + "\n", ""},
		{"no hook to run again", "assert", api.Ordered{OK: true}, 0, "nothing to run: no hook is for the states that there are\n", ""},
		{"a server is let in", "resume web/192.168.1.4", api.Ordered{OK: true, Ended: []string{"manual_resume of web/192.168.1.4, which failed 3m0s ago, and serves now"}}, 0, "ended: manual_resume of web/192.168.1.4, which failed 3m0s ago, and serves now\n", ""},
		{"nothing to resume", "resume", api.Ordered{OK: true}, 0, "nothing to resume\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append(strings.Fields(tt.args), "--socket", answering(t, oneStatus{ordered: tt.outcome}))
			stdout, stderr, exit := command(t, args...)
			if exit != tt.exit || stdout != tt.stdout || stderr != tt.stderr {
				t.Errorf("exit status %d, output %q, error %q; want %d, %q, %q", exit, stdout, stderr, tt.exit, tt.stdout, tt.stderr)
			}
		})
	}
	for _, args := range [][]string{{"failover"}, {"standby"}, {"resume"}, {"assert"}} {
		if _, stderr, exit := command(t, append(args, "--socket", "/nowhere/lvsd.sock")...); exit != exitNoAnswer || !strings.Contains(stderr, "systemctl start lvsd") {
			t.Errorf("%v without a daemon: exit status %d, error %q", args, exit, stderr)
		}
	}
	for _, lasts := range []string{"--for=0s", "--for=-2h", "--for=2"} {
		if _, _, exit := command(t, "standby", lasts); exit != exitUsage {
			t.Errorf("standby %s: exit status %d", lasts, exit)
		}
	}
	if _, _, exit := command(t, "standby", "outside"); exit != exitUsage {
		t.Errorf("standby takes no names: exit status %d", exit)
	}
}

func TestVRRPCommand(t *testing.T) {
	socket := answering(t, oneStatus{})
	for _, tt := range []struct {
		args string
		exit int
		want string
	}{
		{"vrrp --socket " + socket, 0, "No virtual router is configured"},
		{"vrrp -o json --socket " + socket, 0, "[]\n"},
		{"vrrp outsite --socket " + socket, exitFailure, `no virtual router or sync group "outsite"`},
		{"vrrp --socket /nowhere/lvsd.sock", exitNoAnswer, "systemctl start lvsd"},
		{"vrrp --nonsense", exitUsage, "unknown flag"},
	} {
		stdout, stderr, exit := command(t, strings.Fields(tt.args)...)
		if exit != tt.exit || !strings.Contains(stdout+stderr, tt.want) {
			t.Errorf("%s: exit status %d, %q; want %d, %q", tt.args, exit, stdout+stderr, tt.exit, tt.want)
		}
	}
}
