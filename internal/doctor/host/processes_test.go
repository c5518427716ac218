package host_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/doctor"
)

// keepalived and ldirectord as Debian has them are seen by the names that they give
// themselves, and no more once they have ended.
func TestDaemonsOfDebianAreSeen(t *testing.T) {
	c, _ := byNAT(t)
	folder := t.TempDir()
	for _, tt := range []struct {
		name, config string
		args         []string
	}{
		{"keepalived", "vrrp_instance a {\n  interface br0\n  virtual_router_id 77\n  priority 10\n  unicast_peer {\n    192.168.1.99\n  }\n  virtual_ipaddress {\n    10.13.0.209/32\n  }\n}\n",
			[]string{"-n", "-l", "-p", folder + "/k.pid", "-r", folder + "/v.pid", "-f"}},
		{"ldirectord", "checktimeout=3\ncheckinterval=10\nvirtual=10.13.0.209:80\n\treal=192.168.1.4:80 masq\n\tchecktype=on\n\tscheduler=rr\n", []string{"-d"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, err := exec.LookPath(tt.name)
			if err != nil {
				t.Skip(tt.name + " is not installed")
			}
			file := filepath.Join(folder, tt.name+".conf")
			if err := os.WriteFile(file, []byte(tt.config), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append(tt.args, file)
			if tt.name == "ldirectord" {
				args = append(args, "start")
			}
			daemon := exec.Command(path, args...)
			if err := daemon.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- daemon.Wait() }()
			t.Cleanup(func() { _ = daemon.Process.Kill() })
			examine := func() doctor.Result { return look(t, c, "second-daemon") }
			judged(t, examine, api.Wrong, api.Error)
			if r := examine(); r.Judgement == api.Wrong && !strings.Contains(r.Wrongs[0].Text, tt.name+" runs") {
				t.Errorf("%+v", r.Wrongs)
			}
			_ = daemon.Process.Signal(unix.SIGTERM)
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				t.Fatal("it does not end")
			}
			judged(t, examine, api.Fine, "")
		})
	}
}

// judged waits until an examination ends in one way, and in the severity of what is wrong.
func judged(t *testing.T, look func() doctor.Result, want api.Judgement, severity api.Severity) {
	t.Helper()
	var r doctor.Result
	for range 40 {
		if r = look(); r.Judgement == want && (want != api.Wrong || r.Wrongs[0].Severity == severity) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it is %s %q %+v, want %s %s", r.Judgement, r.Why, r.Wrongs, want, severity)
}

// Root without CAP_SYS_NICE, as in a container, may have no real-time priority.
func TestRealtimeIsRefusedWithoutItsCapability(t *testing.T) {
	c, _ := byNAT(t)
	if r := look(t, c, "realtime"); r.Judgement != api.Fine {
		t.Skipf("this machine grants none itself: %+v", r.Wrongs)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	nice(t, false)
	defer nice(t, true)
	if r := look(t, c, "realtime"); r.Judgement != api.Wrong || r.Wrongs[0].Remedy == "" {
		t.Errorf("without CAP_SYS_NICE: %s %+v", r.Judgement, r.Wrongs)
	}
	nice(t, true)
	if r := look(t, c, "realtime"); r.Judgement != api.Fine {
		t.Errorf("with it again: %+v", r.Wrongs)
	}
}

// nice has CAP_SYS_NICE in effect for this thread, or not. It stays permitted, and the thread
// goes on: with it would end the processes that it has started.
func nice(t *testing.T, effective bool) {
	t.Helper()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
	data[0].Effective &^= 1 << unix.CAP_SYS_NICE
	if effective {
		data[0].Effective |= 1 << unix.CAP_SYS_NICE
	}
	if err := unix.Capset(&head, &data[0]); err != nil {
		t.Fatal(err)
	}
}
