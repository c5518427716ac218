package vrrp_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/sim"
	"github.com/lvsd/lvsd/vrrp"
)

// The files in testdata/transcripts are stories: what happens to some
// directors, and what they do about it. Blocks of commands and their outcome
// are separated by empty lines; adverts that only repeat the one before are
// counted. If this test fails, run it with -update and read the difference:
// commit it only if you understand what caused it, and want it.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newStage(t).play(string(want))
			golden.Check(t, file, got)
		})
	}
}

// A stage is where a transcript plays.
type stage struct {
	t    *testing.T
	net  *sim.Network
	out  []string
	last string // the last line without its time
	same int    // how often it has come since
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, net: sim.NewNetwork(1)}
	s.net.Lateness, s.net.Delay = 0, time.Millisecond
	s.net.Log = s.log
	return s
}

func (s *stage) log(line string) {
	_, text, _ := strings.Cut(line, "s  ")
	if text == s.last && strings.Contains(text, "send advert") {
		s.same++
		return
	}
	s.flush()
	s.last = text
	s.out = append(s.out, line)
}

func (s *stage) flush() {
	if s.same > 0 {
		s.out = append(s.out, fmt.Sprintf("             and %d more", s.same))
	}
	s.last, s.same = "", 0
}

// play runs a script and returns it with the outcome of today.
func (s *stage) play(script string) string {
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(script), "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		out = append(out, commands)
		if strings.HasPrefix(commands, "#") && !strings.Contains(block, "\n----") {
			out = append(out, "")
			continue
		}
		s.out = nil
		for line := range strings.SplitSeq(commands, "\n") {
			if !strings.HasPrefix(line, "#") {
				s.command(strings.Fields(line))
			}
		}
		s.flush()
		out = append(out, "----")
		out = append(out, s.out...)
		out = append(out, "")
	}
	return strings.Join(out, "\n")
}

func (s *stage) command(words []string) {
	s.t.Helper()
	verb, args := words[0], words[1:]
	switch verb {
	case "director":
		c := vrrp.Config{Name: "outside", Interface: "eth0", VRID: 51, Version: 3, Priority: 100, Interval: time.Second,
			Preempt: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.100/24")}}
		s.net.Add(s.set(c, args))
	case "run":
		d, err := time.ParseDuration(args[0])
		if err == nil {
			err = s.net.Run(d)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	case "mend":
		s.net.Mend()
	case "cut":
		s.net.Cut(s.director(args[0]), s.director(args[1]))
	default:
		s.direct(verb, s.director(args[0]), args[1:])
	}
}

// direct does something to one director.
func (s *stage) direct(verb string, d *sim.Director, args []string) {
	s.t.Helper()
	actions := map[string]func(){
		"start":   d.Start,
		"resume":  d.Resume,
		"crash":   d.Crash,
		"stop":    func() { d.Stop(false) },
		"abandon": func() { d.Stop(true) },
		"fault":   func() { d.Fault(false) },
		"unplug":  func() { d.Fault(true) },
		"repair":  d.Repair,
		"sleep":   func() { d.Sleep(false) },
		"suspend": func() { d.Sleep(true) },
		"wake":    d.Wake,
		"set":     func() { d.Update(s.set(d.Config, args)) },
		"advert":  func() { s.advert(d, args) },
		"status":  func() { s.status(d) },
	}
	do, ok := actions[verb]
	if !ok {
		s.t.Fatalf("no command %q", verb)
	}
	do()
}

// advert injects a foreign advert, plain or in bytes.
func (s *stage) advert(d *sim.Director, args []string) {
	s.t.Helper()
	src := netip.MustParseAddr(args[0])
	c := s.set(d.Config, args[1:])
	ad := vrrp.Advert{Version: c.Version, VRID: c.VRID, Priority: c.Priority, Interval: c.Interval}
	for _, p := range c.Addresses {
		ad.Addresses = append(ad.Addresses, p.Addr())
	}
	s.net.Inject(d, src, ad.Append(nil, src, vrrp.Group4))
}

func (s *stage) status(d *sim.Director) {
	st := d.Router.Status()
	s.flush()
	if d.Router.Holding() {
		st.Held = len(st.Addresses)
	}
	s.out = append(s.out, fmt.Sprintf("             %s is %s, priority %d, master %s with %d, %d of %d addresses, sent %d received %d, stalls %d, discarded %v, mismatched %v",
		d.Name, st.State, st.Priority, st.Master, st.MasterPriority, st.Held, len(st.Addresses),
		st.Counters.AdvertsSent, st.Counters.AdvertsReceived, st.Counters.Stalls, counted(st.Counters.Discarded), counted(st.Counters.Mismatched)))
}

// counted leaves out what never happened.
func counted(all map[vrrp.Reason]uint64) map[vrrp.Reason]uint64 {
	maps.DeleteFunc(all, func(_ vrrp.Reason, n uint64) bool { return n == 0 })
	return all
}

func (s *stage) director(name string) *sim.Director {
	s.t.Helper()
	for _, d := range s.net.Directors {
		if d.Name == name {
			return d
		}
	}
	s.t.Fatalf("no director %q", name)
	return nil
}

// set changes a configuration by words such as priority=150.
func (s *stage) set(c vrrp.Config, args []string) vrrp.Config {
	s.t.Helper()
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "priority", "version", "vrid":
			var n uint64
			n, err = strconv.ParseUint(value, 10, 8)
			*map[string]*uint8{"priority": &c.Priority, "version": &c.Version, "vrid": &c.VRID}[key] = uint8(n)
		case "interval":
			c.Interval, err = time.ParseDuration(value)
		case "delay":
			c.PreemptDelay, err = time.ParseDuration(value)
		case "preempt":
			c.Preempt = value == "on"
		case "addresses":
			c.Addresses = nil
			for a := range strings.SplitSeq(value, ",") {
				c.Addresses = append(c.Addresses, netip.MustParsePrefix(a))
			}
		default:
			err = fmt.Errorf("no setting %q", key)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	return c
}
