package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// tableTimeout is for keepalived's reload of the wide fleet where the machine is emulated.
const tableTimeout = 10 * time.Minute

// waitTable waits until the host's table has the fleet's servers with their
// weights, and returns how long it took since begin. Between two looks it leaves
// the processor alone for four times as long as a look takes.
func waitTable(ctx context.Context, h *cluster.Host, f fleet, begin time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, tableTimeout)
	defer cancel()
	want := f.procRows()
	for n := 0; n < f.services; {
		var err error
		if n, err = countServices(h); err == nil {
			err = pause(ctx, 20*time.Millisecond)
		}
		if err != nil {
			return 0, fmt.Errorf("waiting for the table to have %d services; it has %d: %w", f.services, n, err)
		}
	}
	for {
		look := time.Now()
		// It costs a tenth of listing the table by netlink.
		text, err := cluster.ReadTable(h)
		if err != nil {
			return 0, err
		}
		seen := time.Now() // to count the rows takes as long as the daemon lets it
		right, others := countRows(text, want)
		if right == len(want) && others == 0 {
			return seen.Sub(begin), nil
		}
		if err := pause(ctx, max(4*seen.Sub(look), time.Millisecond)); err != nil {
			return 0, fmt.Errorf("waiting for the table to have %d servers; it has %d of them, and %d others: %w", len(want), right, others, err)
		}
	}
}

// countServices returns how many virtual services the host's table has, which costs next to
// nothing (IP_VS_SO_GET_INFO of linux/ip_vs.h).
func countServices(h *cluster.Host) (int, error) {
	const getInfo = 64 + 1024 + 64 + 1
	var info struct{ version, size, services uint32 }
	length := uint32(unsafe.Sizeof(info))
	err := h.In(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, _, failure := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, getInfo,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&length)), 0)
		if failure != 0 {
			return os.NewSyscallError("getsockopt", failure)
		}
		return nil
	})
	return int(info.services), err
}

// countRows counts the servers' lines of /proc/net/ip_vs that are wanted, and
// those that are not.
func countRows(text []byte, want map[string]bool) (right, others int) {
	for line := range bytes.Lines(text) {
		switch {
		case len(line) < procRow || !bytes.HasPrefix(line, []byte("  -> ")) || line[5] == 'R': // the title
		case want[string(line[:procRow])]:
			right++
		default:
			others++
		}
	}
	return right, others
}

// equalTable compares the host's table, as ipvsadm reads it, with the fleet.
func equalTable(ctx context.Context, h *cluster.Host, f fleet) error {
	got, err := cluster.Table(ctx, h)
	if err != nil {
		return err
	}
	slices.Sort(got)
	want := f.rows()
	if slices.Equal(got, want) {
		return nil
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	return errors.New("the table is not what was configured: ipvsadm has " +
		strings.Join(got[i:min(i+1, len(got))], "") + ", want " + strings.Join(want[i:min(i+1, len(want))], ""))
}
