package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// play plays the acts in their order, within the limit. Each leaves the cluster
// whole.
func (s *stage) play(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.leave()) }()
	late := fmt.Errorf("the whole story has to end within %v, and this is under way", limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	for _, act := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"A cluster comes up", s.comeUp},
		{"Each server gets its share", s.share},
		{"A server dies, and comes back", s.killServer},
		{"A weight is edited", s.editWeight},
		{"A file is broken", s.breakFile},
		{"The master's link is cut, and repaired", s.cutLink},
		{"The master is stopped", s.stopMaster},
	} {
		s.title(act.title)
		err := act.play(ctx)
		if err := errors.Join(context.Cause(ctx), err); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(act.title[:1])+act.title[1:], err)
		}
	}
	return nil
}

// leave stops the client.
func (s *stage) leave() error {
	if s.load != nil {
		s.load.Stop()
	}
	var err error
	if s.download != nil {
		err = s.download.Stop()
	}
	if s.echo != nil {
		err = errors.Join(err, s.echo.Stop())
	}
	return err
}

func (s *stage) comeUp(ctx context.Context) (err error) {
	s.line("client 10.13.0.100; directors lvs1 10.13.0.15 and lvs2 10.13.0.16;")
	s.line("behind them nginx on web1 192.168.1.4, web2 192.168.1.5 and web3 192.168.2.2.")
	s.line("Both directors read the same files, %s/*.hcl. The one with the service:", s.software.Config)
	s.quote(s.setup.ServiceHCL())
	if s.webs, err = s.StartWebs(); err != nil {
		return err
	}
	if err := s.software.Configure(s.lvs1, s.setup); err != nil {
		return err
	}
	begin := time.Now()
	if s.first, err = s.software.Start(s.lvs1); err != nil {
		return err
	}
	if s.second, err = s.software.Start(s.lvs2); err != nil {
		return err
	}
	took, err := s.until(ctx, begin, "the first page", func() (bool, error) {
		if err := s.alive(); err != nil {
			return false, err
		}
		return cluster.Get(s.Client, s.setup.Service(), 200*time.Millisecond).Err == nil, nil
	})
	if err != nil {
		return err
	}
	if err := s.holder(ctx, s.lvs1); err != nil {
		return err
	}
	s.figure("first page after both lvsd were started", short(took), "")
	if _, err := s.weights(ctx, begin, s.setup.Weights()); err != nil {
		return err
	}
	s.line("%v is on lvs1 alone, and the tables of both directors are complete. On lvs1:", cluster.VIP)
	status, err := s.software.Status(ctx, s.lvs1)
	s.quote(status)
	return err
}

func (s *stage) share(context.Context) error {
	const requests = 280 // 40 rounds of weighted round robin
	total := 0
	for _, r := range s.setup.Servers {
		total += r.Weight
	}
	got := map[string]int{}
	for range requests {
		r := cluster.Get(s.Client, s.setup.Service(), time.Second)
		if r.Err != nil {
			return fmt.Errorf("request %d of %d: %w", got["web1"]+got["web2"]+got["web3"]+1, requests, r.Err)
		}
		got[r.Server]++
	}
	s.line("%d requests, each by a new connection:", requests)
	for _, r := range s.setup.Servers {
		want := float64(requests*r.Weight) / float64(total)
		s.figure(fmt.Sprintf("%s, weight %d", r.Name, r.Weight),
			fmt.Sprintf("%.1f %%", 100*float64(got[r.Name])/requests),
			fmt.Sprintf("%d requests; by its weight %.0f", got[r.Name], want))
		if diff := float64(got[r.Name]) - want; math.Abs(diff) > float64(r.Weight) {
			return fmt.Errorf("%s got %d requests, expected %.0f by its weight, give or take a round", r.Name, got[r.Name], want)
		}
	}
	return s.enter()
}

// enter lets the client begin to ask for pages and echoes, until the end.
func (s *stage) enter() (err error) {
	s.line("From now on the client asks for %d pages each second.", rate)
	s.load = cluster.StartLoad(s.Client, s.setup.Service(), rate, timeout)
	s.echo, err = cluster.StartEcho(s.Client, cluster.VIP)
	return err
}

func (s *stage) killServer(ctx context.Context) (err error) {
	s.line("nginx on web1 is killed. It is checked every %v, and out after %d failures.", s.setup.Interval, s.setup.Fall)
	begin := time.Now()
	if err := s.webs[0].Kill(); err != nil {
		return err
	}
	out, err := s.weights(ctx, begin, s.setup.Weights("web1"))
	if err != nil {
		return err
	}
	s.pause(ctx, settle)
	const what = "a killed server is out of the table"
	s.figure(what, short(out), s.failed(begin))
	bound := time.Duration(s.setup.Fall)*s.setup.Interval + s.setup.Timeout + 100*time.Millisecond
	if err := errors.Join(within(what, out, bound+slack), s.spared(begin.Add(out+100*time.Millisecond))); err != nil {
		return err
	}
	return s.restartServer(ctx)
}

func (s *stage) restartServer(ctx context.Context) (err error) {
	s.line("nginx on web1 is started again. It is back after %d answers.", s.setup.Rise)
	if s.webs[0], err = cluster.StartWeb(s.web1); err != nil {
		return err
	}
	begin := time.Now()
	back, err := s.weights(ctx, begin, s.setup.Weights())
	if err != nil {
		return err
	}
	s.pause(ctx, settle)
	const what = "it is back with its weight 3"
	s.figure(what, short(back), s.failed(begin))
	bound := time.Duration(s.setup.Rise) * s.setup.Interval
	return errors.Join(within(what, back, bound+slack), s.spared(begin))
}

func (s *stage) editWeight(ctx context.Context) error {
	s.line("web3's weight is edited from 1 to 2, and both lvsd get SIGHUP.")
	s.setup.Servers[2].Weight = 2
	if err := s.software.Configure(s.lvs1, s.setup); err != nil {
		return err
	}
	begin := time.Now()
	if err := s.reload(); err != nil {
		return err
	}
	took, err := s.weights(ctx, begin, s.setup.Weights())
	if err != nil {
		return err
	}
	s.pause(ctx, settle)
	const what = "an edited weight is in the table"
	s.figure(what, short(took), s.failed(begin))
	return errors.Join(within(what, took, reading), s.spared(begin))
}

func (s *stage) reload() error {
	return errors.Join(s.first.Signal(syscall.SIGHUP), s.second.Signal(syscall.SIGHUP))
}

// read waits until the status of both lvsd says that they have read a
// configuration since begin, and whether they took it.
func (s *stage) read(ctx context.Context, begin time.Time, taken bool) error {
	for _, d := range s.Directors {
		what := fmt.Sprintf("lvsd on %s to have read its files (taken: %t)", d.Name, taken)
		_, err := s.until(ctx, begin, what, func() (bool, error) {
			var status struct {
				Reload struct {
					Last time.Time
					OK   bool
				}
			}
			text, err := s.software.Status(ctx, d, "-o", "json")
			if err == nil {
				err = json.Unmarshal([]byte(text), &status)
			}
			return status.Reload.Last.After(begin) && status.Reload.OK == taken, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// breakFile writes a mistake into a file, and expects that lvsd says where it
// is and goes on with what it has.
func (s *stage) breakFile(ctx context.Context) error {
	s.line("Somebody writes weigth for weight, and both lvsd get SIGHUP.")
	path := filepath.Join(s.software.Config, "web.hcl")
	broken := strings.Replace(s.setup.ServiceHCL(), "weight  = 3", "weigth  = 3", 1)
	if err := os.WriteFile(path, []byte(broken), 0o644); err != nil {
		return err
	}
	before, err := s.tables(ctx)
	if err != nil {
		return err
	}
	said := len(s.first.Log())
	begin := time.Now()
	if err := errors.Join(s.reload(), s.read(ctx, begin, false)); err != nil {
		return err
	}
	_, err = s.until(ctx, begin, "lvsd to name the mistake", func() (bool, error) {
		return strings.Contains(s.first.Log()[said:], "weigth"), s.alive()
	})
	if err != nil {
		return err
	}
	s.line("lvsd on lvs1 logs:")
	s.quote(strings.TrimSpace(s.first.Log()[said:]))
	s.line("lvsd validate, which could have been asked before, shows the line:")
	diagnostics, err := s.lvs1.Run(ctx, s.software.Binary, "validate", s.software.Config)
	if err == nil || !strings.Contains(diagnostics, "weigth  = 3") {
		return fmt.Errorf("lvsd validate did not show the broken line: %q, %w", diagnostics, err)
	}
	s.quote(diagnostics)

	s.pause(ctx, settle)
	if err := s.unchanged(ctx, begin, before); err != nil {
		return err
	}
	s.figure("a broken file changes", "nothing", s.failed(begin))
	s.line("The file is corrected, and both lvsd get SIGHUP again.")
	begin = time.Now()
	return errors.Join(s.software.Configure(s.lvs1, s.setup), s.reload(), s.read(ctx, begin, true))
}

// tables are the IPVS tables of both directors.
func (s *stage) tables(ctx context.Context) (string, error) {
	text := ""
	for _, d := range s.Directors {
		lines, err := cluster.Table(ctx, d)
		if err != nil {
			return "", err
		}
		text += d.Name + ":\n" + strings.Join(lines, "\n") + "\n"
	}
	return text, nil
}

// unchanged checks that everything is as it was.
func (s *stage) unchanged(ctx context.Context, begin time.Time, before string) error {
	after, err := s.tables(ctx)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("the tables were\n%sand are\n%s", before, after)
	}
	return errors.Join(s.holder(ctx, s.lvs1), s.spared(begin), s.alive())
}

func (s *stage) cutLink(ctx context.Context) (err error) {
	s.line("The client begins a download by one connection, which lasts until the end.")
	if s.download, err = cluster.StartDownload(s.Client, s.setup.Service()); err != nil {
		return err
	}
	s.pause(ctx, settle) // The kernel tells the other director of it with its third packet.
	s.line("lvs1 loses the carrier of eth0. Adverts come every %v.", s.setup.Advert)
	cut := func() error { return s.lvs1.Cut("eth0") }
	if err := s.move(ctx, "the master's link cut: gap", s.lvs2, s.masterDown()+slack, cut); err != nil {
		return err
	}
	s.line("The carrier of lvs1 is back. Its priority is higher, so it becomes Master again.")
	s.line("A request under way at that moment may be lost: it is too young for the other director to know it.")
	return s.handOver(ctx, "the master is back: gap", s.lvs1, func() error { return s.lvs1.Restore("eth0") })
}

// masterDown is how long lvs2 waits after the last advert (RFC 9568 section 6.1).
func (s *stage) masterDown() time.Duration {
	return 3*s.setup.Advert + s.setup.Advert*time.Duration(256-s.setup.Priority["lvs2"])/256
}

func (s *stage) stopMaster(ctx context.Context) error {
	s.line("lvsd on lvs1 gets SIGTERM, as systemctl stop sends it.")
	err := s.handOver(ctx, "the master stopped: gap", s.lvs2, func() error { return s.first.Stop(patience) })
	if err != nil {
		return err
	}
	s.line("lvsd on lvs1 is started again, and takes over again.")
	if s.first, err = s.software.Start(s.lvs1); err != nil {
		return err
	}
	// A process that starts stalls one slow processor, and listens for longer.
	s.pause(ctx, s.setup.Advert)
	if err := s.handOver(ctx, "and started again: gap", s.lvs1, func() error { return s.holder(ctx, s.lvs2) }); err != nil {
		return err
	}
	return s.downloaded(ctx)
}

// downloaded checks that the download goes on, through all of that.
func (s *stage) downloaded(ctx context.Context) error {
	before, err := s.download.Bytes()
	if err == nil {
		_, err = s.until(ctx, time.Now(), "the download to go on", func() (bool, error) {
			n, err := s.download.Bytes()
			return n > before, err
		})
	}
	if err != nil {
		return fmt.Errorf("the download did not survive: %w", err)
	}
	n, _ := s.download.Bytes()
	s.figure("a download through these four moves", "goes on", fmt.Sprintf("%d kB so far, none of them wrong", n>>10))
	return nil
}

// handOver is a move in which the address answers all the time, and of the
// requests those are lost that are under way at that moment.
func (s *stage) handOver(ctx context.Context, what string, to *cluster.Host, do func() error) error {
	begin := time.Now()
	if err := s.move(ctx, what, to, handOverGap, do); err != nil {
		return err
	}
	if lost := s.load.Requests().Since(begin.Add(-timeout)); lost.Failed() > handOverLoss {
		return fmt.Errorf("%s: %s failed, expected at most %d: %v",
			what, plural(lost.Failed(), "request"), handOverLoss, lost.Errors())
	}
	return nil
}

// move does something after which the other director holds the address, and
// measures for how long the client had none.
func (s *stage) move(ctx context.Context, what string, to *cluster.Host, bound time.Duration, do func() error) error {
	begin := time.Now()
	if err := do(); err != nil {
		return err
	}
	_, err := s.until(ctx, begin, to.Name+" to hold the address", func() (bool, error) { return to.Holds(cluster.VIP) })
	if err != nil {
		return err
	}
	moved := time.Now()
	if err := s.holder(ctx, to); err != nil {
		return err
	}
	s.pause(ctx, settle)
	gap, unasked := s.echo.Gap(begin), s.echo.GapAtMost(begin)
	s.figure(what, short(gap), s.lost(begin, moved)+"; "+to.Name+" holds the address")
	if err := within(what, gap, bound); err != nil {
		return err
	}
	if err := within("the client had no answer and hardly asked", unasked, bound+timeout); err != nil {
		return err
	}
	return errors.Join(s.spared(moved.Add(shared)), s.holder(ctx, to))
}

// lost says how many requests have failed since then, and whether there are any
// among them that began after the address had moved.
func (s *stage) lost(begin, moved time.Time) string {
	// A request waits for so long: what began before may have failed since.
	all := s.load.Requests().Since(begin.Add(-timeout)).Failed()
	after := s.load.Requests().Since(moved).Failed()
	text := plural(all, "request") + " failed"
	switch {
	case after > 0:
		text += fmt.Sprintf(", %d begun after the move", after)
	case all > 0:
		text += ", begun before the move"
	}
	return text
}

// failed says how many requests have failed since then.
func (s *stage) failed(begin time.Time) string {
	return plural(s.load.Requests().Since(begin).Failed(), "request") + " failed"
}

// spared is an error if requests of the client have failed that began since
// then, or if it did not ask. One in fifty is left to the machine: it may stall
// for longer than a request waits.
func (s *stage) spared(begin time.Time) error {
	requests := s.load.Requests().Since(begin)
	if len(requests) < rate/2 {
		return fmt.Errorf("the client asked for %s only, expected %d each second", plural(len(requests), "page"), rate)
	}
	if failed := requests.Failed(); failed*50 > len(requests) {
		return fmt.Errorf("%d of %s failed, expected none: %v", failed, plural(len(requests), "request"), requests.Errors())
	}
	return nil
}

// alive reports a director's daemon that has ended by itself.
func (s *stage) alive() error { return errors.Join(s.first.Ended(), s.second.Ended()) }

// pause lets the client go on for a while.
func (s *stage) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// keep writes a command for each host and ends in a shell that finds them.
func (s *stage) keep(ctx context.Context) error {
	hosts := map[string]*cluster.Host{"client": s.Client}
	for _, h := range append(slices.Clone(s.Directors), s.Servers...) {
		hosts[h.Name] = h
	}
	bin := filepath.Join(s.Dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for name, h := range hosts {
		script := "#!/bin/sh\n[ $# -gt 0 ] || set -- bash --norc\nexec " + strings.Join(h.Enter(), " ") + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	s.shellHelp(slices.Sorted(maps.Keys(hosts)), s.software.Config, s.webs[0].PID(), s.first.PID())
	return shell(ctx, bin, filepath.Dir(s.software.Binary), s.Dir)
}
