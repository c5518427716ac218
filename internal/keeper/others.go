package keeper

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/vrrp"
)

// An others knows the sockets of other processes in this network namespace that
// speak VRRP: keepalived, FRR, another lvsd.
type others struct {
	seen map[uint64]bool // at the last look, by inode
	skip int             // pulses until the next look
}

// look returns how many there are that were there at the last look too: a socket
// that is just being opened or closed is no other daemon. Where the kernel does
// not tell, there is none.
func (o *others) look() int {
	// The own sockets are listed later, so that one opened in between is no
	// other's.
	now := make(map[uint64]bool)
	for _, name := range [...]string{"raw", "raw6"} {
		if f, err := os.Open("/proc/self/net/" + name); err == nil {
			rawSockets(f, vrrp.Protocol, now)
			_ = f.Close()
		}
	}
	if len(now) > 0 {
		disown(now)
	}
	lasting := 0
	for inode := range now {
		if o.seen[inode] {
			lasting++
		}
	}
	o.seen = now
	return lasting
}

// disown takes this process's own sockets out.
func disown(sockets map[uint64]bool) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		clear(sockets) // Which ones are others' is unknown.
	}
	for _, e := range entries {
		var inode uint64
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			if _, err = fmt.Sscanf(to, "socket:[%d]", &inode); err == nil {
				delete(sockets, inode)
			}
		}
	}
}

// rawSockets adds the inodes of the raw sockets of an IP protocol, of a list as
// /proc/net/raw is: the local address's port is the protocol (net/ipv4/raw.c,
// raw_sock_seq_show), the tenth field is the inode.
func rawSockets(list io.Reader, protocol uint16, inodes map[uint64]bool) {
	for lines := bufio.NewScanner(list); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			continue
		}
		_, port, _ := strings.Cut(fields[1], ":")
		number, err := strconv.ParseUint(port, 16, 16)
		inode, err2 := strconv.ParseUint(fields[9], 10, 64)
		if err == nil && err2 == nil && number == uint64(protocol) {
			inodes[inode] = true
		}
	}
}
