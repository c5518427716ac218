package ipvsadm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A reader reads the input of -R: a command in each line, as the arguments of ipvsadm,
// before which that name may stand. There are no quotes. As ipvsadm-restore does, it leaves
// out lines that begin with a "#".
type reader struct {
	in     *bufio.Reader
	number int // of the line that was read last, from 1
	words  []string
}

func newReader(r io.Reader) *reader { return &reader{in: bufio.NewReaderSize(r, longestLine)} }

// waits reports whether the next line is not there yet, so that reading it may take long.
func (r *reader) waits() bool {
	there, _ := r.in.Peek(r.in.Buffered())
	return bytes.IndexByte(there, '\n') < 0
}

// next returns the words of the next line, until it is called again, and io.EOF behind the
// last one.
func (r *reader) next() ([]string, error) {
	line, err := r.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d has more than %d bytes", r.number+1, longestLine)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("reading the commands: %w", err)
	case err != nil && len(line) == 0:
		return nil, io.EOF
	}
	r.number++
	if line[0] == '#' {
		return nil, nil
	}
	r.words = r.words[:0]
	for text := string(line); ; {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return r.words, nil
		}
		end := strings.IndexAny(text, " \t\r\n")
		if end < 0 {
			end = len(text)
		}
		if text[:end] != "ipvsadm" {
			r.words = append(r.words, text[:end])
		}
		text = text[end:]
	}
}
