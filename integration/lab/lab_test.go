package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// buildLab builds the lab, static and without the race detector: as the first
// process of user-mode Linux it could not run with it.
func buildLab(t *testing.T) string {
	t.Helper()
	if os.Getenv(kernelVariable) != "" {
		t.Skip("this is the lab already")
	}
	if _, err := exec.LookPath("linux.uml"); err != nil && !hasIPVS() {
		t.Skip("there is neither IPVS nor user-mode Linux here")
	}
	path := filepath.Join(t.TempDir(), "lab")
	c := exec.Command("go", "build", "-o", path, ".")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("building the lab: %v: %s", err, out)
	}
	return path
}

// lab runs the lab and returns what came of it.
func lab(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func TestLab(t *testing.T) {
	path := buildLab(t)

	t.Run("output, errors and status are the command's, and IPVS is there", func(t *testing.T) {
		work := t.TempDir()
		t.Chdir(work)
		script := `echo out; echo err >&2; [ -t 1 ] && echo terminal; cat /proc/net/ip_vs | head -1; echo result > left; exit 7`
		stdout, stderr, status := lab(t, path, "-mem", "256M", "sh", "-c", script)
		if !strings.HasPrefix(stdout, "out\nIP Virtual Server") || stderr != "err\n" || status != 7 {
			t.Errorf("stdout %q, stderr %q, status %d", stdout, stderr, status)
		}
		if text, err := os.ReadFile("left"); string(text) != "result\n" {
			t.Errorf("the file left in the working directory: %q, %v", text, err)
		}
	})
	t.Run("modprobe finds the machine's modules", func(t *testing.T) {
		if hasIPVS() {
			t.Skip("the lab's machine is this one")
		}
		stdout, stderr, status := lab(t, path, "-mem", "256M", "sh", "-c", "modprobe -va ip_vs ip_vs_wrr")
		if status != 0 || stderr != "" {
			t.Errorf("stdout %q, stderr %q, status %d", stdout, stderr, status)
		}
	})
	t.Run("a long output arrives whole", func(t *testing.T) {
		stdout, _, status := lab(t, path, "-mem", "256M", "seq", "1", "100000")
		if lines := strings.Count(stdout, "\n"); lines != 100000 || !strings.HasSuffix(stdout, "\n100000\n") || status != 0 {
			t.Errorf("%d lines, status %d", lines, status)
		}
	})
	t.Run("what is no kernel is refused", func(t *testing.T) {
		_, stderr, status := lab(t, path, "-kernel", "minix", "true")
		if status != statusLab || !strings.Contains(stderr, "-kernel minix: here, uml or qemu") {
			t.Errorf("stderr %q, status %d", stderr, status)
		}
	})
	t.Run("the time limit ends it and says so", func(t *testing.T) {
		_, stderr, status := lab(t, path, "-mem", "256M", "-timeout", "5s", "sleep", "1000")
		if status != statusTimeout || !strings.Contains(stderr, "sleep did not end within 5s") {
			t.Errorf("stderr %q, status %d", stderr, status)
		}
	})
	t.Run("a command that is not there is named", func(t *testing.T) {
		_, stderr, status := lab(t, path, "no-such-command")
		if status != statusLab || !strings.Contains(stderr, `"no-such-command"`) {
			t.Errorf("stderr %q, status %d", stderr, status)
		}
	})
}

// needQEMU skips a test where Debian's kernel cannot be emulated.
func needQEMU(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("boots an emulated machine, about 15 s")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip("there is no qemu here (Debian: qemu-system-x86)")
	}
	if _, err := findKernel(); err != nil {
		t.Skip(err)
	}
}

// TestEmulatedMachine boots once: that takes long.
func TestEmulatedMachine(t *testing.T) {
	path := buildLab(t)
	needQEMU(t)
	work := t.TempDir()
	t.Chdir(work)
	script := `echo out; echo err >&2; [ -t 1 ] && echo terminal; head -1 /proc/net/ip_vs; nproc; uname -r
		modprobe nft_chain_nat nft_masq && touch left; touch /etc/left; seq 1 100000; exit 7`
	stdout, stderr, status := lab(t, path, "-kernel", "qemu", "-mem", "256M", "sh", "-c", script)
	k, _ := findKernel()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	want := []string{"out", "IP Virtual Server version 1.2.1 (size=4096)", "2", k.release(), "1"}
	if len(lines) != 100004 || !slices.Equal(lines[:5], want) || lines[100003] != "100000" || status != 7 {
		t.Errorf("%d lines that begin with %q and end with %q, status %d", len(lines), lines[:min(5, len(lines))], lines[len(lines)-1], status)
	}
	if !strings.HasPrefix(stderr, "err\n") || !strings.Contains(stderr, "/etc/left': Read-only file system") {
		t.Errorf("stderr %q", stderr)
	}
	if _, err := os.Stat("left"); err != nil {
		t.Errorf("the file left in the working directory: %v; stderr %q", err, stderr)
	}
}

func TestLabLeavesNothing(t *testing.T) {
	path := buildLab(t)
	for _, tt := range []struct {
		name, kernel string
		signal       syscall.Signal
	}{
		{"interrupted", "uml", syscall.SIGINT},
		{"killed", "uml", syscall.SIGKILL},
		{"interrupted, emulated", "qemu", syscall.SIGINT},
		{"killed, emulated", "qemu", syscall.SIGKILL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.kernel == "qemu" {
				needQEMU(t)
			} else if _, err := exec.LookPath("linux.uml"); err != nil {
				t.Skip("there is no user-mode Linux here")
			}
			// The folder is part of each process's command line.
			folder := t.TempDir()
			c := exec.Command(path, "-kernel", tt.kernel, "-mem", "256M", "sleep", "1000")
			c.Env = append(os.Environ(), "TMPDIR="+folder)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			if n := running(folder); n == 0 {
				t.Error("the machine does not run after 3 s")
			}
			if err := c.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait()
			if left, _ := filepath.Glob(folder + "/lvsd-lab-*"); len(left) > 0 && tt.signal == syscall.SIGINT {
				t.Errorf("left behind: %q", left)
			}
			for deadline := time.Now().Add(5 * time.Second); running(folder) > 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d processes are left", running(folder))
				}
			}
		})
	}
}

// running counts the processes that have the text in their command line.
func running(text string) int {
	n := 0
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), text) {
			n++
		}
	}
	return n
}

func TestTailOfAPanicIsItsReason(t *testing.T) {
	messages := new(tail)
	messages.Write(bytes.Repeat([]byte("noise\r\n"), 3000))
	messages.Write([]byte("sysrq: Trigger a crash\r\nKernel panic - not syncing: sysrq triggered crash\r\nCPU: 0\r\nCall Trace:\r\n"))
	got := strings.Split(messages.String(), "\n")
	if len(got) != 10 || got[9] != "Kernel panic - not syncing: sysrq triggered crash" || got[0] != "noise" {
		t.Errorf("tail = %q", got)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"512M": 512 << 20, "1G": 1 << 30, "64k": 64 << 10, "7": 7, "": 0, "many": 0} {
		if got := parseSize(text); got != want {
			t.Errorf("parseSize(%q) = %d, want %d", text, got, want)
		}
	}
}
