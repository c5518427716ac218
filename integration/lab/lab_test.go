package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

func TestLabLeavesNothing(t *testing.T) {
	path := buildLab(t)
	if hasIPVS() {
		t.Skip("the lab's machine is this one")
	}
	for name, s := range map[string]syscall.Signal{"interrupted": syscall.SIGINT, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			// The folder is part of each process's command line.
			folder := t.TempDir()
			c := exec.Command(path, "-mem", "256M", "sleep", "1000")
			c.Env = append(os.Environ(), "TMPDIR="+folder)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			if n := running(folder); n == 0 {
				t.Error("user-mode Linux does not run after 3 s")
			}
			if err := c.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait()
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
