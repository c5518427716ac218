package program

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// kilobytes returns a size of this process by its name in proc_pid_status(5): RssFile is
// how much of its memory is pages of files.
func kilobytes(t *testing.T, name string) (n uintptr) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\n"+name+":")
	if _, err := fmt.Sscanf(rest, "%d kB", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAProgramGivesItsPagesBackAndRunsOn(t *testing.T) {
	all, err := mappings()
	if err != nil || len(all) == 0 {
		t.Fatalf("the program is at %v, error %v", all, err)
	}
	var size uintptr
	for _, m := range all {
		size += (m.end - m.start) >> 10
		if err := m.advise(unix.MADV_POPULATE_READ); err != nil {
			t.Skip("only a kernel since 5.14 maps a whole program when asked to")
		}
	}
	before := kilobytes(t, "RssFile")
	if err := DropPages(); err != nil {
		t.Fatal(err)
	}
	if after := kilobytes(t, "RssFile"); before < size || after > before-size/4 {
		t.Errorf("of a program of %d kB, %d were in memory before, and %d are after", size, before, after)
	}
}

// "At rest it uses 3 MB of its program, and 8 are in memory."
func TestAPageThatIsUsedAgainComesBackAlone(t *testing.T) {
	defer func() { mu.Lock(); defer mu.Unlock(); join() }()
	all, err := mappings()
	if err != nil || len(all) == 0 {
		t.Fatalf("the program is at %v, error %v", all, err)
	}
	if err := DropAllButUsed(time.Hour); err != nil {
		t.Fatal(err)
	}
	alone := kilobytes(t, "RssFile")
	if split, err := mappings(); err != nil || len(split) < 10*len(all) {
		t.Errorf("%d mappings of the program became %d, error %v", len(all), len(split), err)
	}
	if err := DropAllButUsed(time.Millisecond); err != nil { // and once more, before that has ended
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		now, err := mappings()
		if err == nil && slices.Equal(now, all) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d mappings of the program are now %d, error %v", len(all), len(now), err)
		}
	}
	if err := DropPages(); err != nil {
		t.Fatal(err)
	}
	if around := kilobytes(t, "RssFile"); alone > around-around/4 {
		t.Errorf("%d kB of the program come back page by page, and %d with what is around", alone, around)
	}
}

func TestTheCodeOfAPackageComesBackBeforeItIsUsed(t *testing.T) {
	defer func() { mu.Lock(); defer mu.Unlock(); join() }()
	all, err := mappings()
	if err != nil {
		t.Fatal(err)
	}
	code := codeOf(all, []string{"runtime"})
	for _, m := range code {
		if f := runtime.FuncForPC(m.start); !strings.HasPrefix(f.Name(), "runtime.") {
			t.Errorf("%s is not in package runtime", f.Name())
		}
		if err := m.advise(unix.MADV_POPULATE_READ); err != nil {
			t.Skip("only a kernel since 5.14 maps code when asked to")
		}
	}
	size := uintptr(len(code)) * uintptr(os.Getpagesize()) >> 10
	var after [2]uintptr
	for i, packages := range [][]string{nil, {"runtime"}} {
		if err := DropAllButUsed(time.Hour, packages...); err != nil {
			t.Fatal(err)
		}
		after[i] = kilobytes(t, "RssFile")
	}
	if size < 100 || after[1] < after[0]+size/4 {
		t.Errorf("%d kB of the program come back with the %d kB of package runtime, and %d without", after[1], size, after[0])
	}
}

func TestThePackageOfAFunction(t *testing.T) {
	for _, tt := range []struct {
		function any
		want     string
	}{
		{DropPages, "github.com/lvsd/lvsd/internal/program"},
		{mapping.drop, "github.com/lvsd/lvsd/internal/program"},
		{unix.Madvise, "golang.org/x/sys/unix"},
		{strings.Cut, "strings"},
	} {
		if got := packageOf(runtime.FuncForPC(reflect.ValueOf(tt.function).Pointer())); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestALockedProgramGivesItsPagesBackAndStaysLocked(t *testing.T) {
	all, err := mappings()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, _, errno := unix.Syscall(unix.SYS_MLOCK2, m.start, m.end-m.start, unix.MLOCK_ONFAULT); errno != 0 {
			t.Skip("the program cannot be locked here:", errno)
		}
		defer unix.Syscall(unix.SYS_MUNLOCK, m.start, m.end-m.start, 0)
		if m.advise(unix.MADV_POPULATE_READ) != nil || m.advise(unix.MADV_DONTNEED_LOCKED) != nil {
			t.Skip("only a kernel since 5.18 drops what is locked")
		}
		if err := m.advise(unix.MADV_POPULATE_READ); err != nil {
			t.Fatal(err)
		}
	}
	before, locked := kilobytes(t, "RssFile"), kilobytes(t, "VmLck")
	if err := DropPages(); err != nil {
		t.Fatal(err)
	}
	if after := kilobytes(t, "RssFile"); after > before-before/4 {
		t.Errorf("of %d kB of the program, %d are left", before, after)
	}
	if after := kilobytes(t, "VmLck"); after != locked || locked == 0 {
		t.Errorf("%d kB were locked before, and %d are after", locked, after)
	}
}

func TestOnlyWhatIsInTheFileIsDropped(t *testing.T) {
	const path = "/opt/the daemon/lvsd (deleted)"
	block := func(addresses, mode, file, anonymous, swap string) string {
		return addresses + " " + mode + " 00001000 fe:00 247026      " + file + "\nSize:  8 kB\nRss: 8 kB\nAnonymous:  " + anonymous +
			" kB\nSwap:  " + swap + " kB\nSwapPss:    0 kB\nVmFlags: rd mr mw me \n"
	}
	smaps := block("00400000-00401000", "r--p", path, "0", "0") +
		block("00401000-009bd000", "r-xp", path, "0", "0") +
		block("009bd000-009be000", "r--p", path, "4", "0") + // relocated
		block("009be000-009bf000", "r--p", path, "0", "4") + // and that is in swap
		block("009bf000-009c0000", "rw-p", path, "0", "0") +
		block("009c0000-009c1000", "r--p", "/usr/lib/libc.so.6", "0", "0") +
		block("009c1000-009c2000", "r--p", "", "0", "0") +
		block("7ffd1000-ffff0000ffff1000", "r-xp", path, "0", "0")
	want := []mapping{{0x400000, 0x401000}, {0x401000, 0x9bd000}, {0x7ffd1000, 0xffff0000ffff1000}}
	if got := unchanged(smaps, path); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
