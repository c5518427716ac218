package orders

import (
	"fmt"
	"io"
	"os"
	"os/exec"
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
	case "executes itself":
		os.Setenv(helperEnv, "was executed")
		fmt.Println("begins")
		Replace(func() { _ = unix.Exec("/proc/self/exe", os.Args, os.Environ()) })
		fallthrough
	case "was executed":
		for !End() {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("was told to end")
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
	// Ctrl-C ends every other command.
	for _, arguments := range [][]string{{"status"}, nil} {
		c := exec.Command("/proc/self/exe", arguments...)
		c.Env = append(os.Environ(), helperEnv+"=signals itself")
		_ = c.Run()
		if status := c.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != unix.SIGHUP {
			t.Errorf("lvsd %v: %v, want it ended by SIGHUP", arguments, c.ProcessState)
		}
	}
}

// Whichever moment the signals meet while the daemon executes itself, SIGHUP does
// not end it, and SIGTERM does.
func TestNoSignalIsLostWhileTheDaemonExecutesItself(t *testing.T) {
	for i := range 40 {
		c := exec.Command("/proc/self/exe", "run")
		c.Env = append(os.Environ(), helperEnv+"=executes itself")
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, len("begins\n"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		_ = c.Process.Signal(unix.SIGHUP)
		time.Sleep(time.Duration(i%7) * 100 * time.Microsecond)
		_ = c.Process.Signal(unix.SIGTERM)
		timer := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
		_, _ = io.Copy(io.Discard, out)
		err = c.Wait()
		timer.Stop()
		if status := c.ProcessState.Sys().(syscall.WaitStatus); err != nil && status.Signal() != unix.SIGTERM {
			t.Fatalf("signals after %d µs: %v", i*50, err)
		}
	}
}
