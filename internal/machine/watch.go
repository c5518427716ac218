package machine

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// changesApart is the least time between two changes that Watch tells of.
const changesApart = 100 * time.Millisecond

// watched are the groups of rtnetlink(7) that tell when this machine may reach
// what it could not reach before, or no longer.
const watched = unix.RTMGRP_LINK |
	unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV4_ROUTE |
	unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV6_ROUTE

// Watch tells that interfaces, addresses or routes of this network namespace
// have changed, until ctx ends: once for all that changes within a tenth of a
// second, and that includes the newest change. It does not tell what changed.
func Watch(ctx context.Context) (<-chan struct{}, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a socket of rtnetlink: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: watched}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribing to changes of this machine's addresses: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "rtnetlink")
	raw, err := socket.SyscallConn()
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("polling rtnetlink: %w", err)
	}
	context.AfterFunc(ctx, func() { socket.Close() })
	changes := make(chan struct{}, 1)
	go watch(ctx, raw, changes)
	return changes, nil
}

// watch tells of changes until the socket is closed.
func watch(ctx context.Context, socket syscall.RawConn, changes chan<- struct{}) {
	for socket.Read(takeAll) == nil {
		select {
		case changes <- struct{}{}:
		default: // Nobody has taken the last one yet.
		}
		select {
		case <-time.After(changesApart):
		case <-ctx.Done():
		}
	}
}

// takeAll reads all messages that wait, and reports whether there were any. What
// does not fit is lost, and nobody wants it.
func takeAll(fd uintptr) (any bool) {
	var message [64]byte
	for {
		_, err := unix.Read(int(fd), message[:])
		if err != nil && err != unix.ENOBUFS && err != unix.EINTR { // ENOBUFS: more came than was read
			return any
		}
		any = true
	}
}
