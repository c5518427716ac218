package cluster

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"time"
)

// EchoInterval is the time between the echo requests of an Echo.
const EchoInterval = 2 * time.Millisecond

// An Echo sends ICMP echo requests to an address, one every 2 ms, and notes
// when each was sent and answered: a clock for how long an address was away.
//
// It must keep time while daemons start and stop on the same processor. So the
// requests are sent by a real-time process (a thread of this one would wait for
// the others of the Go runtime, which are not), and the moment of an answer is
// the kernel's time stamp, whenever it is read.
type Echo struct {
	sender  *exec.Cmd
	stop    io.Closer // the sender's standard input
	reading sync.WaitGroup

	mu sync.Mutex
	// echoes are all requests, by their numbers.
	echoes []echo
	// looked is when the sender last read answers: what had arrived by then is
	// noted.
	looked time.Time
}

// StartEcho starts to send echo requests from the host. The program must have
// called Main first.
func StartEcho(from *Host, to netip.Addr) (*Echo, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	c := exec.Command(self)
	c.Args = []string{senderName, to.String()}
	c.SysProcAttr = dying()
	c.Stderr = os.Stderr
	stop, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	reports, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := from.do(c.Start); err != nil {
		return nil, fmt.Errorf("starting to send echo requests on %s: %w", from.Name, err)
	}
	e := &Echo{sender: c, stop: stop}
	e.reading.Go(func() { e.read(reports) })
	return e, nil
}

// read notes what the sender reports until it ends.
func (e *Echo) read(reports io.Reader) {
	decoder := gob.NewDecoder(reports)
	for {
		var r report
		if err := decoder.Decode(&r); err != nil {
			return
		}
		e.note(r)
	}
}

func (e *Echo) note(r report) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range r.Sent {
		e.echoes = append(e.echoes, echo{sent: t})
	}
	for _, a := range r.Answers {
		if i := a.request(len(e.echoes)); i >= 0 && e.echoes[i].answered.IsZero() {
			e.echoes[i].answered = a.At
		}
	}
	e.looked = r.Looked
}

// Stop stops sending, once the last answers had time to come.
func (e *Echo) Stop() error {
	err := e.stop.Close()
	e.reading.Wait()
	return errors.Join(err, e.sender.Wait())
}
