package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// downloadPath is a page that is as long as a download, and comes slowly.
const downloadPath = "/download"

const (
	downloadLength = 8 << 20 // in bytes, each of which is zero
	downloadRate   = "64k"   // of bytes a second
)

// writeDownload writes the file that is downloaded, which has room for nothing but its end.
func writeDownload(h *Host) error {
	path := filepath.Join(h.Dir, downloadPath)
	return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, downloadLength))
}

// A Download is one connection that is busy for longer than any test.
type Download struct {
	conn *os.File
	done chan struct{}

	mu    sync.Mutex
	bytes int
	err   error
}

// StartDownload begins to download from a service.
func StartDownload(from *Host, to netip.AddrPort) (*Download, error) {
	conn, err := dial(from, to, time.Now().Add(10*time.Second))
	if err != nil {
		return nil, reason("connecting", err)
	}
	d := &Download{conn: conn, done: make(chan struct{})}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", downloadPath, to); err != nil {
		return nil, errors.Join(reason("asking", err), conn.Close())
	}
	go d.read()
	return d, nil
}

// read reads and compares until the connection ends.
func (d *Download) read() {
	defer close(d.done)
	var head []byte
	buffer := make([]byte, 32<<10)
	for {
		_ = d.conn.SetDeadline(time.Now().Add(30 * time.Second))
		n, err := d.conn.Read(buffer)
		got := d.body(&head, buffer[:n])
		d.mu.Lock()
		for _, c := range got {
			if c != 0 && d.err == nil {
				d.err = fmt.Errorf("byte %d is wrong", d.bytes)
			}
			d.bytes++
		}
		if err != nil && d.err == nil {
			d.err = reason("reading", err)
		}
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// body is what belongs to the page of what was read, once the head of the answer is over.
func (d *Download) body(head *[]byte, got []byte) []byte {
	if bytes.HasSuffix(*head, []byte("\r\n\r\n")) {
		return got
	}
	*head = append(*head, got...)
	_, body, over := bytes.Cut(*head, []byte("\r\n\r\n"))
	if !over {
		return nil
	}
	body = bytes.Clone(body)
	*head = (*head)[:len(*head)-len(body)]
	return body
}

// Bytes is how many have come, and why no more will.
func (d *Download) Bytes() (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes, d.err
}

// Stop ends it.
func (d *Download) Stop() error {
	_ = d.conn.SetDeadline(time.Now()) // It ends the reading.
	<-d.done
	if err := d.conn.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
