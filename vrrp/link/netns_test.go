package link_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
	"github.com/lvsd/lvsd/vrrp/link"
)

// insideVar says that this process has a network namespace of its own.
const insideVar = "LVSD_TEST_NETNS"

// TestMain runs the tests in a network namespace that ends with them: nothing
// that they do to interfaces reaches the machine.
func TestMain(m *testing.M) {
	if os.Getenv(insideVar) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	default:
		fmt.Printf("SKIP: no network namespace can be made (root is needed): %v\n", err)
	}
}

// ip runs an ip command.
func ip(t *testing.T, args string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
	return string(out)
}

// cable makes a pair of connected interfaces that are up, without duplicate
// address detection so that tests need not wait for it.
func cable(t *testing.T, a, b string) {
	t.Helper()
	ip(t, "link add "+a+" type veth peer name "+b)
	for _, name := range []string{a, b} {
		sysctl(t, "net/ipv6/conf/"+name+"/accept_dad", "0")
		sysctl(t, "net/ipv4/conf/"+name+"/accept_local", "1")
		sysctl(t, "net/ipv4/conf/"+name+"/rp_filter", "0")
		ip(t, "link set "+name+" up")
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", a).Run() })
}

func sysctl(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// host makes a namespace with one end of a cable in it, and returns a function
// that runs commands there.
func host(t *testing.T, end string) (run func(args string) string) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := strconv.Itoa(cmd.Process.Pid)
	ip(t, "link set "+end+" netns "+pid)
	run = func(args string) string {
		t.Helper()
		out, err := exec.Command("nsenter", append([]string{"-t", pid, "-n"}, strings.Fields(args)...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", args, err, out)
		}
		return string(out)
	}
	run("ip link set " + end + " up")
	return run
}

// open returns a Link that runs until the test ends.
func open(t *testing.T, ports ...vrrp.Port) *link.Link {
	t.Helper()
	l, err := link.Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	l.Listen(ports)
	wait(t, "the sockets are open", func() bool {
		for _, p := range ports {
			if why, ok := l.Interfaces().Ports[p]; !ok || why != "" {
				return false
			}
		}
		return l.Interfaces().ByName != nil
	})
	return l
}

// wait polls until what is told is true.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}
