package spawn

import (
	"bytes"
	"os"
	"sync"
	"time"
)

// settling is how long what a program wrote before its end may take to be read where
// another process can still write.
const settling = 100 * time.Millisecond

// An output reads what a program writes, keeps the beginning and drops the rest, for
// as long as anybody can write: no writer waits or is sent SIGPIPE.
type output struct {
	ended chan struct{} // closed when nobody can write any more

	mu    sync.Mutex
	kept  []byte
	lines int
	cut   int64
}

// newOutput returns an output and the file that is to be written to.
func newOutput() (*output, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	o := &output{ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		buffer := make([]byte, 32<<10)
		for {
			n, err := r.Read(buffer)
			o.take(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	return o, w, nil
}

func (o *output) take(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(p) > 0 && o.lines < MaxLines && len(o.kept) < MaxOutput {
		line := p[:min(len(p), MaxOutput-len(o.kept))]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
			o.lines++
		}
		o.kept = append(o.kept, line...)
		p = p[len(line):]
	}
	o.cut += int64(len(p))
}

// settle waits until all is read that was written.
func (o *output) settle() {
	select {
	case <-o.ended:
	case <-time.After(settling):
	}
}

// result returns what was kept, and how many bytes were not.
func (o *output) result() ([]byte, int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.kept), o.cut
}
