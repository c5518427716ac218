package link

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many packets are read by one system call. Each takes a page of
	// memory at least.
	batchSize = 8
	// packetSize is the longest packet that is read whole: a VRRP packet with
	// 255 IPv6 addresses has 4,088 bytes, and its IPv4 header 60 at most.
	packetSize = 8192
)

// A batch is room for some packets, which sockets that are read one after the other share.
type batch struct {
	// messages are struct mmsghdr of recvmmsg(2).
	messages [batchSize]struct {
		unix.Msghdr
		size uint32
	}
	vectors [batchSize]unix.Iovec
	from    [batchSize]unix.RawSockaddrInet6
	control [batchSize][256]byte
	packets [batchSize][packetSize]byte
}

// read reads what has arrived at a socket, and returns how many packets that is.
func (b *batch) read(fd int) (n int, err error) {
	for i := range b.messages {
		m := &b.messages[i].Msghdr
		b.vectors[i].Base, m.Iov = &b.packets[i][0], &b.vectors[i]
		b.vectors[i].SetLen(packetSize)
		m.SetIovlen(1)
		m.Name, m.Namelen = (*byte)(unsafe.Pointer(&b.from[i])), unix.SizeofSockaddrInet6
		m.Control = &b.control[i][0]
		m.SetControllen(len(b.control[i]))
	}
	count, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.messages)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(count), nil
}

// at is one of the packets that were read, with its control messages.
func (b *batch) at(i int) (packet, control []byte) {
	m := &b.messages[i]
	return b.packets[i][:m.size], b.control[i][:m.Controllen]
}
