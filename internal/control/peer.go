package control

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Peer returns the credentials of the process at the other end of a connection. Of
// one that listens, the kernel knows them before it has accepted the connection
// (SO_PEERCRED, unix(7)).
func Peer(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	cerr := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	return peer, errors.Join(cerr, err)
}

// listenerOf returns the id of the process that listens at the other end of a
// connection; 0 where it is not known or not visible.
func listenerOf(conn *net.UnixConn) int32 {
	peer, err := Peer(conn)
	if err != nil {
		return 0
	}
	return peer.Pid
}

// silent says why a process that has the socket open may not answer, and what to
// do about it.
func silent(pid int32) error {
	const look = "see \"systemctl status lvsd\" and \"journalctl -u lvsd\""
	switch {
	case pid == 0:
		return fmt.Errorf("a process has it open: it is stopped or hangs; %s", look)
	case stopped(pid):
		return fmt.Errorf("process %d has it open: it is stopped, by a signal or a debugger; let it go on with \"kill -CONT %[1]d\"", pid)
	default:
		return fmt.Errorf("process %d has it open, which is not stopped: it hangs, or the machine is overloaded; %s", pid, look)
	}
}

// stopped reports whether a signal or a debugger has stopped a process: its state
// follows its name in /proc/PID/stat, which ends with the last parenthesis
// (proc_pid_stat(5)).
func stopped(pid int32) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(state) > 0 && (state[0] == 'T' || state[0] == 't')
}
