package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// jobVariable names the environment variable that tells the lab inside where
// the job lies.
const jobVariable = "LVSD_LAB_JOB"

// kernelVariable names the environment variable that tells the lab inside, and
// the command, which kernel it is on: "here", "uml" or "qemu".
const kernelVariable = "LVSD_LAB"

// The exit statuses that are the lab's own, as timeout(1) and docker-run(1)
// have them.
const (
	statusTimeout = 124
	statusLab     = 125
)

// A job is what the lab inside must know, written by the lab outside.
type job struct {
	Args        []string
	Environment []string
	Directory   string
	// Module is the folder of the Go module around Directory, or Directory.
	Module string
	// Terminal: standard input and output are the caller's terminal, of this
	// size.
	Terminal      bool
	Rows, Columns int
}

func main() {
	if folder := os.Getenv(jobVariable); folder != "" && os.Getpid() == 1 {
		runInside(folder)
		return
	}
	name := flag.String("kernel", "auto", "here, uml or qemu; auto is here where that has IPVS, and uml elsewhere")
	memory := flag.String("mem", "1G", "memory of a machine with a kernel of its own")
	limit := flag.Duration("timeout", 10*time.Minute, "end the command after this `time`")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: lab [-kernel auto] [-mem 1G] [-timeout 10m] -- COMMAND [ARGUMENT...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	status, err := run(flag.Args(), *name, *memory, *limit)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	os.Exit(status)
}

// run runs the command on the kernel of that name and returns its exit status.
func run(args []string, name, memory string, limit time.Duration) (status int, err error) {
	if name, err = chooseKernel(name); err != nil {
		return statusLab, err
	}
	j, err := newJob(args)
	if err != nil {
		return statusLab, err
	}
	folder, err := os.MkdirTemp("", "lvsd-lab-")
	if err != nil {
		return statusLab, fmt.Errorf("making a folder to talk to the machine: %w", err)
	}
	defer os.RemoveAll(folder)

	// Interrupts end the machine, and with it everything inside. On a
	// terminal the keys go to the command itself.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	if err := j.write(folder); err != nil {
		return statusLab, err
	}
	failure := kernels[name].start(ctx, j, folder, memory)
	if status, ok := readStatus(folder); ok {
		return status, nil
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return statusTimeout, fmt.Errorf("%s did not end within %v: it was stopped (-timeout gives it more)", args[0], limit)
	case ctx.Err() != nil:
		return 128 + int(syscall.SIGINT), errors.New("interrupted")
	case failure != nil:
		return statusLab, failure
	default:
		return statusLab, fmt.Errorf("the machine ended before %s did, without a word", args[0])
	}
}

// newJob resolves the command as the caller's shell would.
func newJob(args []string) (*job, error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil, fmt.Errorf("finding the command: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("finding the command: %w", err)
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("finding the working directory: %w", err)
	}
	j := &job{
		Args:        append([]string{path}, args[1:]...),
		Environment: os.Environ(),
		Directory:   folder,
		Module:      moduleOf(folder),
	}
	j.Rows, j.Columns, j.Terminal = terminalSize()
	return j, nil
}

// moduleOf returns the Go module's folder around a folder, or that itself: the
// command may need what was built elsewhere in the module.
func moduleOf(folder string) string {
	for dir := folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return folder
		}
	}
}

// keepTerminal remembers the settings of the job's terminal, and returns what
// puts them back.
func keepTerminal(j *job) (restore func()) {
	input := int(os.Stdin.Fd())
	settings, err := term.GetState(input)
	if !j.Terminal || err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(input, settings) }
}

// terminalSize reports whether the caller sits at a terminal, and its size.
func terminalSize() (rows, columns int, ok bool) {
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	if !term.IsTerminal(in) || !term.IsTerminal(out) {
		return 0, 0, false
	}
	columns, rows, err := term.GetSize(out)
	return rows, columns, err == nil
}

func (j *job) write(folder string) error {
	text, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("writing the job: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "job.json"), text, 0o600); err != nil {
		return fmt.Errorf("writing the job: %w", err)
	}
	return nil
}

func readJob(folder string) (*job, error) {
	text, err := os.ReadFile(filepath.Join(folder, "job.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	j := new(job)
	if err := json.Unmarshal(text, j); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	return j, nil
}

// writeStatus hands the exit status over. It is the last thing that happens
// inside, so a missing file means that the machine did not get there.
func writeStatus(folder string, status int) error {
	return os.WriteFile(filepath.Join(folder, "status"), []byte(strconv.Itoa(status)+"\n"), 0o600)
}

func readStatus(folder string) (status int, ok bool) {
	text, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil || !strings.HasSuffix(string(text), "\n") {
		return 0, false
	}
	status, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return status, err == nil
}
