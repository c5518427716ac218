package reader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/text"
)

// errTooLarge is the end of a reply that is larger than maxReply.
var errTooLarge = errors.New("the reply is too large")

// A death is what is known of a child that ended, or had to be ended, before it
// answered.
type death struct {
	asked error            // how the wait for its answer ended
	late  error            // why it was killed; nil: it was not
	state *os.ProcessState // how it ended; nil: it has not
	words string           // what it wrote to standard error
}

// exceeded tells which limit a child has exceeded, as a diagnostic without its
// place. An error means that it ended for another reason.
func (l Limits) exceeded(d death) (config.Diagnostic, error) {
	switch {
	case errors.Is(d.late, context.DeadlineExceeded):
		return excess("Takes too long to read",
			"Reading was given up after %v, while this block was being read. Does an expression in it compute too much, or is a file on a disk that does not respond?", l.Duration), nil
	case d.late != nil:
		return config.Diagnostic{}, fmt.Errorf("reading the configuration: %w", d.late)
	case errors.Is(d.asked, errTooLarge):
		return excess("Too large",
			"It takes more than %s once its expressions are evaluated; 40,000 real servers take a tenth of that. Do its expressions generate more than intended?", size(maxReply)), nil
	case d.says("stack exceeds", "stack overflow"):
		return excess("Nested too deeply",
			"A value or an expression in this block is nested so deeply that reading it took more than %s of stack.", size(uint64(l.Stack))), nil
	// The collector does not look whether the kernel gave it the memory that it
	// asked for (Go 1.26): it finds nothing where that should be.
	case d.says("out of memory", "cannot allocate memory", "failed to create new OS thread", "pthread_create failed", "segmentation violation"):
		return l.tooMuchMemory(), nil
	case d.killed() && l.Processor > 0 && d.processor() >= l.Processor-time.Second:
		return excess("Takes too much processor time",
			"Reading was ended after %v of processor time, while this block was being read. Its expressions compute too much: simplify them.", l.Processor), nil
	case d.killed():
		return l.tooMuchMemory(), nil // by the kernel, for the whole machine or its control group
	}
	first, _, _ := strings.Cut(strings.TrimSpace(d.words), "\n")
	if first == "" && d.state != nil {
		first = d.state.String()
	}
	return config.Diagnostic{}, fmt.Errorf("the process that reads the configuration ended without an answer: %s", first)
}

func (l Limits) tooMuchMemory() config.Diagnostic {
	return excess("Needs too much memory",
		"Reading this block took more than %s; 40,000 real servers need less than half of that. Its expressions generate too much data: simplify them.", size(l.Memory))
}

// says reports whether the child's last words are one of those of the runtime.
func (d death) says(words ...string) bool {
	for _, w := range words {
		if strings.Contains(d.words, w) {
			return true
		}
	}
	return false
}

func (d death) killed() bool {
	if d.state == nil {
		return false
	}
	status, ok := d.state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (d death) processor() time.Duration { return d.state.UserTime() + d.state.SystemTime() }

func excess(summary, detail string, args ...any) config.Diagnostic {
	return config.Diagnostic{Severity: config.Error, Summary: summary, Detail: fmt.Sprintf(detail, args...)}
}

// blame gives a diagnostic its place, in the form of config.Options.Reading.
func blame(d config.Diagnostic, where string) config.Diagnostic {
	if m := placeForm().FindStringSubmatch(where); m != nil {
		d.File, d.Column, d.Block = m[1], 1, strings.ToValidUTF8(m[3], "")
		d.Line, _ = strconv.Atoi(m[2])
	}
	return d
}

var placeForm = text.Pattern(`^(.+?):(\d+): (.*)$`)

// size prints a number of bytes: "512 MiB".
func size(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }
