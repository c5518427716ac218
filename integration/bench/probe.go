package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// nextCheck waits until the director begins to check the server, and returns
// when that was. Clients come to the server by addresses of their own, so the
// next connection from the director's address is a check.
func nextCheck(server *cluster.Host, director netip.Addr) (at time.Time, err error) {
	fd := -1
	err = server.In(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("opening a socket on %s: %w", server.Name, err)
	}
	packets := os.NewFile(uintptr(fd), "packets of "+server.Name)
	defer packets.Close()
	// Connected, it hears that address alone.
	err = errors.Join(unix.Connect(fd, &unix.SockaddrInet4{Addr: director.As4()}),
		packets.SetReadDeadline(time.Now().Add(patience)))
	if err != nil {
		return at, fmt.Errorf("listening on %s: %w", server.Name, err)
	}
	packet := make([]byte, 2048)
	for {
		n, err := packets.Read(packet)
		if err != nil {
			return at, fmt.Errorf("listening on %s: %w", server.Name, err)
		}
		if begins(packet[:n]) {
			return time.Now(), nil
		}
	}
}

// begins reports whether an IPv4 packet of TCP is the first of a connection: of
// its flags, SYN is set and ACK is not.
func begins(packet []byte) bool {
	const flags, syn, ack = 13, 0x02, 0x10
	if len(packet) == 0 {
		return false
	}
	header := int(packet[0]&0xf) * 4
	return len(packet) > header+flags && packet[header+flags]&(syn|ack) == syn
}
