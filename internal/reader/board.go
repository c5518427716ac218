package reader

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A board is a page of memory that parent and child share. On it the child
// notes which block each of its workers is reading, so that the parent can tell
// when the child is no longer there to be asked.
//
// Each worker has a slot: since when it reads its block, in nanoseconds of
// CLOCK_MONOTONIC (zero: it reads nothing), the length of a text, and the text,
// which is that of config.Options.Reading.
type board []byte

const (
	slotSize  = 512
	slotText  = 16 // where the text begins
	slots     = 16 // workers beyond that share them
	boardSize = slots * slotSize
)

// newBoard returns the file of an empty board, for the child to inherit.
func newBoard() (*os.File, error) {
	fd, err := unix.MemfdCreate("lvsd-config", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating shared memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "lvsd-config")
	if err := f.Truncate(boardSize); err != nil {
		f.Close()
		return nil, fmt.Errorf("sizing shared memory: %w", err)
	}
	return f, nil
}

// openBoard maps the board that the process inherited.
func openBoard(f *os.File) (board, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping shared memory: %w", err)
	}
	return b, nil
}

// note says where a worker reads now; an empty text, that it reads nothing.
func (b board) note(worker int, where string) {
	slot := b[worker%slots*slotSize:][:slotSize]
	since := (*int64)(unsafe.Pointer(&slot[0]))
	atomic.StoreInt64(since, 0)
	if where == "" {
		return
	}
	n := copy(slot[slotText:], where)
	binary.NativeEndian.PutUint64(slot[8:], uint64(n))
	atomic.StoreInt64(since, monotonic())
}

// oldest returns where a worker has been reading for longest: of several, that
// is the block that takes its time. It is for the parent, after the child's end.
func oldest(f *os.File) string {
	b := make([]byte, boardSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return ""
	}
	where, first := "", int64(0)
	for i := range slots {
		slot := b[i*slotSize:][:slotSize]
		since := int64(binary.NativeEndian.Uint64(slot))
		n := min(binary.NativeEndian.Uint64(slot[8:]), slotSize-slotText)
		if since > 0 && (first == 0 || since < first) {
			where, first = string(slot[slotText:][:n]), since
		}
	}
	return where
}

func monotonic() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return time.Now().UnixNano()
	}
	return now.Nano()
}
