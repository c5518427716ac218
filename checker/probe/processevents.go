package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The kernel tells of processes by its connector over netlink (linux/cn_proc.h): to root
// with CAP_NET_ADMIN, since Linux 6.6 to everybody, and in the first network namespace
// only, since there is one connector. Without its events /proc is looked at as often as
// the probes are due, and with them also whenever something has changed.
const (
	connectorProcesses = 1 // CN_IDX_PROC and CN_VAL_PROC
	listenToProcesses  = 1 // PROC_CN_MCAST_LISTEN

	// What a message is about: proc_event.what.
	processExec = 0x00000002
	processName = 0x00000200
	processExit = 0x80000000

	// Where that is in a message, behind the headers of netlink and of the connector, and
	// the ids of the thread and of its process.
	eventAt   = 16 + 20
	threadAt  = eventAt + 16
	processAt = threadAt + 4
	eventSize = processAt + 4
)

// A processEvent is news of a process.
type processEvent struct {
	what uint32
	pid  int
}

// processEvents are the news of processes, from the kernel.
type processEvents struct{ socket *os.File }

// listenToKernel asks the kernel for the news of processes.
func listenToKernel() (*processEvents, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("opening a socket for the news of processes: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "processes")
	if err := subscribe(fd); err != nil {
		socket.Close()
		return nil, fmt.Errorf("asking for the news of processes: %w", err)
	}
	return &processEvents{socket}, nil
}

func subscribe(fd int) error {
	program, err := bpf.Assemble(aboutProcesses())
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(program))
	for i, p := range program {
		code[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorProcesses}); err != nil {
		return err
	}
	order := binary.NativeEndian.AppendUint32(nil, eventAt+4) // struct nlmsghdr
	order = binary.NativeEndian.AppendUint16(order, unix.NLMSG_DONE)
	order = append(order, make([]byte, 10)...)
	for _, word := range []uint32{connectorProcesses, connectorProcesses, 0, 0} { // struct cn_msg
		order = binary.NativeEndian.AppendUint32(order, word)
	}
	order = binary.NativeEndian.AppendUint32(order, 4) // its length, and no flags
	order = binary.NativeEndian.AppendUint32(order, listenToProcesses)
	return unix.Sendto(fd, order, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// aboutProcesses lets the kernel wake nobody for what changes nothing here: a fork has
// the name of its parent until it executes something, and threads come and go.
func aboutProcesses() []bpf.Instruction {
	// The kernel's own byte order is not the filter's.
	native := func(v uint32) uint32 { return binary.BigEndian.Uint32(binary.NativeEndian.AppendUint32(nil, v)) }
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: eventAt, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native(processExec), SkipTrue: 6},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native(processName), SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: native(processExit), SkipTrue: 5},
		bpf.LoadAbsolute{Off: threadAt, Size: 4},
		bpf.TAX{},
		bpf.LoadAbsolute{Off: processAt, Size: 4},
		bpf.JumpIfX{Cond: bpf.JumpNotEqual, SkipTrue: 1},
		bpf.RetConstant{Val: 1 << 16},
		bpf.RetConstant{Val: 0},
	}
}

// errLost is that news were lost, since there were more than there is room for.
var errLost = errors.New("news of processes were lost")

// next waits for the next news, and reads them into a buffer.
func (e *processEvents) next(buf []byte) (processEvent, error) {
	n, err := e.socket.Read(buf)
	switch {
	case errors.Is(err, unix.ENOBUFS):
		return processEvent{}, errLost
	case err != nil:
		return processEvent{}, err
	case n < eventSize:
		return processEvent{}, nil // an answer to the order
	}
	return processEvent{binary.NativeEndian.Uint32(buf[eventAt:]), int(binary.NativeEndian.Uint32(buf[processAt:]))}, nil
}
