package probe

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"time"
)

// authorities are the certificates of one file, as they were when it was last
// changed.
type authorities struct {
	changed time.Time
	size    int64
	pool    *x509.CertPool
}

// A reading is one look at a file of certificates, shared by all probes that
// need the file meanwhile.
type reading struct {
	// done is closed when pool or err is there.
	done chan struct{}
	pool *x509.CertPool
	err  error
}

// authorities returns the certificates in a file, read again whenever it
// changes. A file may hang for as long as it likes, on a network mount whose
// server is gone: no context ends a system call that waits for a disk. So only
// a goroutine of the file's own waits for it, and the probe no longer than it
// lasts.
func (p *plans) authorities(ctx context.Context, path string) (*x509.CertPool, error) {
	r, err := p.look(path)
	if err != nil {
		return nil, err
	}
	select {
	case <-r.done:
		return r.pool, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s does not answer (a disk that hangs?)", path)
	}
}

// readingLimit bounds how many files are looked at in one moment. One that hangs
// may take a thread, and the runtime ends a program that has 10,000 of them.
const readingLimit = 4096

// look begins to read a file, or joins who does.
func (p *plans) look(path string) (*reading, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.reading[path]; ok {
		return r, nil
	}
	if len(p.reading) >= readingLimit {
		return nil, fmt.Errorf("%s: %d other files do not answer (a disk that hangs?)", path, len(p.reading))
	}
	r := &reading{done: make(chan struct{})}
	p.reading[path] = r
	go p.finish(r, path, p.files[path])
	return r, nil
}

// finish reads a file and tells all who wait for it.
func (p *plans) finish(r *reading, path string, known authorities) {
	now, err := p.read(path, known)
	r.pool, r.err = now.pool, err
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		remember(p.files, path, now)
	}
	delete(p.reading, path)
	close(r.done)
}

// readAuthorities returns the certificates in a file: those known, where it has
// not changed.
func readAuthorities(path string, known authorities) (authorities, error) {
	info, err := os.Stat(path)
	if err != nil {
		return authorities{}, err
	}
	if !info.Mode().IsRegular() {
		return authorities{}, fmt.Errorf("%s: not a file", path)
	}
	if known.pool != nil && known.changed.Equal(info.ModTime()) && known.size == info.Size() {
		return known, nil
	}
	pool, err := readPool(path)
	return authorities{changed: info.ModTime(), size: info.Size(), pool: pool}, err
}

// caLimit bounds a file of certificates, in bytes.
const caLimit = 4 << 20

// readPool reads a file of certificates.
func readPool(path string) (*x509.CertPool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, caLimit))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it (want PEM, \"-----BEGIN CERTIFICATE-----\")", path)
	}
	return pool, nil
}
