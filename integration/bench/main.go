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
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// options are what every part needs to know.
type options struct {
	lvsd   string // path of the binary
	lab    string // path of the lab's
	kernel string // the lab's, or "auto"
	runs   int
	flood  time.Duration // how long each flood lasts
}

// parts are what can be measured, in the order in which it is printed.
var parts = []struct {
	name    string
	where   place
	measure func(context.Context, options) ([]Figure, error)
}{
	{"config", here, measureConfig},
	{"failover", anywhere, measureFailover},
	{"handover", anywhere, measureHandover},
	{floodRefused.name, anywhere, floodRefused.measure},
	{floodCrowded.name, anywhere, floodCrowded.measure},
	{floodForged.name, anywhere, floodForged.measure},
	{"steady", here, measureSteady},
	{scalePlain.name, here, scalePlain.measure},
	{scaleMAC.name, here, scaleMAC.measure},
	{pacedName, here, measurePaced},
	{"start", lab, measureStart},
	{"servers", lab, measureServers},
	{"detection", lab, measureDetection},
	{"table", lab, measureTable},
	{"wide", lab, measureWide},
	{"restore", lab, measureRestore},
	{tellingName, lab, measureTelling},
	{"checks", lab, measureChecks},
	{"storm", lab, measureStorm},
	{"adverts", lab, measureAdverts},
	{"churn", lab, measureChurn},
}

// A place is where a part can be measured.
type place int

const (
	here     place = iota // on the kernel at hand
	anywhere              // there, unless a kernel was asked for
	lab                   // in the lab, for it needs IPVS
)

// inLab reports whether a part is measured in the lab.
func (o options) inLab(where place) bool {
	return where == lab || where == anywhere && o.kernel != "auto"
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

func main() {
	cluster.Main()
	for name, program := range map[string]func([]string) error{pacedName: paced, tellingName: tell} {
		if len(os.Args) > 1 && os.Args[1] == name {
			if err := program(os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, "bench:", err)
				os.Exit(1)
			}
			return
		}
	}
	var o options
	flag.StringVar(&o.lvsd, "lvsd", "bin/lvsd", "the lvsd to measure")
	flag.StringVar(&o.lab, "lab", "bin/lab", "the program that runs a command where IPVS is")
	flag.StringVar(&o.kernel, "kernel", "auto", "where all but the configuration is measured: here, uml or qemu; auto is here for the\n"+
		"failover and the lab's choice for what needs IPVS")
	flag.IntVar(&o.runs, "runs", 5, "runs of the failover, the handover and the start; three fifths as many with the servers\n"+
		"and with the large table, two fifths of the checks and the adverts")
	flag.DurationVar(&o.flood, "flood", 8*time.Second, "how long each flood lasts, and the churn")
	only := flag.String("parts", strings.Join(partNames(), ","), "what to measure")
	format := flag.String("o", "text", "text or json")
	flag.Parse()
	err := run(o, strings.Split(*only, ","), *format)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, and prints what could be measured even where something could
// not.
func run(o options, only []string, format string) (err error) {
	if format != "text" && format != "json" {
		return fmt.Errorf("-o %q: text or json", format)
	}
	for _, name := range only {
		if !slices.Contains(partNames(), name) {
			return fmt.Errorf("-parts %s: there are %s", name, strings.Join(partNames(), ", "))
		}
	}
	if o.runs < 1 {
		return fmt.Errorf("-runs %d: 1 or more", o.runs)
	}
	if o.flood < time.Second {
		return fmt.Errorf("-flood %v: 1s or more", o.flood)
	}
	if o.lvsd, err = filepath.Abs(o.lvsd); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	figures, err := measure(ctx, o, only)
	if format == "json" {
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(figures))
	}
	return errors.Join(err, printTable(os.Stdout, figures))
}

// measure runs the parts, those for the lab together in one.
func measure(ctx context.Context, o options, only []string) ([]Figure, error) {
	var figures []Figure
	var failures []error
	var elsewhere []string
	for _, p := range parts {
		if !slices.Contains(only, p.name) {
			continue
		}
		if o.inLab(p.where) && !cluster.InLab() {
			elsewhere = append(elsewhere, p.name)
			continue
		}
		f, err := p.measure(ctx, o)
		if err != nil {
			failures = append(failures, fmt.Errorf("measuring %s: %w", p.name, err))
		}
		figures = append(figures, f...)
	}
	if len(elsewhere) > 0 && ctx.Err() == nil {
		f, err := measureInLab(ctx, o, elsewhere)
		if err != nil {
			failures = append(failures, err)
		}
		figures = append(figures, f...)
	}
	return figures, errors.Join(failures...)
}

// measureInLab runs this program on the lab's kernel.
func measureInLab(ctx context.Context, o options, only []string) ([]Figure, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	c := exec.CommandContext(ctx, o.lab, "-kernel", o.kernel, "-mem", "2G", "-timeout", (time.Hour + o.flood).String(), "--", self,
		"-lvsd", o.lvsd, "-runs", fmt.Sprint(o.runs), "-flood", o.flood.String(), "-parts", strings.Join(only, ","), "-o", "json")
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.Stderr = os.Stderr
	out, err := c.Output()
	var figures []Figure
	if decoding := json.Unmarshal(out, &figures); decoding != nil && err == nil {
		err = fmt.Errorf("reading the figures: %w", decoding)
	}
	if err != nil {
		return figures, fmt.Errorf("measuring %s in the lab: %w", strings.Join(only, " and "), err)
	}
	return figures, nil
}

// share is a part of the runs, for what takes long.
func (o options) share(fifths int) int { return max(1, o.runs*fifths/5) }

// say tells how far the program is: it runs for minutes.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "-- "+format+"\n", args...) }
