package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// authorities are the files of certificates that checks trust. A file is
// remembered for as long as a check names it.
type authorities struct {
	// read brings the certificates of a file up to date, and may hang:
	// readCertificates.
	read func(path string, known certificates) (certificates, error)
	// readers is how many files are being read at this moment.
	readers atomic.Int64

	mu    sync.Mutex
	files map[string]weak.Pointer[authorityFile]
}

// maxReaders bounds how many files are read at one moment. One that hangs may
// take a thread, and the runtime ends a program that has 10,000 of them.
const maxReaders = 4096

// An authorityFile is a file of certificates that is read again whenever it
// changes, shared by all checks that name it.
type authorityFile struct {
	owner *authorities
	path  string

	mu sync.Mutex
	// reading is closed when the read in progress ends; nil if there is none.
	reading chan struct{}
	known   certificates
	err     error // of the last read
}

// certificates are those of a file as it was when it last changed.
type certificates struct {
	changed time.Time
	size    int64
	pool    *x509.CertPool
}

// file returns the file with a path. Every check that names it shares it.
func (a *authorities) file(path string) *authorityFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.files[path].Value(); f != nil {
		return f
	}
	f := &authorityFile{owner: a, path: path}
	a.files[path] = weak.Make(f)
	runtime.AddCleanup(f, func(path string) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.files[path].Value() == nil {
			delete(a.files, path)
		}
	}, path)
	return f
}

// pool returns the certificates in the file. The file may hang for as long as
// it likes, on a network mount whose server is gone: no context ends a system
// call that waits for a disk. So only a goroutine of the file's own waits for
// it, and the probe waits no longer than it lasts.
func (f *authorityFile) pool(ctx context.Context) (*x509.CertPool, error) {
	reading, err := f.startReading()
	if err != nil {
		return nil, err
	}
	select {
	case <-reading:
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.known.pool, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s cannot be read in time (does its disk or network mount hang?)", f.path)
	}
}

// startReading starts to read the file, or joins the read in progress.
func (f *authorityFile) startReading() (reading chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading != nil {
		return f.reading, nil
	}
	if n := f.owner.readers.Add(1); n > maxReaders {
		f.owner.readers.Add(-1)
		return nil, fmt.Errorf("%s: %d other files are being read already (does their disk or network mount hang?)", f.path, n-1)
	}
	f.reading = make(chan struct{})
	go f.finishReading(f.known)
	return f.reading, nil
}

// finishReading reads the file and wakes all who wait for it.
func (f *authorityFile) finishReading(known certificates) {
	now, err := f.owner.read(f.path, known)
	f.owner.readers.Add(-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known, f.err = now, err
	close(f.reading)
	f.reading = nil
}

// fileLimit bounds how much of a file of certificates is read, in bytes.
const fileLimit = 4 << 20

// readCertificates returns the certificates in a file: those known, if it has
// not changed.
func readCertificates(path string, known certificates) (certificates, error) {
	info, err := os.Stat(path)
	if err != nil {
		return certificates{}, err
	}
	if !info.Mode().IsRegular() {
		return certificates{}, fmt.Errorf("%s: not a regular file", path)
	}
	if known.pool != nil && known.changed.Equal(info.ModTime()) && known.size == info.Size() {
		return known, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return certificates{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileLimit))
	if err != nil {
		return certificates{}, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return certificates{}, fmt.Errorf("%s: contains no certificate (it must be PEM, \"-----BEGIN CERTIFICATE-----\")", path)
	}
	return certificates{changed: info.ModTime(), size: info.Size(), pool: pool}, nil
}
