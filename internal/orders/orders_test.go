package orders

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperEnv tells this test's binary what to be.
const helperEnv = "LVSD_TEST_ORDERS"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "signals itself": // before anything but packages was initialized
		_ = unix.Kill(unix.Getpid(), unix.SIGHUP)
		time.Sleep(10 * time.Millisecond)
		fmt.Println("after SIGHUP:", End())
		_ = unix.Kill(unix.Getpid(), unix.SIGTERM)
		for begin := time.Now(); !End() && time.Since(begin) < 20*time.Second; {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("after SIGTERM:", End(), End())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestNoProcessOfTheDaemonIsEndedByASignalBeforeItListens(t *testing.T) {
	for _, command := range []string{"run", "keeper", Read} {
		c := exec.Command("/proc/self/exe", command)
		c.Env = append(os.Environ(), helperEnv+"=signals itself")
		out, err := c.CombinedOutput()
		if err != nil || string(out) != "after SIGHUP: false\nafter SIGTERM: true true\n" {
			t.Errorf("%s: %v, it printed %q", command, err, out)
		}
	}
	// Ctrl-C ends every other command. Those whose parent ignores a signal ignore it, too,
	// so this process does not.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
	for _, arguments := range [][]string{{"status"}, nil} {
		c := exec.Command("/proc/self/exe", arguments...)
		c.Env = append(os.Environ(), helperEnv+"=signals itself")
		_ = c.Run()
		if status := c.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != unix.SIGHUP {
			t.Errorf("lvsd %v: %v, want it ended by SIGHUP", arguments, c.ProcessState)
		}
	}
}
