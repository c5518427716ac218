// Package netnstest runs tests in network namespaces of their own, so that
// nothing that they do to interfaces reaches the machine. Only tests import it.
package netnstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// insideVar says that this process is in a network namespace of its own.
const insideVar = "LVSD_TEST_NETNS"

// Main runs a package's tests in a network namespace that ends with them. It is
// the last call of a TestMain, and exits. Without root it says so and skips
// them all.
func Main(m *testing.M) {
	if os.Getenv(insideVar) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.SysProcAttr = isolated()
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	default:
		fmt.Printf("SKIP: no network namespace can be made (root is needed): %v\n", err)
		os.Exit(0)
	}
}

// isolated starts a process in a new network namespace. It dies with this one.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
}

// A Host is one more network namespace, until the test ends. A process that
// sleeps holds it.
type Host struct {
	// PID is that process's, as nsenter and ip know the namespace.
	PID string
	tb  testing.TB
}

// NewHost makes a host without any cable, whose loopback interface is up.
func NewHost(tb testing.TB) *Host {
	tb.Helper()
	cmd := exec.Command("sleep", "infinity")
	cmd.SysProcAttr = isolated()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	h := &Host{PID: strconv.Itoa(cmd.Process.Pid), tb: tb}
	h.Run("ip link set lo up")
	return h
}

// Run runs a command, words between spaces, on the host, and returns what it
// printed. The test fails where the command does.
func (h *Host) Run(line string) string {
	h.tb.Helper()
	return Run(h.tb, "nsenter -t "+h.PID+" -n "+line)
}

// Run runs a command in the test's own namespace.
func Run(tb testing.TB, line string) string {
	tb.Helper()
	words := strings.Fields(line)
	out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v: %s", line, err, out)
	}
	return string(out)
}
