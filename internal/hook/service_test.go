package hook

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
)

// onService is a hook of the service "shop", or of a server of it, named after its state.
func onService(server, state string) config.Hook {
	return config.Hook{Owner: config.Owner{Service: "shop"}, Server: server, On: state, Program: config.Program{Run: []string{"/hooks/" + server + state}, Timeout: time.Second}}
}

// tell tells of states: "a up", or "quorum_lost" of the service.
func (s *stage) tell(states ...string) {
	s.now = s.now.Add(time.Second)
	var all []api.ServiceState
	for _, text := range states {
		st := api.ServiceState{Service: "shop", Address: "tcp 10.13.0.200:80", Serving: 1, Servers: 2}
		if n, _ := fmt.Sscanf(text, "%s %s", &st.Server, &st.State); n < 2 {
			st.Server, st.State = "", text
		}
		if st.State == "gone" {
			st.State = ""
		}
		all = append(all, st)
	}
	s.do(s.Hear(s.now, all))
}

// runs are the programs that have been begun so far, in their order.
func (s *stage) runs() (all []string) {
	for _, line := range s.seen {
		var program string
		if n, _ := fmt.Sscanf(line, "start /hooks/%s", &program); n == 1 {
			all = append(all, program)
		}
	}
	return all
}

// drain ends all that runs, and what follows it.
func (s *stage) drain() {
	for len(s.begun) > 0 {
		s.end(spawn.Outcome{}, nil)
	}
}

func TestHooksOfAServiceAndItsServers(t *testing.T) {
	start, stops := onService("", "up"), onService("", "down")
	start.AtStart, stops.AtStop = true, true
	lost := onService("", "quorum_lost")
	lost.AtStop = true
	for _, tt := range []struct {
		name  string
		hooks []config.Hook
		story func(s *stage)
		want  []string
	}{
		{"the first state is no change", []config.Hook{onService("", "up"), onService("", "quorum_reached")}, func(s *stage) { s.tell("a up", "b up", "quorum_reached") }, nil},
		{"by option it is", []config.Hook{start}, func(s *stage) { s.tell("a up", "b down", "c up") }, []string{"up", "up"}},
		{"each change is one run", []config.Hook{onService("", "up"), onService("", "down")}, func(s *stage) {
			s.tell("a up", "b up")
			s.tell("a down")
			s.drain()
			s.tell("a down") // again, which is nothing new
			s.tell("a up")
		}, []string{"down", "up"}},
		{"a server's own replace the service's", []config.Hook{onService("", "down"), onService("a", "up")}, func(s *stage) {
			s.tell("a up", "b up")
			s.tell("a down", "b down")
			s.drain()
			s.tell("a up")
		}, []string{"down", "aup"}},
		{"in the order of what has happened, one at a time", []config.Hook{onService("", "down"), onService("", "quorum_lost")}, func(s *stage) {
			s.tell("a up", "b up", "quorum_reached")
			s.tell("b down")
			s.tell("a down", "quorum_lost")
			if len(s.begun) != 1 {
				s.seen = append(s.seen, "start /hooks/too-many")
			}
		}, []string{"down", "down", "quorum_lost"}},
		{"the newest state of a server wins", []config.Hook{onService("", "up"), onService("", "down")}, func(s *stage) {
			s.tell("a up", "b up")
			s.tell("a down") // runs
			s.tell("b down")
			s.tell("b up")
			s.tell("b down")
			s.tell("b up")
		}, []string{"down", "up"}},
		{"a server that a reload removes is told of no more", []config.Hook{onService("", "down")}, func(s *stage) {
			s.tell("a up", "b up")
			s.tell("a down")
			s.tell("b down")
			s.tell("b gone")
		}, []string{"down"}},
		{"when lvsd stops, by option", []config.Hook{onService("", "up"), stops, lost}, func(s *stage) {
			s.tell("a up", "b down", "c up", "quorum_reached")
			s.do(s.Finish(s.now))
			s.drain()
			s.tell("a up")
		}, []string{"quorum_lost", "down", "down"}},
		{"without it, nothing", []config.Hook{onService("", "down"), onService("", "quorum_lost")}, func(s *stage) {
			s.tell("a up", "quorum_reached")
			s.do(s.Finish(s.now))
		}, nil},
		{"a hook that is new is told of the states, if it wants that", []config.Hook{onService("", "quorum_lost")}, func(s *stage) {
			s.tell("a up", "b up")
			s.do(s.Configure(s.now, nil, []config.Hook{onService("", "quorum_lost"), start, onService("b", "up")}))
		}, []string{"up"}},
		{"one that is removed does not run", []config.Hook{onService("", "down"), onService("", "quorum_lost")}, func(s *stage) {
			s.tell("a up", "quorum_reached")
			s.tell("a down", "quorum_lost")
			s.do(s.Configure(s.now, nil, []config.Hook{onService("", "down")}))
		}, []string{"down"}},
		{"a service without hooks, for a while", []config.Hook{onService("", "down")}, func(s *stage) {
			s.tell("a up", "b up")
			s.tell("a down", "b down")
			s.do(s.Configure(s.now, nil, nil))
			s.tell("b up")
			s.do(s.Configure(s.now, nil, []config.Hook{onService("", "down")}))
			s.tell("a up")
			s.tell("a down")
		}, []string{"down", "down"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(tt.hooks...)
			tt.story(s)
			s.drain()
			if got := s.runs(); !slices.Equal(got, tt.want) {
				t.Errorf("ran %q, want %q\n%q", got, tt.want, s.seen)
			}
		})
	}
}

func TestWhatHooksOfServicesAreTold(t *testing.T) {
	s := newStage(onService("", "down"), onService("", "quorum_lost"))
	s.tell("a up", "quorum_reached")
	s.do(s.Hear(s.now, []api.ServiceState{{Service: "shop", Address: "tcp 10.13.0.200:80", Server: "a", ServerAddress: "192.168.1.4:80", State: "down", Reason: "connection\x00 refused", Weight: 3, Serving: 1, Servers: 2}}))
	want := []string{"LVSD_SERVICE=shop", "LVSD_SERVICE_ADDRESS=tcp 10.13.0.200:80", "LVSD_SERVER=a", "LVSD_SERVER_ADDRESS=192.168.1.4:80",
		"LVSD_STATE=down", "LVSD_FORMER_STATE=up", "LVSD_REASON=connection refused", "LVSD_WEIGHT=3", "LVSD_SERVERS=2", "LVSD_SERVERS_SERVING=1"}
	if got := s.begun[1].Env; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	s.seen = nil
	s.end(spawn.Outcome{}, fmt.Errorf("no memory"))
	s.check(t, "hook-failed service=shop state=down program=/hooks/down server=a result=no memory")
	h := s.Statuses()[config.Owner{Service: "shop"}][0]
	if h.Runs != 1 || h.Failures != 1 || h.Last.Server != "a" || h.Last.State != "down" {
		t.Errorf("%+v, want one run that failed for server a", h)
	}
}

// What is skipped is told, and however often servers flap, what waits is bounded.
func TestWhatIsSkippedIsTold(t *testing.T) {
	s := newStage(onService("", "up"), onService("", "down"))
	s.tell("a up", "b up")
	s.tell("a down")
	s.seen = nil
	s.tell("b down")
	s.tell("b up")
	s.check(t, "hook-skipped service=shop server=b skipped=[down] state=up")
	for range 1000 {
		s.tell("b down")
		s.tell("b up")
	}
	if q := s.services["shop"]; len(q.line) > 2 || len(q.waiting["b"]) > 1 {
		t.Errorf("%d in the line, and %d runs wait for b", len(q.line), len(q.waiting["b"]))
	}
}
