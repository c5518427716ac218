// Package netlinktest is a way to the kernel by netlink(7) on which exchanges go wrong as a
// test tells it. The kernel behind it is the real one. Only tests import it.
package netlinktest

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Fault is how an exchange goes wrong.
type Fault struct {
	Name string
	// Asking: the kernel never hears of the request.
	Asking error
	// Answering: it carries the request out, and its answer is lost.
	Answering error
	// Refusal is what it answers each request with, without carrying it out.
	Refusal unix.Errno
	// Answer is what becomes of a datagram of its answer. The last one, after which nothing
	// comes, has ended.
	Answer func([]netlink.Message) (_ []netlink.Message, ended bool)
	// Times is how many exchanges go wrong; 0: one.
	Times int
}

// Faults are one of each kind.
var Faults = []Fault{
	{Name: "EAGAIN where the kernel is asked", Asking: os.NewSyscallError("sendmsg", unix.EAGAIN)},
	{Name: "ENOBUFS where the kernel is asked", Asking: os.NewSyscallError("sendmsg", unix.ENOBUFS)},
	{Name: "EINTR where the kernel is asked", Asking: os.NewSyscallError("sendmsg", unix.EINTR)},
	{Name: "EAGAIN in place of the answer", Answering: os.NewSyscallError("recvmsg", unix.EAGAIN)},
	{Name: "ENOBUFS in place of the answer", Answering: os.NewSyscallError("recvmsg", unix.ENOBUFS)},
	{Name: "EINTR in place of the answer", Answering: os.NewSyscallError("recvmsg", unix.EINTR)},
	{Name: "an answer that never comes", Answering: os.NewSyscallError("recvmsg", os.ErrDeadlineExceeded)},
	{Name: "EBUSY as the answer", Refusal: unix.EBUSY},
	{Name: "EEXIST as the answer", Refusal: unix.EEXIST},
	{Name: "ENOENT as the answer", Refusal: unix.ENOENT},
	{Name: "ENOENT as each answer, since the module is gone", Refusal: unix.ENOENT, Times: 3},
	{Name: "an answer without its end", Answer: func(all []netlink.Message) ([]netlink.Message, bool) {
		return all[:(len(all)+1)/2], true
	}},
	{Name: "a message cut short", Answer: func(all []netlink.Message) ([]netlink.Message, bool) {
		if m := &all[0]; m.Header.Type >= unix.NLMSG_MIN_TYPE {
			m.Data = m.Data[:len(m.Data)/8*4]
		}
		return all, false
	}},
	{Name: "a list of what was changed meanwhile", Answer: func(all []netlink.Message) ([]netlink.Message, bool) {
		for i := range all {
			all[i].Header.Flags |= netlink.DumpInterrupted
		}
		return all, false
	}},
	{Name: "a list without its first row", Answer: func(all []netlink.Message) ([]netlink.Message, bool) {
		if len(all) > 1 {
			all = all[1:]
		}
		return all, false
	}},
	{Name: "a list with one row twice", Answer: func(all []netlink.Message) ([]netlink.Message, bool) {
		if all[0].Header.Flags&netlink.Multi != 0 {
			all = slices.Insert(all, 0, all[0])
		}
		return all, false
	}},
}

// A Wire is the way to the kernel of one network namespace.
type Wire struct {
	space *os.File

	mu    sync.Mutex
	fault Fault
	after int // so many requests that go well before it
	left  int // so many times
}

// New returns a Wire in the network namespace of the calling thread, by which everything
// goes well until a fault is armed.
func New(tb testing.TB) *Wire {
	space, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = space.Close() })
	return &Wire{space: space}
}

// Arm lets exchanges go wrong, after so many that go well.
func (w *Wire) Arm(f Fault, after int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.after, w.left = f, after, max(1, f.Times)
}

// Struck reports whether all that was to go wrong has done so.
func (w *Wire) Struck() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left == 0
}

// take is what goes wrong with the next request.
func (w *Wire) take() (f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.left == 0:
	case w.after > 0:
		w.after--
	default:
		w.left--
		f = w.fault
	}
	return f
}

// Dial opens a socket.
func (w *Wire) Dial(family int) (*netlink.Conn, error) {
	s, err := w.open(family)
	if err != nil {
		return nil, err
	}
	return netlink.NewConn(s, s.port), nil
}

// Generic opens one of generic netlink.
func (w *Wire) Generic() (*netlink.Conn, error) { return w.Dial(unix.NETLINK_GENERIC) }

// Func opens a socket as package nltest has it: it sends requests, and without any it
// receives.
func (w *Wire) Func(tb testing.TB, family int) func([]netlink.Message) ([]netlink.Message, error) {
	s, err := w.open(family)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return func(requests []netlink.Message) ([]netlink.Message, error) {
		if len(requests) > 0 {
			return nil, s.SendMessages(requests)
		}
		return s.Receive()
	}
}

// open opens a socket in the namespace, by a thread that ends with it.
func (w *Wire) open(family int) (s *socket, err error) {
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Setns(int(w.space.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		var fd int
		if fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, family); err != nil {
			return
		}
		s = &socket{wire: w, fd: fd}
		err = errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 20}),
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
			unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1),
			unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
		if bound, berr := unix.Getsockname(fd); berr == nil {
			s.port = bound.(*unix.SockaddrNetlink).Pid
		}
	}()
	<-done
	return s, err
}

// A socket is one of the kernel's.
type socket struct {
	wire  *Wire
	fd    int
	port  uint32
	fault Fault  // of the request that was made last
	from  uint32 // whom that one said it was from
	queue [][]netlink.Message
	ended bool // nothing comes any more
}

func (s *socket) Close() error                 { return unix.Close(s.fd) }
func (s *socket) Send(m netlink.Message) error { return s.SendMessages([]netlink.Message{m}) }

func (s *socket) SendMessages(all []netlink.Message) error {
	s.fault, s.from = s.wire.take(), all[0].Header.PID
	switch {
	case s.fault.Asking != nil:
		s.ended = true
		return s.fault.Asking
	case s.fault.Refusal != 0:
		s.refuse(all)
		s.ended = true
		return nil
	}
	s.ended = false
	var datagram []byte
	for _, m := range all {
		b, err := m.MarshalBinary()
		if err != nil {
			return err
		}
		datagram = append(datagram, b...)
	}
	return os.NewSyscallError("sendmsg", unix.Sendto(s.fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// refuse answers requests as a kernel that carries none of them out.
func (s *socket) refuse(all []netlink.Message) {
	for _, m := range all {
		h := m.Header
		h.Type, h.Flags = netlink.Error, 0
		s.queue = append(s.queue, []netlink.Message{{Header: h, Data: binary.NativeEndian.AppendUint32(nil, uint32(-int32(s.fault.Refusal)))}})
	}
}

func (s *socket) Receive() (all []netlink.Message, err error) {
	switch {
	case s.fault.Answering != nil:
		return nil, s.fault.Answering
	case len(s.queue) > 0:
		all, s.queue = s.queue[0], s.queue[1:]
		return all, nil
	case s.ended:
		return nil, os.NewSyscallError("recvmsg", os.ErrDeadlineExceeded)
	}
	b := make([]byte, 64<<10)
	n, err := 0, error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		n, _, err = unix.Recvfrom(s.fd, b, 0)
	}
	if err != nil {
		return nil, os.NewSyscallError("recvmsg", err)
	}
	for b = b[:n]; len(b) >= unix.NLMSG_HDRLEN; {
		next := min((int(binary.NativeEndian.Uint32(b))+3)&^3, len(b))
		var m netlink.Message
		if err := m.UnmarshalBinary(slices.Clone(b[:next])); err != nil {
			return nil, err
		}
		m.Header.PID = s.from
		all, b = append(all, m), b[next:]
	}
	if s.fault.Answer != nil {
		all, s.ended = s.fault.Answer(all)
	}
	return all, nil
}

// ReceiveIter is Receive, message by message.
func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		all, err := s.Receive()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for _, m := range all {
			if !yield(m, nil) {
				return
			}
		}
	}
}
