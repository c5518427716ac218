package integration

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/integration/cluster"
)

// wantAssociationsShared fails the test unless associations of SCTP are shared, and carry what
// servers say.
func (p *pair) wantAssociationsShared(w way) {
	if out, err := exec.Command("modprobe", "sctp").CombinedOutput(); err != nil {
		p.t.Skipf("this kernel has no SCTP: modprobe: %v: %s", err, out)
	}
	for i, h := range []*cluster.Host{p.Servers[0], p.Servers[2]} {
		at := w.address()
		if strings.Contains(w.options, `"nat"`) {
			at = netip.AddrPortFrom(netip.MustParseAddr(w.servers()[i]), at.Port())
		}
		p.answerAssociations(h, at)
	}
	shares := make(map[string]int)
	for range 8 {
		name, err := p.associate(w.address())
		if err != nil {
			p.t.Fatalf("an association with %v: %v", w.address(), err)
		}
		shares[name]++
	}
	if want := map[string]int{"web1": 6, "web3": 2}; !maps.Equal(shares, want) {
		p.t.Errorf("of the associations each server has had %v, want %v", shares, want)
	}
}

// associate returns what a server says on an association that the client opens.
func (p *pair) associate(to netip.AddrPort) (said string, err error) {
	var conn net.Conn
	if err := p.Client.In(func() error {
		fd, err := sctpSocket(netip.MustParseAddr("10.13.0.100"), 0) // Without an address, it would tell all of the host's.
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), "SCTP")
		defer f.Close()
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 5}); err != nil {
			return err
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		conn, err = net.FileConn(f)
		return err
	}); err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write([]byte("who?")); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	return string(text), err
}

// answerAssociations has a host answer what comes on associations with its name, until the
// test ends.
func (p *pair) answerAssociations(h *cluster.Host, at netip.AddrPort) {
	p.t.Helper()
	var l net.Listener
	p.must(h.In(func() error {
		fd, err := sctpSocket(at.Addr(), at.Port())
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), "SCTP")
		defer f.Close()
		if err := unix.Listen(fd, 16); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		l, err = net.FileListener(f)
		return err
	}))
	p.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := conn.Read(make([]byte, 16)); err == nil {
				_, _ = conn.Write([]byte(h.Name))
			}
			_ = conn.Close()
		}
	}()
}

// sctpSocket returns a socket for one association that is bound to one address alone.
func sctpSocket(addr netip.Addr, port uint16) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.As4(), Port: int(port)}); err != nil {
		return 0, errors.Join(fmt.Errorf("binding to %v: %w", addr, err), unix.Close(fd))
	}
	return fd, nil
}
