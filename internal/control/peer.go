package control

import (
	"bytes"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// listenerOf returns the id of the process that listens at the other end of a
// connection, which the kernel knows before that process has accepted it
// (SO_PEERCRED, unix(7)); 0 where it is not known or not visible.
func listenerOf(conn *net.UnixConn) int32 {
	var pid int32
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			if peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
				pid = peer.Pid
			}
		})
	}
	return pid
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
