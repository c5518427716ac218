package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

// InLab reports whether this process runs in the lab, so on a kernel with IPVS
// and in namespaces or a machine that nobody else uses.
func InLab() bool { return os.Getenv("LVSD_LAB") != "" }

// InUML reports whether that kernel is user-mode Linux, where a system call is
// dear and time is coarse.
func InUML() bool { return os.Getenv("LVSD_LAB") == "uml" }

// InQEMU reports whether that kernel is Debian's own on an emulated machine, where
// everything takes about ten times as long.
func InQEMU() bool { return os.Getenv("LVSD_LAB") == "qemu" }

// OnOwnKernel reports whether that kernel is the lab's alone, so that its clock and its
// modules may be changed.
func OnOwnKernel() bool { return InUML() || InQEMU() }

// NeedLab skips a test that needs the lab where it does not run there.
func NeedLab(tb testing.TB) {
	tb.Helper()
	if !InLab() {
		tb.Skip("needs a kernel with IPVS: run it by make integration")
	}
}

// Binary returns the path of the built lvsd: LVSD_BIN, or bin/lvsd of the
// source tree. A test without it skips, or fails in the lab.
func Binary(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("LVSD_BIN"); path != "" {
		if _, err := os.Stat(path); err == nil {
			return path
		} else if InLab() {
			tb.Fatalf("LVSD_BIN: %v: make build", err)
		}
		tb.Skipf("LVSD_BIN names %s, which is not built: make build", path)
	}
	for dir, _ := os.Getwd(); dir != "/" && dir != ""; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "bin", "lvsd")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if InLab() {
		tb.Fatal("there is no bin/lvsd: make build")
	}
	tb.Skip("there is no bin/lvsd: make build")
	return ""
}

// Start builds a cluster for a test and closes it at its end. Where the test
// failed, it shows what the daemons said.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("network namespaces need root")
	}
	c, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			c.logAll(tb)
		}
		if err := c.Close(); err != nil {
			tb.Errorf("closing the cluster: %v", err)
		}
	})
	return c
}

func (c *Cluster) logAll(tb testing.TB) {
	logs, _ := filepath.Glob(filepath.Join(c.Dir, "*", "*.log"))
	for _, path := range logs {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			tb.Logf("%s:\n%s", path[len(c.Dir)+1:], lastLines(string(text), 40))
		}
	}
}
