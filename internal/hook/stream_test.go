package hook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

// A reader is a stage with streams, of whose programs it knows the runs.
type reader struct {
	*stage
	runs  []uint64
	names map[uint64]string
}

// collect is a stream that is told of all.
func collect(name string) config.Stream {
	return config.Stream{Name: name, Run: []string{"/hooks/" + name}, StopTimeout: 5 * time.Second}
}

func newReader(routers []vrrp.Config, streams ...config.Stream) *reader {
	r := &reader{stage: &stage{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), begun: map[uint64]spawn.Command{}}, names: map[uint64]string{}}
	r.configure(routers, streams...)
	return r
}

func (r *reader) configure(routers []vrrp.Config, streams ...config.Stream) {
	r.Follow(streams)
	r.do(r.Configure(r.now, routers, nil))
}

// do is that of the stage, and notes what concerns streams.
func (r *reader) do(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case Keep:
			r.runs = append(r.runs, e.ID)
			r.seen = append(r.seen, "keep "+e.Command.Args[0])
		case Cancel:
			r.seen = append(r.seen, fmt.Sprint("cancel ", e.ID))
		default:
			r.stage.do([]Effect{e})
		}
	}
}

// take is the report of a state.
func (r *reader) take(name string, state vrrp.State, events ...vrrp.Event) {
	s := status(state)
	s.Name, s.Addresses = name, s.Addresses[:1]
	r.do(r.Take(r.now, []*vrrp.Status{new(s)}, events))
}

// read is what the newest run of a program reads next, and whether it is the last of it.
func (r *reader) read() (all []string, last bool) {
	lines, last, effects := r.Lines(r.now, r.runs[len(r.runs)-1])
	r.do(effects)
	for _, line := range bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")) {
		var l api.StreamLine
		if len(line) == 0 {
			continue
		} else if err := json.Unmarshal(line, &l); err != nil {
			panic(err)
		}
		text := fmt.Sprint(l.Sequence, " ", l.Event)
		if l.Skipped > 0 {
			text += fmt.Sprint(" ", l.Skipped)
		}
		if s := l.StreamState; s != nil {
			text += fmt.Sprintf(" %s %s %s->%s %d->%d %s", s.Kind, s.Name, s.FormerState, s.State, s.FormerPriority, s.Priority, s.Reason)
		}
		all = append(all, strings.TrimSpace(text))
	}
	return all, last
}

func (r *reader) wantRead(t *testing.T, when string, want ...string) {
	t.Helper()
	got, _ := r.read()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// pass is that of the stage.
func (r *reader) pass(d time.Duration) {
	until := r.now.Add(d)
	for next := r.Deadline(); !next.IsZero() && !next.After(until); next = r.Deadline() {
		r.now = next
		r.do(r.Expire(r.now))
	}
	r.now = until
}

// end ends the newest run.
func (r *reader) end(o spawn.Outcome, err error) {
	r.do(r.Ended(r.now, r.runs[len(r.runs)-1], o, err))
}

func happened(code, name string, from, to vrrp.State) vrrp.Event {
	return vrrp.Event{Code: code, Router: name, From: from, To: to, Text: "because"}
}

func TestAStreamTellsOfWhatIsAndOfWhatChanges(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", Priority: 120, Interface: "eth0"}}, collect("all"))
	r.check(t, "stream-started stream=all program=/hooks/all", "keep /hooks/all")
	r.wantRead(t, "nothing is known yet", "1 start")
	r.take("web", vrrp.Backup, happened(vrrp.BecameBackup, "web", vrrp.Initialize, vrrp.Backup))
	r.wantRead(t, "it begins", "2 transition router web ->backup 120->120 because")
	r.take("web", vrrp.Master, happened(vrrp.BecameMaster, "web", vrrp.Backup, vrrp.Master))
	r.take("web", vrrp.Master)
	r.wantRead(t, "it takes over", "3 transition router web backup->master 120->120 because")
	if lines, last := r.read(); lines != nil || last {
		t.Errorf("when nothing has happened: %q, %t", lines, last)
	}
}

func TestAStreamBegins(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", Priority: 120}}, collect("all"))
	r.take("web", vrrp.Master, happened(vrrp.BecameMaster, "web", vrrp.Backup, vrrp.Master))
	r.wantRead(t, "what was before its first look is present", "1 start", "2 present router web ->master 120->120 because")
	r.end(spawn.Outcome{Status: 1}, nil)
	r.take("web", vrrp.Backup, happened(vrrp.BecameBackup, "web", vrrp.Master, vrrp.Backup))
	r.pass(time.Second)
	r.wantRead(t, "when it was started again", "1 start", "2 present router web ->backup 120->120 because")
}

// keepalived's vrrp_notify_priority_changes.
func TestAStreamTellsOfPriorities(t *testing.T) {
	pair := []vrrp.Config{{Name: "web", SyncGroup: "nat", Priority: 150}, {Name: "inside", SyncGroup: "nat", Priority: 150}}
	r := newReader(pair, collect("all"))
	at := func(name string, priority uint8, events ...vrrp.Event) {
		s := status(vrrp.Master)
		s.Configured = priority
		s.Name, s.Priority = name, priority
		r.do(r.Take(r.now, []*vrrp.Status{new(s)}, events))
	}
	at("web", 150)
	at("inside", 150)
	r.read()
	lower := vrrp.Event{At: r.now.Add(-time.Second), Code: vrrp.PriorityChanged, Router: "web", From: vrrp.Master, To: vrrp.Master, Priority: 130, Text: "the priority is 130"}
	higher := lower
	higher.Priority, higher.Text = 150, "the priority is 150 again, as configured"
	at("web", 150, lower, higher)
	r.wantRead(t, "it changes to and fro between two reports",
		"5 priority router web master->master 150->130 the priority is 130", "6 priority sync_group nat master->master 150->130 the priority is 130",
		"7 priority router web master->master 130->150 the priority is 150 again, as configured", "8 priority sync_group nat master->master 130->150 the priority is 150 again, as configured")
	at("inside", 160)
	r.wantRead(t, "a reload changes it, and the lowest of the group stays", "9 priority router inside master->master 150->160 as configured")
	lines, _, _ := r.Lines(r.now, 1)
	if lines != nil {
		t.Errorf("told again: %s", lines)
	}
}

func TestWhatAStreamIsToldOf(t *testing.T) {
	pair := []vrrp.Config{{Name: "web", SyncGroup: "nat"}, {Name: "inside", SyncGroup: "nat"}, {Name: "alone"}}
	one, group := collect("one"), collect("group")
	one.Router, group.Group = "inside", "nat"
	for _, c := range []struct {
		stream config.Stream
		want   []string
	}{
		{collect("all"), []string{"1 start", "2 present router alone ->master 120->120", "3 present router inside ->master 120->120", "4 present router web ->master 120->120", "5 present sync_group nat ->master 120->120"}},
		{one, []string{"1 start", "2 present router inside ->master 120->120"}},
		{group, []string{"1 start", "2 present router inside ->master 120->120", "3 present router web ->master 120->120", "4 present sync_group nat ->master 120->120"}},
	} {
		r := newReader(pair, c.stream)
		for _, name := range []string{"web", "inside", "alone"} {
			r.take(name, vrrp.Master)
		}
		r.wantRead(t, c.stream.Name, c.want...)
		for _, name := range []string{"web", "inside", "alone"} {
			r.take(name, vrrp.Backup)
		}
		if got, _ := r.read(); len(got) != len(c.want)-1 {
			t.Errorf("%s: told of %q", c.stream.Name, got)
		}
	}
}

// The schema is stable: this is what the manual says.
func TestTheLinesOfAStream(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", SyncGroup: "nat", Interface: "eth0", Priority: 120}}, collect("all"))
	r.read()
	e := happened(vrrp.BecameMaster, "web", vrrp.Backup, vrrp.Master)
	e.At = r.now.Add(-1500 * time.Microsecond)
	r.do(r.Take(r.now, []*vrrp.Status{new(status(vrrp.Master))}, []vrrp.Event{e}))
	got, _, _ := r.Lines(r.now, 1)
	want := `{"event":"transition","sequence":2,"at":"2025-12-31T23:59:59.9985Z","kind":"router","name":"web","sync_group":"nat","routers":["web"],"state":"master","former_state":"","priority":120,"former_priority":120,"reason":"because","interfaces":["eth0"],"addresses":["10.13.0.200/24","192.168.1.254/24"]}
{"event":"transition","sequence":3,"at":"2025-12-31T23:59:59.9985Z","kind":"sync_group","name":"nat","sync_group":"nat","routers":["web"],"state":"master","former_state":"","priority":120,"former_priority":120,"reason":"because","interfaces":["eth0"],"addresses":["10.13.0.200/24","192.168.1.254/24"]}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.end(spawn.Outcome{}, nil)
	r.pass(time.Second)
	r.do(r.Configure(r.now, nil, nil))
	got, _, _ = r.Lines(r.now, r.runs[1])
	if want := `{"event":"start","sequence":1,"at":"2026-01-01T00:00:01Z","schema_version":1,"stream":"all"}`; !strings.HasPrefix(string(got), want+"\n") {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A program that does not read costs a bounded number of lines, and learns what is.
func TestAStreamThatIsNotReadIsBounded(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", Priority: 120}}, collect("all"))
	r.read()
	r.seen = nil
	states := []vrrp.State{vrrp.Backup, vrrp.Master}
	const changes = maxQueued + 7
	for i := range changes {
		r.take("web", states[i%2])
		if n := len(r.streams.all["all"].lines); n > maxQueued {
			t.Fatalf("%d lines wait", n)
		}
	}
	r.check(t, fmt.Sprint("stream-behind stream=all program=/hooks/all lines=", maxQueued))
	if s := r.Streams()[0]; !s.Behind || s.Skipped != changes {
		t.Errorf("status %+v", s)
	}
	r.wantRead(t, "it reads again", fmt.Sprint(changes+2, " skipped ", changes), fmt.Sprint(changes+3, " present router web ->backup 120->120"))
	r.check(t, fmt.Sprint("stream-caught-up stream=all program=/hooks/all skipped=", changes))
	r.take("web", vrrp.Master)
	r.wantRead(t, "and it goes on", fmt.Sprint(changes+4, " transition router web backup->master 120->120"))
	if s := r.Streams()[0]; s.Behind || s.Lines != 4 {
		t.Errorf("status %+v", s)
	}
}

func TestAProgramOfAStreamThatEndsIsStartedAgain(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", Priority: 120}}, collect("all"))
	r.seen = nil
	for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		r.end(spawn.Outcome{Status: 1, Output: []byte("no\n"), Cut: 3}, nil)
		r.check(t, "stream-output stream=all program=/hooks/all", "stream-output stream=all program=/hooks/all output_cut=3",
			fmt.Sprintf("stream-ended stream=all program=/hooks/all result=exited with status 1 lived=0s pause=%v", pause*time.Second))
		if s := r.Streams()[0]; s.Running || s.Failure != "exited with status 1" || !s.Retry.Equal(r.now.Add(pause*time.Second)) {
			t.Errorf("status %+v", s)
		}
		r.pass(pause*time.Second - 1)
		r.check(t)
		r.pass(1)
		r.check(t, "stream-started stream=all program=/hooks/all", "keep /hooks/all")
	}
	r.pass(steady)
	r.end(spawn.Outcome{Signal: syscall.SIGKILL}, nil)
	if s := r.Streams()[0]; !s.Retry.Equal(r.now.Add(firstPause)) || s.Starts != 9 {
		t.Errorf("after a long life: %+v", s)
	}
	r.pass(firstPause)
	r.seen = nil
	r.end(spawn.Outcome{}, fmt.Errorf("/hooks/all does not exist"))
	r.check(t, "stream-ended stream=all program=/hooks/all result=/hooks/all does not exist lived=0s pause=2s")
}

func TestStreamsByReload(t *testing.T) {
	web := []vrrp.Config{{Name: "web", Priority: 120}}
	r := newReader(web, collect("all"))
	r.take("web", vrrp.Master)
	r.read()
	r.seen = nil
	r.configure(web, collect("all"))
	r.check(t)
	r.wantRead(t, "nothing has changed for it", []string(nil)...)
	other := collect("all")
	other.KillChildren = true
	r.configure(web, other)
	if lines, last := r.read(); lines != nil || !last {
		t.Errorf("its input has not ended: %q", lines)
	}
	r.check(t)
	r.end(spawn.Outcome{}, nil)
	r.check(t, "stream-ended stream=all program=/hooks/all result=exited with status 0 lived=0s", "stream-started stream=all program=/hooks/all", "keep /hooks/all")
	r.wantRead(t, "the new one begins", "1 start", "2 present router web ->master 120->120")
	r.configure(web)
	r.take("web", vrrp.Backup)
	if lines, last := r.read(); lines != nil || !last {
		t.Errorf("one that is gone is told more: %q", lines)
	}
	r.pass(5*time.Second - 1)
	r.check(t)
	r.pass(1)
	r.check(t, fmt.Sprint("cancel ", r.runs[1]))
	r.pass(time.Minute)
	r.end(spawn.Outcome{Canceled: true}, nil)
	r.check(t, "stream-ended stream=all program=/hooks/all lived=1m5s")
	if len(r.streams.all) > 0 || len(r.Streams()) > 0 || !r.Deadline().IsZero() {
		t.Error("it is not forgotten")
	}
}

// One that is in its pause when the configuration changes it is started at once.
func TestAStreamIsMendedByReload(t *testing.T) {
	web := []vrrp.Config{{Name: "web", Priority: 120}}
	r := newReader(web, collect("all"))
	r.end(spawn.Outcome{Status: 1}, nil)
	r.seen = nil
	r.configure(web, collect("all"))
	r.check(t)
	better := collect("all")
	better.Run = append(better.Run, "better")
	r.configure(web, better)
	r.check(t, "stream-started stream=all program=/hooks/all", "keep /hooks/all")
	r.end(spawn.Outcome{Status: 1}, nil)
	r.configure(web)
	if len(r.streams.all) > 0 || !r.Deadline().IsZero() {
		t.Error("one that waits for its next start is not forgotten")
	}
}

func TestAStreamIsToldOfTheEnd(t *testing.T) {
	r := newReader([]vrrp.Config{{Name: "web", Priority: 120}}, collect("all"))
	r.take("web", vrrp.Master)
	r.read()
	r.do(r.Finish(r.now))
	got, last := r.read()
	if want := []string{"3 transition router web master->stop 120->120 stopped"}; !cmp.Equal(got, want) || !last {
		t.Errorf("told %q, the last: %t; want %q", got, last, want)
	}
	r.seen = nil
	r.end(spawn.Outcome{}, nil)
	r.check(t, "stream-ended stream=all program=/hooks/all result=exited with status 0 lived=0s")
	if !r.Deadline().IsZero() {
		t.Error("something is scheduled after the end")
	}
}
