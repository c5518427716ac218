package spawn

import (
	"bytes"
	"encoding/json"
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
	told  int // bytes that were taken away by drain since the last renew
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
	for len(p) > 0 && o.lines < MaxLines && o.told+len(o.kept) < MaxOutput {
		line := p[:min(len(p), MaxOutput-o.told-len(o.kept))]
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

// drain takes the whole lines away that were kept.
func (o *output) drain() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := bytes.LastIndexByte(o.kept, '\n') + 1
	said := bytes.Clone(o.kept[:n])
	o.kept = append(o.kept[:0], o.kept[n:]...)
	o.told += n
	return said
}

// renew takes all away that was kept, and keeps as much again from now on. It also
// returns how many bytes were not kept.
func (o *output) renew() (said []byte, cut int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	said, cut = bytes.Clone(o.kept), o.cut
	o.kept, o.told, o.lines, o.cut = o.kept[:0], 0, 0, 0
	return said, cut
}

// tell begins to tell what a program writes, until quiet is called.
func (o *output) tell(replies *json.Encoder) (quiet func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(telling)
		defer ticker.Stop()
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			r := reply{Said: o.drain()}
			if n%perMinute == 0 {
				said, cut := o.renew()
				r.Said, r.Cut = append(r.Said, said...), cut
			}
			if len(r.Said) > 0 || r.Cut > 0 {
				_ = replies.Encode(r) // Where nobody listens any more, nobody is told.
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
