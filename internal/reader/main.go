package reader

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/keyfile"
	"github.com/lvsd/lvsd/internal/spawn"
)

// boardFD is the file descriptor of the board in the child.
const boardFD = 3

// Main is the child: it receives a query from in, reads the configuration, and
// writes the reply to out. A Reader starts it, and its process is of no other
// use afterwards.
func Main(in io.Reader, out io.Writer) error {
	// They are meant for the daemon and were sent to its whole control group, its
	// terminal, or all processes of its name. The daemon ends this process itself.
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGTERM)
	q, known, err := receiveRequest(gob.NewDecoder(bufio.NewReaderSize(in, 64<<10)))
	if err != nil {
		return fmt.Errorf("receiving the query: %w", err)
	}
	if err := confine(q.Limits); err != nil {
		return err
	}
	b, err := openBoard(os.NewFile(boardFD, "board"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	if err := answer(gob.NewEncoder(w), q.Query, known, b); err != nil {
		return fmt.Errorf("sending the reply: %w", err)
	}
	return w.Flush()
}

// receiveRequest reads a request and the summaries that follow it.
func receiveRequest(from *gob.Decoder) (q request, known map[config.Key][]byte, err error) {
	if err := from.Decode(&q); err != nil {
		return q, nil, err
	}
	if !q.ValidateOnly {
		known = make(map[config.Key][]byte, q.Known)
	}
	for range q.Known {
		var s summary
		if err := from.Decode(&s); err != nil {
			return q, nil, err
		}
		known[s.Key] = s.Summary
	}
	return q, known, nil
}

// confine puts the limits in force, and tells the kernel that this process is
// the one to kill where memory runs out.
func confine(l Limits) error {
	// The daemon does without huge pages, and so would its child, whose memory is given
	// back before it counts: with them it has a fifth of the page faults.
	_ = unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0)
	// Executed by way of /proc/self/exe, it would be called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte("lvsd-config"), 0)
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	// The garbage of a process that lives for a moment goes with it, and need
	// hardly be collected before memory runs short.
	debug.SetGCPercent(400)
	if l.Memory > 0 {
		debug.SetMemoryLimit(int64(l.Memory / 4 * 3))
	}
	if l.Stack > 0 {
		debug.SetMaxStack(l.Stack)
	}
	debug.SetTraceback("none")
	return l.set()
}

// answer reads the configuration and sends what came of it: a reply, and the
// blocks that it announces.
func answer(to *gob.Encoder, q Query, known map[config.Key][]byte, b board) error {
	sources, err := q.sources()
	switch {
	case !errors.Is(err, fs.ErrPermission):
	case os.Geteuid() == 0:
		err = fmt.Errorf("%w: it is read without root's privilege to read every file, so give it to root, or let everybody read it and search its directories", err)
	default:
		err = fmt.Errorf("%w: it is read as user %d with group %d, so give it to that group and let the group read it (chgrp, chmod g+r)", err, os.Geteuid(), os.Getegid())
	}
	if err != nil {
		return to.Encode(reply{Failed: err.Error()})
	}
	o := config.Options{Node: q.Node, Env: os.LookupEnv, FileDirs: q.FileDirs, Files: q.RunningFiles, Reading: b.note}
	if q.RunningDigest != "" && q.Node == q.RunningNode && sources.Digest(o) == q.RunningDigest {
		return to.Encode(reply{Unchanged: true})
	}
	m := q.Machine
	if !q.NoSecrets {
		m.Key, m.Password, m.PrivateKey = keyfile.Key.Check, keyfile.Password.Check, keyfile.PrivateKey.Check
	}
	if q.Programs {
		m.Program = trusted
	}
	outcome, diags := config.ParseWith(sources, o, m, known)
	if q.ValidateOnly {
		return to.Encode(reply{Contents: count(outcome), Diagnostics: diags, NamesHost: outcome.NamesHost})
	}
	r := reply{Config: outcome.Config, Diagnostics: diags, Blocks: len(outcome.Blocks)}
	if r.Config != nil && !q.Aside {
		r.Files = sources.Files()
	}
	if err := to.Encode(r); err != nil {
		return err
	}
	for i := range outcome.Blocks {
		block := &outcome.Blocks[i]
		if block.Reused {
			block.Summary = nil // the director has it
		}
		if err := to.Encode(block); err != nil {
			return err
		}
	}
	return nil
}

// trusted returns why lvsd would not start a program. The one who asks need not be the
// user that the daemon runs as.
func trusted(path string) error {
	users := []int{os.Geteuid()}
	if u, err := user.Lookup(keyfile.Service); err == nil {
		if id, err := strconv.Atoi(u.Uid); err == nil {
			users = append(users, id)
		}
	}
	return spawn.Trusted(path, users...)
}

// sources are the files that a query is about.
func (q *Query) sources() (config.Sources, error) {
	if len(q.Read) == 0 {
		return config.Read(q.Path)
	}
	dir := q.Path
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir = filepath.Dir(dir)
	}
	return config.FromFiles(dir, q.Read...)
}

// count counts what blocks that were all parsed have.
func count(o config.Outcome) (c Contents) {
	if o.Config == nil {
		return c
	}
	c.Routers = len(o.Config.Routers)
	for _, b := range o.Blocks {
		c.Services += len(b.Services)
		for i := range b.Services {
			c.Servers += len(b.Services[i].Servers)
		}
	}
	return c
}
