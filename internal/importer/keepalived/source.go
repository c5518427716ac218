package keepalived

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// Files is where configurations are read.
type Files interface {
	// Open returns what is in a file.
	Open(path string) ([]byte, error)
	// Glob returns the files whose paths match a pattern, sorted; of braces it knows nothing.
	Glob(pattern string) ([]string, error)
}

// Options say as what keepalived would have been started.
type Options struct {
	ID  string                           // --config-id, or else the host's name up to its first dot
	Env func(name string) (string, bool) // its environment; nil: none
	// LookPath returns the path of a program, as PATH leads to it; nil: nothing is known.
	LookPath func(name string) (string, bool)
	// KnownUser reports whether this machine has a user; nil: nothing is known.
	KnownUser func(name string) bool
}

// The bounds of what is read. The largest configurations known have some 200,000 lines.
const (
	maxBytes = 64 << 20  // of all files together, and of all that loops and values make of them
	maxLines = 2_000_000 // read or made
	maxLine  = 64 << 10  // bytes; keepalived reads 1023
	maxNest  = 64        // files, values and loops in each other; blocks in each other
	maxFiles = 10_000
)

// An Error is a reason for which a configuration cannot be read at all.
type Error struct {
	importer.Place
	Text string // what is wrong, and what to do
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text) }

// A line is what is read next: of a file, of a value or of a loop.
type line struct {
	importer.Place
	text    string
	comment string // with its sign
	more    bool   // a backslash was the last of it
	empty   bool   // there was nothing on it at all
}

// A feed gives lines until it has no more.
type feed interface {
	next(*reader) (line, bool)
}

// A file is what is left of one.
type file struct {
	name string
	text string
	at   int // lines that were read
}

func (f *file) next(*reader) (line, bool) {
	if f.text == "" {
		return line{}, false
	}
	f.at++
	text, rest, _ := strings.Cut(f.text, "\n")
	f.text = rest
	out := line{Place: importer.Place{File: f.name, Line: f.at}, text: text}
	return out, true
}

// Lines are those of a value, or what is left of one line.
type lines []line

func (l *lines) next(*reader) (line, bool) {
	if len(*l) == 0 {
		return line{}, false
	}
	first := (*l)[0]
	*l = (*l)[1:]
	return first, true
}

// A value is what stands for a name that begins with "$".
type value struct {
	text  string
	lines []line // of more than one line, all of them
}

// A reader reads lines from feeds, of which those that were pushed last come first.
type reader struct {
	Options
	files  Files
	feeds  []feed
	rest   *line // of the line before, after a brace
	values map[string]*value
	ids    map[string]bool
	unset  map[string]bool // names that have no value
	losses []importer.Loss

	at           importer.Place // of the line that was read last
	lines, bytes int            // so far
	opened       int            // files
	err          error          // ends it
}

// push has a feed read before the others.
func (r *reader) push(f feed) {
	if len(r.feeds) >= maxNest {
		r.fail("files, values or loops stand in each other more than %d deep: a value that contains itself?", maxNest)
		return
	}
	r.feeds = append(r.feeds, f)
}

// fail ends the reading.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &Error{Place: r.at, Text: fmt.Sprintf(format, args...)}
	}
}

// pull returns the next line without its comment; none at the end of everything.
func (r *reader) pull() (out line, ok bool) {
	if r.rest != nil {
		out, r.rest = *r.rest, nil
		return out, r.err == nil
	}
	for len(r.feeds) > 0 && r.err == nil {
		top := r.feeds[len(r.feeds)-1]
		out, ok := top.next(r)
		if !ok {
			r.feeds = r.feeds[:len(r.feeds)-1]
			continue
		}
		r.at = out.Place
		r.count(len(out.text))
		if _, raw := top.(*file); raw && r.err == nil {
			out = r.clean(out)
		}
		return out, r.err == nil
	}
	return line{}, false
}

// open has a file read next.
func (r *reader) open(path string) {
	for _, f := range r.feeds {
		if f, is := f.(*file); is && f.name == path {
			r.fail("%s includes itself, and keepalived would never end reading it: remove one of the includes", path)
			return
		}
	}
	if r.opened++; r.opened > maxFiles {
		r.fail("there are more than %d files", maxFiles)
		return
	}
	text, err := r.files.Open(path)
	switch {
	case err != nil && len(r.feeds) == 0:
		r.err = err
	case err != nil:
		reason := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			reason = "there is no such file"
		}
		r.lose(importer.Lost, "include "+path, fmt.Sprintf("%s: %s", path, reason), "Import the configuration where all of its files are.")
	case r.bytes+len(text) > maxBytes:
		r.fail("%s and what was read before it are more than %d MB", path, maxBytes>>20)
	default:
		r.push(&file{name: path, text: string(text)})
	}
}

// clean takes the comment off a line of a file.
func (r *reader) clean(l line) line {
	if strings.IndexByte(l.text, 0) >= 0 {
		r.lose(importer.Lost, "", "the line has a NUL byte, and keepalived reads nothing of it", "Save the file as text (UTF-8).")
		return line{Place: l.Place}
	}
	c := cut(l.text)
	return line{Place: l.Place, text: c.text, comment: c.comment, more: c.continued, empty: strings.Trim(l.text, "\r") == ""}
}

// count bounds what is read.
func (r *reader) count(size int) {
	r.lines++
	r.bytes += size
	switch {
	case size > maxLine:
		r.fail("the line has %d bytes, and %d are read at most (by keepalived 1023): break it into several", size, maxLine)
	case r.lines > maxLines:
		r.fail("with all loops and includes, these are more than %d lines: a loop that runs further than was meant?", maxLines)
	case r.bytes > maxBytes:
		r.fail("with all loops and includes, this is more than %d MB: a loop that runs further than was meant?", maxBytes>>20)
	}
}

// lose notes what does not come along, of the line that was read last.
func (r *reader) lose(kind importer.Kind, text, reason, remedy string) {
	r.losses = append(r.losses, importer.Loss{Place: r.at, Kind: kind, Text: text, Reason: reason, Remedy: remedy})
}

// folder is where the file is that is being read.
func (r *reader) folder() string {
	for i := len(r.feeds) - 1; i >= 0; i-- {
		if f, is := r.feeds[i].(*file); is {
			return path.Dir(f.name)
		}
	}
	return "."
}
