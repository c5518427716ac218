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

// A checkWatch hears when a director begins to check a server. Clients come to the
// server by addresses of their own, so a connection from the director's address is a
// check.
type checkWatch struct {
	server  *cluster.Host
	packets *os.File
	begun   chan time.Time // closed at its end, or after patience
}

// watchChecks begins to listen.
func watchChecks(server *cluster.Host, director netip.Addr) (*checkWatch, error) {
	fd := -1
	err := server.In(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening a socket on %s: %w", server.Name, err)
	}
	w := &checkWatch{server, os.NewFile(uintptr(fd), "packets of "+server.Name), make(chan time.Time, 1000)}
	// Connected, it hears that address alone.
	err = errors.Join(unix.Connect(fd, &unix.SockaddrInet4{Addr: director.As4()}),
		w.packets.SetReadDeadline(time.Now().Add(patience)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening on %s: %w", server.Name, err), w.packets.Close())
	}
	go w.listen()
	return w, nil
}

func (w *checkWatch) listen() {
	defer close(w.begun)
	packet := make([]byte, 2048)
	for {
		n, err := w.packets.Read(packet)
		if err != nil {
			return
		}
		if begins(packet[:n]) {
			select {
			case w.begun <- time.Now():
			default: // Nobody asks for so many.
			}
		}
	}
}

// next waits for the next check that begins after a moment, and returns when that was.
func (w *checkWatch) next(after time.Time) (time.Time, error) {
	for at := range w.begun {
		if at.After(after) {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s was not checked for %v", w.server.Name, patience)
}

func (w *checkWatch) Close() { w.packets.Close() }

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
