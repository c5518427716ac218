package probe

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"weak"
)

// files are files of one kind that checks need, each of which has a T. A file is
// remembered for as long as a check names it, by a K.
type files[K comparable, T any] struct {
	// read brings what is known of a file up to date, and may hang.
	read func(name K, known content[T]) (content[T], error)
	// readers is how many files of all kinds are being read at this moment.
	readers *atomic.Int64

	mu    sync.Mutex
	named map[K]weak.Pointer[file[K, T]]
}

// newFiles returns files that are read by a function.
func newFiles[K comparable, T any](readers *atomic.Int64, read func(K, content[T]) (content[T], error)) *files[K, T] {
	return &files[K, T]{read: read, readers: readers, named: make(map[K]weak.Pointer[file[K, T]])}
}

// maxReaders bounds how many files are read at one moment. One that hangs may
// take a thread, and the runtime ends a program that has 10,000 of them.
const maxReaders = 4096

// fileLimit bounds how much of a file of certificates is read, in bytes.
const fileLimit = 4 << 20

// A file is read again whenever it changes, and is shared by all checks that name it.
type file[K comparable, T any] struct {
	owner *files[K, T]
	name  K

	mu sync.Mutex
	// reading is closed when the read in progress ends; nil if there is none.
	reading chan struct{}
	known   content[T]
	err     error // of the last read
}

// A content is what was in a file when it last changed.
type content[T any] struct {
	version version
	value   T
}

// A version tells whether a file has changed: its contents, who may read it, or which
// file it is. The zero version is that of none.
type version struct {
	device, inode     uint64
	size              int64
	modified, changed syscall.Timespec
}

// versionOf returns the version of a file that was looked at.
func versionOf(info fs.FileInfo) version {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return version{}
	}
	return version{uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
}

// file returns the file of a name. Every check that names it shares it.
func (all *files[K, T]) file(name K) *file[K, T] {
	all.mu.Lock()
	defer all.mu.Unlock()
	if f := all.named[name].Value(); f != nil {
		return f
	}
	f := &file[K, T]{owner: all, name: name}
	all.named[name] = weak.Make(f)
	runtime.AddCleanup(f, func(name K) {
		all.mu.Lock()
		defer all.mu.Unlock()
		if all.named[name].Value() == nil {
			delete(all.named, name)
		}
	}, name)
	return f
}

// value returns what the file has. The file may hang for as long as it likes, on a
// network mount whose server is gone: no context ends a system call that waits for
// a disk. So only a goroutine of the file's own waits for it, and the probe waits no
// longer than it lasts.
func (f *file[K, T]) value(ctx context.Context) (none T, err error) {
	reading, err := f.startReading()
	if err != nil {
		return none, err
	}
	select {
	case <-reading:
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.known.value, f.err
	case <-ctx.Done():
		return none, fmt.Errorf("%v cannot be read in time (does its disk or network mount hang?)", f.name)
	}
}

// startReading starts to read the file, or joins the read in progress.
func (f *file[K, T]) startReading() (reading chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading != nil {
		return f.reading, nil
	}
	if n := f.owner.readers.Add(1); n > maxReaders {
		f.owner.readers.Add(-1)
		return nil, fmt.Errorf("%v: %d other files are being read already (does their disk or network mount hang?)", f.name, n-1)
	}
	f.reading = make(chan struct{})
	go f.finishReading(f.known)
	return f.reading, nil
}

// finishReading reads the file and wakes all who wait for it.
func (f *file[K, T]) finishReading(known content[T]) {
	now, err := f.owner.read(f.name, known)
	f.owner.readers.Add(-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known, f.err = now, err
	close(f.reading)
	f.reading = nil
}
