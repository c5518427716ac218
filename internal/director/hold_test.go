package director

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// farm is a cluster with one service of n servers, each of which is probed every
// second, with rise 2 and fall 3, and a fallback.
func farm(n int, isolation bool, p *config.Policy) *config.Config {
	all := make([]netip.Addr, n)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{192, 168, 1, byte(i + 1)})
	}
	s := webService(ipvsctl.NAT, all...)
	s.Policy = p
	for i := range s.Servers {
		s.Servers[i].Destination.Weight = 1
		t := checker.Target{Spec: "tcp", Addr: all[i], Port: 80, Interval: time.Second, Timeout: time.Second}
		s.Servers[i].Checks = []config.Check{{Target: t, Rise: 2, Fall: 3}}
	}
	return &config.Config{Services: []config.Service{s}, Director: config.Director{StartDelay: 10 * time.Second, Isolation: isolation},
		Routers: []vrrp.Config{{Name: "outside", Addresses: []netip.Prefix{netip.PrefixFrom(vip, 24)}}}}
}

// probes are the results by the letters of a script.
var probes = map[rune]checker.Result{
	'p': {Outcome: checker.Passed},
	's': {Outcome: checker.Failed, Silent: true, Detail: "timeout after 1s while connecting"},
	'r': {Outcome: checker.Failed, Reason: checker.Refused, Detail: "connection refused"},
	'n': {Outcome: checker.NotRun, Detail: "no socket"},
}

// round tells of one result of each server, by their letters, and lets the rest of a
// second pass.
func (s *story) round(letters string) {
	s.Helper()
	servers := s.core.config.Services[0].Servers
	for i, letter := range letters {
		r := probes[letter]
		r.At = s.now
		s.handle(Probed{{servers[i].Checks[0].Target, r}})
	}
	s.wait(time.Second)
}

// serving is which servers take connections, by their numbers from 1, each with its
// weight if that is not 1, and F for the fallback.
func (s *story) serving() string {
	service := &s.core.config.Services[0]
	var all strings.Builder
	for i := range service.Servers {
		row, ok := s.core.planned.Table[service.Key].Destinations.Get(service.Servers[i].Key)
		switch {
		case !ok:
		case row.Weight != 1:
			fmt.Fprintf(&all, "%d*%d ", i+1, row.Weight)
		default:
			fmt.Fprintf(&all, "%d ", i+1)
		}
	}
	if service.Fallback == nil {
		return strings.TrimSpace(all.String())
	}
	if row, ok := s.core.planned.Table[service.Key].Destinations.Get(service.Fallback.Key); ok && row.Weight > 0 {
		all.WriteString("F")
	}
	return strings.TrimSpace(all.String())
}

// A rounds is a script: each of its letters is the result of a server, and each line
// is told so many times. Then the servers in the table are as wanted.
type rounds struct {
	letters string
	times   int
	want    string
}

func (s *story) play(script []rounds) {
	s.Helper()
	for i, r := range script {
		for range r.times {
			s.round(r.letters)
		}
		if got := s.serving(); got != r.want {
			s.Errorf("step %d, after %d × %s: %q serve, want %q", i, r.times, r.letters, got, r.want)
		}
	}
}

func TestServersThatFallSilentTogetherAreHeldIn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []rounds
		events []string
	}{
		{"fewer than the threshold are removed as always", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sspp", 5, "3 4"}}, nil},
		{"more of them are held in", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 3, "1 2 3 4"}, {"sssp", 28, "1 2 3 4"}}, []string{"panic"}},
		{"for panic_for, and then their checks decide", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 3, "1 2 3 4"}, {"sssp", 30, "4"}, {"sssp", 30, "4"}}, []string{"panic", "panic-over"}},
		{"then the fallback serves", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"ssss", 3, "1 2 3 4"}, {"ssss", 30, "F"}}, []string{"panic", "panic-over"}},
		{"also those that fell a moment earlier", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sspp", 3, "3 4"}, {"ssss", 2, "3 4"}, {"ssss", 1, "1 2 3 4"}}, []string{"panic"}},
		{"but not those that have been gone for long", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sppp", 10, "2 3 4"}, {"ssss", 3, "2 3 4"}}, []string{"panic"}},
		{"and those that follow meanwhile", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 6, "1 2 3 4"}, {"ssss", 6, "1 2 3 4"}}, []string{"panic"}},
		{"a refusal is certain, however many there are", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"rrrr", 3, "F"}}, nil},
		{"and takes a server out of those that are held in", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 4, "1 2 3 4"}, {"rssp", 1, "2 3 4"}}, []string{"panic"}},
		{"those that come back are up, and the panic is over", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 6, "1 2 3 4"}, {"pppp", 2, "1 2 3 4"}, {"sppp", 3, "2 3 4"}}, []string{"panic", "panic-over"}},
		{"it comes again when they fall again", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sssp", 6, "1 2 3 4"}, {"pppp", 10, "1 2 3 4"}, {"sssp", 3, "1 2 3 4"}}, []string{"panic", "panic-over", "panic"}},
		{"one after the other is not together", []rounds{
			{"pppp", 2, "1 2 3 4"}, {"sppp", 9, "2 3 4"}, {"sspp", 9, "3 4"}, {"sssp", 9, "4"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, farm(4, false, &config.Policy{PanicPercent: 50, PanicFor: 30 * time.Second}))
			s.play(tt.script)
			if got := s.events("panic"); !slices.Equal(got, tt.events) {
				t.Errorf("the events are %q, want %q", got, tt.events)
			}
		})
	}
}

// events are the codes so far that begin with a word.
func (s *story) events(word string) (codes []string) {
	for line := range strings.SplitSeq(s.log.String(), "\n") {
		_, rest, _ := strings.Cut(line, "event=")
		if code, _, _ := strings.Cut(rest, " "); strings.HasPrefix(code, word) {
			codes = append(codes, code)
		}
	}
	return codes
}

// A panic_for shorter than the detection time must not begin again and again for the
// same failures.
func TestAPanicIsNotRepeatedForTheSameFailures(t *testing.T) {
	s := tellOf(t, farm(4, false, &config.Policy{PanicPercent: 50, PanicFor: time.Second}))
	s.play([]rounds{{"pppp", 2, "1 2 3 4"}, {"ssss", 4, "F"}, {"ssss", 20, "F"}})
	if got := s.events("panic"); len(got) != 2 {
		t.Errorf("the events are %q, want one panic and its end", got)
	}
}

// "The switch behind the director died, and it emptied its table although all servers
// were alive."
func TestADirectorThatIsCutOffKeepsItsTable(t *testing.T) {
	for _, tt := range []struct {
		name      string
		n         int
		isolation bool
		script    []rounds
		events    []string
	}{
		{"all are silent", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"sss", 100, "1 2 3"}}, []string{"isolated"}},
		{"isolation = false", 3, false, []rounds{{"ppp", 2, "1 2 3"}, {"sss", 3, "F"}}, nil},
		{"a single target proves nothing", 1, true, []rounds{{"p", 2, "1"}, {"s", 3, "F"}}, nil},
		{"one of them refuses, so the network is there", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"ssr", 3, "F"}}, nil},
		{"one of them answers", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"ssp", 3, "3"}}, nil},
		{"one that was gone before stays so", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"spp", 20, "2 3"}, {"sss", 9, "2 3"}}, []string{"isolated"}},
		{"one that fell before the others did is put back", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"spp", 3, "2 3"}, {"sss", 1, "1 2 3"}}, []string{"isolated"}},
		{"what cannot be asked meanwhile changes nothing", 3, true, []rounds{{"ppp", 2, "1 2 3"}, {"sss", 5, "1 2 3"}, {"nnn", 9, "1 2 3"}}, []string{"isolated"}},
		{"when they answer again, nobody is removed for a moment", 3, true, []rounds{
			{"ppp", 2, "1 2 3"}, {"sss", 9, "1 2 3"}, {"pss", 1, "1 2 3"}, {"pps", 1, "1 2 3"}, {"ppp", 1, "1 2 3"}, {"ppp", 9, "1 2 3"}}, []string{"isolated", "isolation-over"}},
		{"who does not answer again is removed then", 3, true, []rounds{
			{"ppp", 2, "1 2 3"}, {"sss", 9, "1 2 3"}, {"pps", 5, "1 2 3"}, {"pps", 2, "1 2"}}, []string{"isolated", "isolation-over"}},
		{"it is cut off again", 3, true, []rounds{
			{"ppp", 2, "1 2 3"}, {"sss", 9, "1 2 3"}, {"pss", 1, "1 2 3"}, {"sss", 50, "1 2 3"}}, []string{"isolated", "isolation-over", "isolated"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, farm(tt.n, tt.isolation, nil))
			s.play(tt.script)
			if got := s.events("isolat"); !slices.Equal(got, tt.events) {
				t.Errorf("the events are %q, want %q", got, tt.events)
			}
		})
	}
}

// A director that is cut off does not fail, but any other one is better.
func TestADirectorThatIsCutOffHasTheLowestPriority(t *testing.T) {
	s := tellOf(t, farm(2, true, nil))
	penalty := func() (n int) {
		for _, c := range s.desired.Conditions {
			if c.Name == isolationCondition && !c.OK {
				n += c.Penalty
			}
		}
		return n
	}
	s.play([]rounds{{"pp", 2, "1 2"}, {"ss", 1, "1 2"}})
	if got := penalty(); got != vrrp.MaxPenalty {
		t.Errorf("the priority falls by %d, want %d", got, vrrp.MaxPenalty)
	}
	st := s.core.Status(s.now, Edges{})
	if !slices.ContainsFunc(st.Findings, func(f api.Finding) bool { return f.Code == "isolated" && f.Severity == api.Error }) {
		t.Errorf("no finding tells of it: %+v", st.Findings)
	}
	s.round("ss")
	s.round("ss")
	if got := s.core.Status(s.now, Edges{}).Services[0].Servers[0]; got.Health != api.Down || got.DecidedBy != api.ByIsolation {
		t.Errorf("the status says %s by %q, want %s by %q", got.Health, got.DecidedBy, api.Down, api.ByIsolation)
	}
	s.round("ps")
	if got := penalty(); got != 0 {
		t.Errorf("a server answers again, and the priority falls by %d", got)
	}
}

// "A check that cannot be run for an hour is not a check."
func TestUnknownHasAnEndByOption(t *testing.T) {
	for _, tt := range []struct {
		name   string
		after  time.Duration
		script []rounds
	}{
		{"never, if nothing is said", 0, []rounds{{"pp", 2, "1 2"}, {"np", 100, "1 2"}}},
		{"after its time, each counts as a failure", 5 * time.Second, []rounds{{"pp", 2, "1 2"}, {"np", 6, "1 2"}, {"np", 1, "1 2"}, {"np", 1, "2"}}},
		{"it counts from the first of them without a break", 5 * time.Second, []rounds{{"pp", 2, "1 2"}, {"np", 4, "1 2"}, {"pp", 1, "1 2"}, {"np", 6, "1 2"}}},
		{"what could be run again is as always", 5 * time.Second, []rounds{{"pp", 2, "1 2"}, {"np", 9, "2"}, {"pp", 1, "2"}, {"pp", 1, "1 2"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := farm(2, false, nil)
			c.Services[0].Servers[0].Checks[0].UnknownAfter = checker.In(tt.after)
			tellOf(t, c).play(tt.script)
		})
	}
}

// Whatever the results are, a table keeps its promises: a server that refuses for long
// enough is out, one that passes is in, and all of them falling silent at once empties
// nothing before panic_for is over.
func TestHoldsBySeed(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 9))
		n := 2 + rng.IntN(5)
		c := farm(n, rng.IntN(2) == 0, nil)
		if rng.IntN(2) == 0 {
			c.Services[0].Policy = &config.Policy{PanicPercent: uint8(1 + rng.IntN(99)), PanicFor: time.Duration(1+rng.IntN(40)) * time.Second}
		}
		s := tellOf(t, c)
		rows := make([]string, n)
		var script []string
		mood := []byte("pppp")
		for range 120 {
			if rng.IntN(6) == 0 { // All servers are told the same thing most of the time.
				mood = []byte([]string{"pppp", "ssss", "psss", "ppps", "prsn", "rrrp", "nnnp"}[rng.IntN(7)])
			}
			letters := make([]byte, n)
			for i := range letters {
				letters[i] = mood[(i*7+int(seed))%len(mood)]
				if letters[i] != 'n' {
					rows[i] += string(letters[i])
				}
			}
			script = append(script, string(letters))
			before := strings.Fields(s.serving())
			s.round(string(letters))
			serving := strings.Fields(s.serving())
			for i := range rows {
				name := fmt.Sprint(i + 1)
				listed := slices.Contains(serving, name)
				switch {
				case strings.HasSuffix(rows[i], "rrr") && listed:
					t.Fatalf("seed %d: server %s refuses and is in the table\n%s", seed, name, strings.Join(script, "\n"))
				case strings.HasSuffix(rows[i], "pp") && !listed:
					t.Fatalf("seed %d: server %s passes and is not in the table\n%s", seed, name, strings.Join(script, "\n"))
				}
			}
			cut := strings.Trim(string(letters), "s") == "" && c.Director.Isolation
			if cut && len(serving) < len(before) && !slices.Contains(before, "F") {
				t.Fatalf("seed %d: all servers are silent, and of %v only %v serve\n%s\n%s", seed, before, serving, strings.Join(script, "\n"), s.log.String())
			}
			if len(serving) == 0 {
				t.Fatalf("seed %d: nobody serves, not even the fallback\n%s", seed, strings.Join(script, "\n"))
			}
		}
	}
}

// A panic goes on after panic_for only where this director is cut off and somebody is held in.
func TestAPanicGoesOnOnlyForServersThatItHolds(t *testing.T) {
	for _, tt := range []struct {
		name     string
		isolated bool
		letters  string
		goesOn   bool
	}{
		{"cut off, with servers that are held in", true, "sp", true},
		{"cut off, with none that is held in", true, "pp", false},
		{"not cut off", false, "sp", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, farm(2, false, &config.Policy{PanicPercent: 90, PanicFor: time.Minute}))
			for _, letters := range []string{"pp", "pp", tt.letters, tt.letters, tt.letters} {
				s.round(letters)
			}
			c, key := s.core, s.core.config.Services[0].Key
			c.isolated = tt.isolated
			c.panics = map[ipvsctl.ServiceKey]Hold{key: {By: api.ByPanic, From: start, Until: s.now}}
			c.judgePanic(s.now, 0)
			if h := c.panics[key]; (h.By == api.ByPanic) != tt.goesOn || tt.goesOn && !h.Until.Equal(s.now.Add(time.Minute)) {
				t.Errorf("%+v, want one that goes on: %v", h, tt.goesOn)
			}
		})
	}
}

func TestServersThatAreHeldInAreAFinding(t *testing.T) {
	until := start.Add(time.Hour)
	for _, tt := range []struct {
		name    string
		by      api.Decider
		letters string
		want    string
	}{
		{"there is no panic", "", "sp", ""},
		{"one is held in", api.ByPanic, "sp", `1 real server of virtual service "web" fell silent together, so they are held in the table until ` + until.Format(time.TimeOnly)},
		{"none is held in any more", api.ByPanic, "pp", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := tellOf(t, farm(2, false, nil))
			for _, letters := range []string{"pp", "pp", tt.letters, tt.letters, tt.letters} {
				s.round(letters)
			}
			s.core.panics = map[ipvsctl.ServiceKey]Hold{s.core.config.Services[0].Key: {By: tt.by, From: start, Until: until}}
			got := ""
			for _, f := range s.core.held(s.now) {
				got += f.Text
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
