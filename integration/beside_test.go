package integration

import (
	"context"
	"flag"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/integration/cluster"
)

var everyImported = flag.Bool("imported", false, "run all configurations that are imported, and take servers away")

// TestWhatIsImportedDoesWhatThePeerDoes runs a peer, and lvsd with what is made of its
// configuration, on two directors with the same real servers: their tables are the same, also
// after a server was killed and another one answers wrongly, they notice within the same time,
// and they tell the same programs.
func TestWhatIsImportedDoesWhatThePeerDoes(t *testing.T) {
	all := map[string]*took{}
	for _, g := range besideGroups {
		if all[g.program()] == nil {
			all[g.program()] = &took{}
		}
		t.Run(g.folder, func(t *testing.T) {
			if !*everyImported && !g.fast {
				t.Skip("it takes a quarter of a minute: make imported")
			}
			g.beside(t, all[g.program()])
		})
	}
	for program, sum := range all {
		if ratio := float64(sum.ours) / float64(max(sum.theirs, 1)); sum.changes > 0 && (ratio < 0.8 || ratio > 1.2) {
			t.Errorf("on average, lvsd takes %.2f times as long as %s until a server is down", ratio, program)
		}
	}
}

// A took is how long both took for changes, all in all.
type took struct {
	ours, theirs time.Duration
	changes      time.Duration
}

// add adds another change.
func (s *took) add(ours, theirs time.Duration) {
	s.ours, s.theirs, s.changes = s.ours+ours, s.theirs+theirs, s.changes+1
}

// beside runs both with all configurations of a group, and adds how long they took to the sum
// of the peer.
func (g besideGroup) beside(t *testing.T, sum *took) {
	p := newPair(t, nil)
	configurations := g.read(t)
	r := p.importing(g, configurations)
	servers := p.backends()
	p.prepare()
	theirs := g.start(p, r.path)
	ours := p.start(0)
	p.waitReady(0)
	table := p.sameTables(r.services, max(g.wait, patience))
	if !g.tables {
		time.Sleep(2 * time.Second) // each check of the peer has run once
		p.takeAway(g, servers, r, table, sum)
	}
	p.sameWords(g)
	if err := theirs.Stop(patience); err != nil {
		t.Log(err) // ldirectord ends by the signal
	}
	p.must(ours.Stop(patience))
	for _, word := range p.words(p.Directors[1]) { // keepalived does not wait for all programs of omega
		if !slices.Contains(p.words(p.Directors[0]), word) {
			t.Errorf("lvsd did not tell programs %q until it had ended", word)
		}
	}
}

// takeAway kills a server and has another one answer wrongly, compares what both do, and then
// what they do when all is well again.
func (p *pair) takeAway(g besideGroup, servers []*backend, r *conversion, table []string, sum *took) {
	longest := time.Duration(0)
	for _, c := range r.owners {
		longest = max(longest, c.latest)
	}
	begin, before := p.mark()
	if g.silent {
		p.must(servers[0].host.Cut("eth0"))
	} else {
		servers[0].kill()
	}
	servers[1].wrong.Store(true)
	p.files("1", "web1", "web2")
	p.files("0", "web3")
	left := p.watch(begin, before, longest)
	r.judge(p.t, "down", left, sum, func(c *foreign) (time.Duration, time.Duration) { return c.earliest, c.latest })
	p.sameTables(1, patience)

	begin, before = p.mark()
	if g.silent {
		p.must(servers[0].host.Restore("eth0"))
	} else {
		servers[0].start()
	}
	servers[1].wrong.Store(false)
	p.files("0", "web1", "web2")
	p.files("1", "web3")
	back := p.watch(begin, before, longest/2)
	r.judge(p.t, "back", back, &took{}, func(c *foreign) (time.Duration, time.Duration) { return 0, c.latest })
	if again := p.sameTables(r.services, patience); !slices.Equal(again, table) {
		p.t.Errorf("after all is well again, the table is another one (-before +after):\n%s", cmp.Diff(table, again))
	}
}

// sameTables waits until both directors have the same table of so many services at least.
func (p *pair) sameTables(services int, wait time.Duration) []string {
	p.t.Helper()
	var last [2][]string
	ctx, cancel := context.WithTimeout(p.t.Context(), wait)
	defer cancel()
	err := cluster.Until(ctx, "the tables to be the same", func() (bool, error) {
		for i, h := range p.Directors {
			table, err := cluster.Table(ctx, h)
			if err != nil {
				return false, err
			}
			for i := range table {
				table[i] = portless(table[i])
			}
			slices.Sort(table)
			last[i] = table
		}
		last[0] = slices.DeleteFunc(last[0], func(line string) bool { return held(line) && !slices.Contains(last[1], line) })
		n := 0
		for _, line := range last[0] {
			if strings.HasPrefix(line, "-A") {
				n++
			}
		}
		return n >= services && slices.Equal(last[0], last[1]), nil
	})
	if err != nil {
		p.t.Errorf("%v (-peer +lvsd):\n%s", err, cmp.Diff(last[1], last[0]))
	}
	return last[0]
}

// held reports whether a line is of the server that never fails, with weight 0: where the
// fallback serves, lvsd keeps the connections that such a server has, and keepalived does not.
func held(line string) bool {
	return strings.HasSuffix(line, " -w 0") && (strings.Contains(line, " -r 192.168.2.2:") || strings.Contains(line, " -r [2001:db8:2::2]:"))
}

// portOfMark is the port of a server of a firewall mark by direct routing or tunnel.
var portOfMark = regexp.MustCompile(`^(-a -f \d+ -r .+):\d+ (-[gi] )`)

// portless is a row of a table without a port that the kernel does not look at: of a firewall
// mark, packets keep theirs unless they go by NAT. ldirectord writes one, keepalived and lvsd
// do not.
func portless(line string) string { return portOfMark.ReplaceAllString(line, "$1:0 $2") }

// mark is now, and what serves on each director.
func (p *pair) mark() (now time.Time, serving [2]map[string]bool) {
	p.t.Helper()
	return time.Now(), p.serving()
}

// serving are the servers that take connections on each director, each with its service, as
// ipvsadm names both.
func (p *pair) serving() (rows [2]map[string]bool) {
	p.t.Helper()
	for i, h := range p.Directors {
		var lines []string
		p.must(h.In(func() (err error) { lines, err = mobyTable(); return err }))
		rows[i] = map[string]bool{}
		for _, line := range lines {
			if f := strings.Fields(portless(line)); f[0] == "-a" && !strings.Contains(line+" ", " -w 0 ") {
				rows[i][strings.Join(f[1:slices.Index(f, "-r")+2], " ")] = true
			}
		}
	}
	return rows
}

// changes are when servers began (+) and ceased (-) to take connections on each director, by
// service and server.
type changes [2]map[string]time.Duration

// watch looks at both tables for a while, and then until they agree on which servers take
// connections.
func (p *pair) watch(begin time.Time, before [2]map[string]bool, while time.Duration) changes {
	p.t.Helper()
	seen := changes{{}, {}}
	agreed := func(now [2]map[string]bool) bool {
		return time.Since(begin) > while+time.Second && len(seen[0]) > 0 && maps.Equal(now[0], now[1])
	}
	for end := begin.Add(while + 8*time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		now := p.serving()
		for i := range now {
			seen.note(i, "-", before[i], now[i], time.Since(begin))
			seen.note(i, "+", now[i], before[i], time.Since(begin))
		}
		if agreed(now) {
			return seen
		}
	}
	now := p.serving()
	p.t.Errorf("the directors do not agree on which servers take connections (-peer +lvsd):\n%s",
		cmp.Diff(slices.Sorted(maps.Keys(now[1])), slices.Sorted(maps.Keys(now[0]))))
	return seen
}

// note keeps when rows of a table were missing in another one for the first time.
func (s *changes) note(i int, sign string, in, from map[string]bool, at time.Duration) {
	for row := range in {
		if _, known := s[i][sign+row]; !known && !from[row] {
			s[i][sign+row] = at
		}
	}
}

// judge compares the times that both took, and adds them to a sum.
func (r *conversion) judge(t *testing.T, what string, seen changes, sum *took, within func(*foreign) (time.Duration, time.Duration)) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(seen[1])), slices.Sorted(maps.Keys(seen[0]))); diff != "" || len(seen[0]) == 0 {
		t.Errorf("%s: others changed (-peer +lvsd):\n%s", what, diff)
	}
	const early, late = 200 * time.Millisecond, 3 * time.Second // of the lab
	sums := map[string]*took{}
	for row, theirs := range seen[1] {
		ours, c := seen[0][row], r.owner(row)
		if c == nil {
			t.Errorf("%s: nobody knows %s", what, row)
			continue
		}
		first, last := within(c)
		for _, took := range []time.Duration{ours, theirs} {
			if took < first-early || took > last+late {
				t.Errorf("%s: %s changed after %v and, with the peer, %v; want %v to %v", c.name, row, ours, theirs, first, last)
				break
			}
		}
		if sums[c.name] == nil {
			sums[c.name] = &took{}
		}
		sums[c.name].add(ours, theirs)
		sum.add(ours, theirs)
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		s := sums[name]
		t.Logf("%s: %-30s lvsd %5dms  peer %5dms  (%d changes)", what, name, (s.ours / s.changes).Milliseconds(), (s.theirs / s.changes).Milliseconds(), s.changes)
	}
}

// sameWords compares what programs were told. ldirectord has its fallback serve when it starts,
// until the first check has passed, so that of it only what is told counts, and not how often.
func (p *pair) sameWords(g besideGroup) {
	p.t.Helper()
	var theirs, ours []string
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := cluster.Until(ctx, "programs to be told the same", func() (bool, error) {
		theirs, ours = p.words(p.Directors[1]), p.words(p.Directors[0])
		if g.program() == "ldirectord" {
			theirs, ours = slices.Compact(theirs), slices.Compact(ours)
		}
		return slices.Equal(theirs, ours), nil
	}); err != nil {
		p.t.Errorf("%v (-peer +lvsd):\n%s", err, cmp.Diff(theirs, ours))
	}
}
