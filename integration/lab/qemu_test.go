package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestArchive compares with what "cpio -o -H newc" writes, as far as the kernel
// looks at it.
func TestArchive(t *testing.T) {
	var b bytes.Buffer
	a := &archive{w: bufio.NewWriter(&b)}
	a.add("dev/null", unix.S_IFCHR|0o666, unix.Mkdev(1, 3), nil)
	a.add("init", unix.S_IFREG|0o755, 0, []byte("hello"))
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	header := func(inode, mode, size, major, minor, name string) string {
		const zero = "00000000"
		return "070701" + inode + mode + zero + zero + "00000001" + zero + size + zero + zero + major + minor + name + zero
	}
	want := header("00000001", "000021b6", "00000000", "00000001", "00000003", "00000009") + "dev/null\x00\x00" +
		header("00000002", "000081ed", "00000005", "00000000", "00000000", "00000005") + "init\x00\x00" + "hello\x00\x00\x00" +
		header("00000003", "00000000", "00000000", "00000000", "00000000", "0000000b") + "TRAILER!!!\x00\x00\x00\x00"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
}

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	k := debianKernel{t.TempDir()}
	folder := filepath.Join(k.modules(), "6.1.0-56-amd64")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz\n" +
		"kernel/net/9p/9pnet.ko.xz:\nkernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz\n"
	if err := os.WriteFile(filepath.Join(folder, "modules.dep"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := k.moduleFiles("9pnet_virtio", "9p")
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range got {
		got[i], _ = filepath.Rel(folder, path)
	}
	want := []string{"kernel/net/9p/9pnet.ko.xz", "kernel/net/9p/9pnet_virtio.ko.xz", "kernel/fs/netfs/netfs.ko.xz", "kernel/fs/9p/9p.ko.xz"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-want +got):\n%s", diff)
	}
	if _, err := k.moduleFiles("ext9"); err == nil || err.Error() != fmt.Sprintf("%s has no module ext9", k.folder) {
		t.Errorf("a module that is not there: %v", err)
	}
}
