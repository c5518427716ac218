package block

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxSource is how much configuration is read, in bytes: the text of some
// 100,000 real servers. It keeps a wrong path from filling the memory.
const MaxSource = 16 << 20

// Sources are the files of one configuration, as read at one moment.
type Sources struct {
	dir   string // where relative names in the files start
	files []*source
}

// A source is one file.
type source struct {
	name string
	text []byte
	// blocks are the file's top-level blocks, for the messages.
	blocks []chunk
	// opaque text is none that could be shown.
	opaque bool
}

// Options are what besides the files decides what they mean.
type Options struct {
	// Node is the value of node.name.
	Node string
	// Env looks up env.X, as os.LookupEnv does; nil: no variable is set.
	Env func(string) (string, bool)
	// FileDirs are the directories beneath which file() may read, besides the
	// configuration's own.
	FileDirs []string
	// Files names the files that the running configuration has read
	// (Config.Files), for Digest; Parse does not look at it.
	Files []string
	// Reading is called when the reading of a block or of a local begins, by
	// each of several workers at the same time, with where that is:
	// `web.hcl:12: virtual_service "web"`; and with "" when a worker has finished
	// one. nil: it is not called.
	Reading func(worker int, where string)
}

// maxHead is how much of what is read is told to Reading, in bytes.
const maxHead = 100

// reading tells what a worker begins to read, and nothing where it has finished.
func (o Options) reading(worker int, at Place, what string) {
	switch {
	case o.Reading == nil:
	case what == "":
		o.Reading(worker, "")
	default:
		o.Reading(worker, at.String()+": "+what[:min(len(what), maxHead)])
	}
}

// Read reads a configuration: a file, or a directory whose *.hcl it reads in
// the order of their names, without hidden files. A missing path and a
// directory without such files are errors that say what to do.
func Read(path string) (Sources, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Sources{}, fmt.Errorf("there is no configuration at %s: write one (there are examples in share/doc/lvsd/examples), or give another path: lvsd run --config PATH, lvsd validate PATH", path)
	}
	if err != nil {
		return Sources{}, fmt.Errorf("looking for the configuration: %w", err)
	}
	if !info.IsDir() {
		s := Sources{dir: filepath.Dir(path)}
		return s, s.add(path)
	}
	names, err := configurationFiles(path)
	if err != nil {
		return Sources{}, err
	}
	s := Sources{dir: path}
	for _, name := range names {
		if err := s.add(name); err != nil {
			return Sources{}, err
		}
	}
	return s, nil
}

// A File is one that somebody has read, under the name that messages give it.
type File struct {
	Name string
	Text []byte
}

// FromFiles returns a configuration of files that somebody has read. Relative names in
// them begin at a directory.
func FromFiles(dir string, files ...File) (Sources, error) {
	s, size := Sources{dir: dir}, 0
	for _, f := range files {
		if size += len(f.Text); size > MaxSource {
			return Sources{}, fmt.Errorf("reading the configuration: %s has more than is left of the %d bytes that are the limit", f.Name, MaxSource)
		}
		s.files = append(s.files, &source{name: f.Name, text: clean(f.Text)})
	}
	return s, nil
}

// Files are the files, as they were read.
func (s Sources) Files() []File {
	var all []File
	for _, f := range s.files {
		all = append(all, File{f.name, f.text})
	}
	return all
}

// configurationFiles lists the files of a directory that are configuration.
func configurationFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("reading the configuration's directory: %w", err)
	}
	var names, others []string
	for _, e := range entries {
		if n := e.Name(); IsSource(n) && !e.IsDir() {
			names = append(names, filepath.Join(dir, n))
		} else {
			others = append(others, n)
		}
	}
	if len(names) == 0 && len(others) > 0 {
		return nil, fmt.Errorf("%s has no *.hcl file, and nothing else in it is read (%s): rename the files, or give another path: lvsd run --config PATH, lvsd validate PATH", dir, Listed(others))
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no *.hcl file: write the configuration there (there are examples in share/doc/lvsd/examples), or give another path: lvsd run --config PATH, lvsd validate PATH", dir)
	}
	return names, nil
}

// IsSource reports whether a file of a directory is configuration, by its name.
func IsSource(name string) bool {
	return strings.HasSuffix(name, ".hcl") && !strings.HasPrefix(name, ".")
}

// Names returns the files that Read reads at a path, as far as they are there: none is no
// error.
func Names(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for the configuration: %w", err)
	case !info.IsDir():
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration's directory: %w", err)
	}
	var all []string
	for _, e := range entries {
		if IsSource(e.Name()) && !e.IsDir() {
			all = append(all, filepath.Join(path, e.Name()))
		}
	}
	return all, nil
}

func (s *Sources) add(name string) error {
	rest := MaxSource
	for _, f := range s.files {
		rest -= len(f.text)
	}
	text, err := readRegular(anywhere{}, name, rest)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	s.files = append(s.files, &source{name: name, text: clean(text)})
	return nil
}

// A place has files: an os.Root, which no link leads out of, or anywhere.
type place interface {
	Stat(name string) (fs.FileInfo, error)
	Open(name string) (*os.File, error)
}

// anywhere is the whole file system.
type anywhere struct{}

func (anywhere) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }
func (anywhere) Open(name string) (*os.File, error)    { return os.Open(name) }

// readRegular reads a regular file of at most limit bytes. A pipe or a device
// would block the daemon, so it is refused.
func readRegular(in place, name string, limit int) ([]byte, error) {
	info, err := in.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", name)
	}
	f, err := in.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := bytes.NewBuffer(make([]byte, 0, min(info.Size(), int64(limit))+bytes.MinRead))
	if _, err := text.ReadFrom(io.LimitReader(f, int64(limit)+1)); err != nil {
		return nil, err
	}
	if text.Len() > limit {
		return nil, fmt.Errorf("%q is larger than the %d bytes that are left of the limit", name, limit)
	}
	return text.Bytes(), nil
}

// errOutside: a file is beneath none of the directories where it has to be.
var errOutside = errors.New("outside")

// readBeneath is readRegular for a file beneath one of some directories, wherever
// links lead.
func readBeneath(dirs []string, name string, limit int) ([]byte, error) {
	file, err := real(name)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		top, err := real(dir)
		if err != nil {
			continue
		}
		rest, err := filepath.Rel(top, file)
		if err != nil || !filepath.IsLocal(rest) {
			continue
		}
		root, err := os.OpenRoot(top)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return readRegular(root, rest, limit)
	}
	return nil, errOutside
}

// real returns the absolute path of a file without links.
func real(name string) (string, error) {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(name)
}

// Describe returns the begin of the files, and what they are called in a
// sentence; nothing where there is none.
func (s Sources) Describe() (begin Place, what string) {
	switch len(s.files) {
	case 0:
		return Place{}, ""
	case 1:
		return s.files[0].at(0), filepath.Base(s.files[0].name)
	default:
		return s.files[0].at(0), fmt.Sprintf("The configuration, %d files,", len(s.files))
	}
}

// resolve returns the path of a file that the configuration names.
func (s Sources) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

// Digest identifies what Parse would be given: the files, the environment
// variables that they mention, and the contents of o.Files. The node is not in
// it, so that directors which run the same files have the same digest. It costs
// one pass over the bytes, by SHA-512/256: a processor without instructions for SHA-256
// takes less than half of the time.
func (s Sources) Digest(o Options) string {
	h := sha512.New512_256()
	for _, f := range s.files {
		record(h, filepath.Base(f.name), f.text)
	}
	s.recordEnv(h, o)
	for _, name := range o.Files {
		text, err := readRegular(anywhere{}, name, MaxSource)
		if err != nil {
			text = []byte(err.Error())
		}
		record(h, "file "+filepath.Base(name), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// recordEnv adds the environment variables that the files mention.
func (s Sources) recordEnv(h hash.Hash, o Options) {
	for _, name := range s.envNames() {
		if v, ok := o.lookup(name); ok {
			record(h, "env "+name, []byte(v))
		}
	}
}

// record adds a name and its text to h, each after its length, so that no two
// lists of records are the same bytes.
func record(h hash.Hash, name string, text []byte) {
	fmt.Fprintf(h, "%d %s %d ", len(name), name, len(text))
	h.Write(text)
}

// Mention reports whether a text is in one of the files.
func (s Sources) Mention(text string) bool {
	return slices.ContainsFunc(s.files, func(f *source) bool { return bytes.Contains(f.text, []byte(text)) })
}

// envNames lists the environment variables that the files mention: whatever
// follows an "env", be it in a comment; one too many does no harm.
func (s Sources) envNames() []string {
	var names []string
	for _, f := range s.files {
		for rest := f.text; ; {
			i := bytes.Index(rest, []byte("env"))
			if i < 0 {
				break
			}
			rest = bytes.TrimLeft(rest[i+len("env"):], " .[\"")
			if name := firstWord(rest); len(name) > 0 {
				names = append(names, string(name))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (o Options) lookup(name string) (string, bool) {
	if o.Env == nil {
		return "", false
	}
	return o.Env(name)
}

// byteOrderMark is what some editors write before text in UTF-8, unseen.
var byteOrderMark = []byte("\ufeff")

// clean removes from a file what editors leave unseen: the mark before UTF-8, and
// the carriage returns of line ends.
func clean(text []byte) []byte {
	text = bytes.TrimPrefix(text, byteOrderMark)
	if bytes.Contains(text, []byte("\r\n")) {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	return text
}

// at returns the place of one byte of a file.
func (f *source) at(i int) Place {
	before := f.text[:i]
	start := bytes.LastIndexByte(before, '\n') + 1
	return Place{File: f.name, Line: 1 + bytes.Count(before, []byte("\n")), Column: 1 + utf8.RuneCount(before[start:]), Start: i, End: i}
}

// stretch returns the place of a part of one line, as bytes of the file.
func (f *source) stretch(start, end int) Place {
	p := f.at(start)
	p.End = end
	return p
}

// head returns the first line of a top-level item, up to its brace.
func (f *source) head(c chunk) Place {
	return Place{File: f.name, Line: c.line, Column: c.column, Start: c.start, End: c.start + len(c.header(f.text))}
}

// An item is a chunk with the file that it is of.
type item struct {
	*source
	chunk
}

// localsType is the type of the blocks with locals.
const localsType = "locals"

// items lists all top-level items but the locals.
func (s Sources) items() (list []item) {
	for _, f := range s.files {
		for _, c := range f.blocks {
			if c.kind != localsType {
				list = append(list, item{f, c})
			}
		}
	}
	return list
}
