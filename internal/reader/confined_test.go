package reader_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/reader"
)

// forever takes longer to read than any limit allows.
const forever = `
locals {
  a = join("", [for i in range(1000) : "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
  x = [for i in range(1000) : length(regexall("(a?){400}b", local.a))]
}
`

func TestTheChildHasNoPrivilegesNoSocketAndNoSignals(t *testing.T) {
	hugePages := withoutHugePages(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := newReader(limits).Read(ctx, reader.Query{Path: file(t, forever), Node: "lvs1"})
		ended <- err
	}()
	dir := childWithFile(t)
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"CapInh": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapAmb": "0000000000000000",
		"NoNewPrivs": "1", "Uid": strconv.Itoa(os.Getuid()),
		"THP_enabled": hugePages, // which lvsd run does without
	} {
		if got := field(string(status), name); got != want {
			t.Errorf("%s of the child is %s, want %s", name, got, want)
		}
	}
	// SIGHUP, SIGINT and SIGTERM, which are sent to the whole control group. It may
	// have been started with others ignored.
	const group = 1 | 1<<1 | 1<<14 // bit n-1 is signal n
	ignored, err := strconv.ParseUint(field(string(status), "SigIgn"), 16, 64)
	if err != nil || ignored&group != group {
		t.Errorf("the child ignores the signals %#x, %v, want all of %#x among them", ignored, err, group)
	}
	for _, open := range descriptors(dir) {
		if strings.HasPrefix(open, "socket:") {
			t.Errorf("the child has a socket: %s", open)
		}
	}
	cancel()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("the reading ended with %v", err)
	}
}

// withoutHugePages has this process do without huge pages, as lvsd run does, and
// returns whether it had them ("1").
func withoutHugePages(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	set := func(off uintptr) {
		if err := unix.Prctl(unix.PR_SET_THP_DISABLE, off, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	had := field(string(status), "THP_enabled")
	if had == "1" {
		set(1)
		t.Cleanup(func() { set(0) })
	}
	return had
}

// childWithFile waits until this process has a child that is reading, and
// returns its folder in /proc.
func childWithFile(t *testing.T) string {
	t.Helper()
	for range 500 {
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, stat := range stats {
			text, _ := os.ReadFile(stat)
			_, after, named := strings.Cut(string(text), "(lvsd-config) ")
			if named && strings.HasPrefix(after[1:], fmt.Sprintf(" %d ", os.Getpid())) {
				return filepath.Dir(stat)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no child appeared")
	return ""
}

// field returns the first value of a line of /proc/PID/status.
func field(status, name string) string {
	for line := range strings.Lines(status) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name+":" {
			return words[1]
		}
	}
	return "missing"
}

// descriptors lists what the file descriptors of a process refer to.
func descriptors(dir string) (all []string) {
	links, _ := filepath.Glob(filepath.Join(dir, "fd", "*"))
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil {
			all = append(all, to)
		}
	}
	return all
}

// "permission denied" alone puzzles root, who can read every file otherwise.
func TestRootIsToldWhyAFileOfAnotherUserCannotBeRead(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := file(t, service)
	const nobody = 65534
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	_, err := newReader(limits).Read(t.Context(), reader.Query{Path: path, Node: "lvs1"})
	if err == nil || !strings.Contains(err.Error(), "permission denied: it is read without root's privilege") {
		t.Errorf("error %v", err)
	}
}
