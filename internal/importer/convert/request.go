package convert

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A Request is what is to be imported.
type Request struct {
	Program string
	// Files are its files; "-" is what Stdin has. Nodes are those of each director instead,
	// by the names of directors; with Heartbeat, what each has beside Files.
	Files []string
	Nodes map[string]string
	Stdin io.Reader
	// Host is the name of this director.
	Host string
	// Resolve: names of hosts are looked up.
	Resolve bool
}

// Programs are those whose configurations are read, with the words for their files.
var Programs = []struct{ Name, Files string }{
	{"keepalived", "FILE"},
	{"ldirectord", "FILE"},
	{"ipvsadm", "FILE"},
	{"heartbeat", "FILE ..."},
}

// input reads standard input, if it is asked for.
func (r *Request) input() ([]byte, error) {
	if !slices.Contains(r.Files, stdinName) {
		return nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(r.Stdin, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	if len(text) > maxInput {
		return nil, fmt.Errorf("standard input has more than %d MiB", maxInput>>20)
	}
	return text, nil
}

// maxInput bounds what is read of a file.
const maxInput = 64 << 20

// stdinName is the name of standard input on the command line.
const stdinName = "-"

// Disk is the files of this machine, and standard input.
type disk struct{ stdin []byte }

func (d disk) Open(path string) ([]byte, error) {
	if filepath.Base(path) == stdinName && d.stdin != nil {
		return d.stdin, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("%s has more than %d MiB", path, maxInput>>20)
	}
	return text, err
}

func (disk) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }
