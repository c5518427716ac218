package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

func main() {
	cluster.Main()
	binary := flag.String("lvsd", "bin/lvsd", "the `path` of lvsd")
	keep := flag.Bool("keep", false, "end in a shell beside the running cluster")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary string, keep bool) (err error) {
	p := newPaper(os.Stdout)
	if keep && !p.terminal {
		return errors.New("KEEP=1 ends in a shell, which needs a terminal")
	}
	binary, err = filepath.Abs(binary)
	if err != nil {
		return err
	}
	c, err := cluster.New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()

	s := &stage{paper: p, Cluster: c, setup: cluster.NewSetup()}
	s.setup.Sync = true
	s.software = cluster.LVSD{Binary: binary, Config: filepath.Join(c.Dir, "lvsd")}
	s.lvs1, s.lvs2, s.web1 = c.Directors[0], c.Directors[1], c.Servers[0]
	if err := s.play(ctx); err != nil {
		s.blame()
		return err
	}
	p.table()
	if keep {
		return s.keep(ctx)
	}
	return nil
}

// A stage is where the story is played: the cluster with its daemons.
type stage struct {
	*paper
	*cluster.Cluster
	setup      cluster.Setup
	software   cluster.LVSD
	lvs1, lvs2 *cluster.Host
	web1       *cluster.Host
	webs       []*cluster.Process
	first      *cluster.Process // lvsd on lvs1
	second     *cluster.Process // lvsd on lvs2
	load       *cluster.Load
	echo       *cluster.Echo
	download   *cluster.Download
}

// limit is how long the whole story may take.
const limit = 120 * time.Second

// patience is how long a step may take until it counts as not happened. Every
// figure is far below it.
const patience = 20 * time.Second

// settle is how long a step is watched after it happened: longer than a request
// waits, so that each one that it hit has its answer or its error.
const settle = timeout + time.Second/2

// What may be beyond what was told, for the machine's sake.
const (
	// slack is for what a timer decides.
	slack = 500 * time.Millisecond
	// reading is for a reload, which starts a process: what user-mode Linux is
	// slowest at.
	reading = 3 * time.Second
	// handOverGap is for an address that should answer all the time: silence
	// would be some seconds, and a successor's skew time 609 ms.
	handOverGap = 300 * time.Millisecond
	// handOverLoss is how many requests may be under way at one moment.
	handOverLoss = 3
	// shared is how long after a move a request may still come to the other
	// director: both hold the address for 50 ms.
	shared = 100 * time.Millisecond
)

// timeout is how long the client waits for a page.
const timeout = time.Second

// rate is how many pages the client asks for each second, all the time.
const rate = 50

// until waits until the condition holds, and returns how long that took since
// begin.
func (s *stage) until(ctx context.Context, begin time.Time, what string, condition func() (bool, error)) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := cluster.Until(ctx, what, condition)
	return time.Since(begin), err
}

// holder waits until exactly this director holds the virtual address.
func (s *stage) holder(ctx context.Context, d *cluster.Host) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.WaitHolder(ctx, d, cluster.VIP)
}

// weights waits until the IPVS tables of both directors have exactly these
// weights, and returns how long that took on lvs1, since begin.
func (s *stage) weights(ctx context.Context, begin time.Time, want map[netip.AddrPort]int) (time.Duration, error) {
	table := func(d *cluster.Host) (time.Duration, error) {
		return s.until(ctx, begin, fmt.Sprintf("the table of %s to have the weights %v", d.Name, want), func() (bool, error) {
			have, err := cluster.Weights(d)
			return maps.Equal(have, want), err
		})
	}
	took, err := table(s.lvs1)
	if err != nil {
		return 0, err
	}
	_, err = table(s.lvs2)
	return took, err
}

// blame shows what the daemons said last, where the story went wrong.
func (s *stage) blame() {
	for _, p := range []*cluster.Process{s.first, s.second} {
		if p != nil {
			s.line("lvsd on %s said last:", p.Host.Name)
			s.quote(p.LastWords(15))
		}
	}
}
