package hook

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/spawn"
	"github.com/lvsd/lvsd/vrrp"
)

func before(name string, edit func(*config.Hook)) config.Hook {
	h := on("master")
	h.Run, h.Before = []string{"/hooks/" + name}, true
	if edit != nil {
		edit(&h)
	}
	return h
}

// A Backup asks, and its programs end one after the other, with these statuses.
func TestWhatARouterIsAnsweredThatAsksToBecomeMaster(t *testing.T) {
	atStart := func(h *config.Hook) { h.AtStart = true }
	required := func(h *config.Hook) { h.Required = true }
	peer := netip.MustParseAddr("10.0.0.1")
	for _, tt := range []struct {
		name  string
		hooks []config.Hook
		peer  netip.Addr
		ends  []int
		want  string
	}{
		{"all succeed", []config.Hook{on("master"), before("one", nil), before("two", nil)}, peer, []int{0, 0}, "start /hooks/one; start /hooks/two; true: all programs have succeeded"},
		{"one fails", []config.Hook{before("one", nil), before("two", nil)}, peer, []int{1, 0}, "start /hooks/one; start /hooks/two; false: /hooks/one exited with status 1"},
		{"one fails that decides", []config.Hook{before("one", required), before("two", nil)}, peer, []int{1}, "start /hooks/one; false: /hooks/one exited with status 1"},
		{"another one fails", []config.Hook{before("one", nil), before("two", required)}, peer, []int{1, 0}, "start /hooks/one; start /hooks/two; true: /hooks/one exited with status 1"},
		{"nobody was heard", []config.Hook{before("one", nil), before("two", atStart)}, netip.Addr{}, []int{0}, "start /hooks/two; true: all programs have succeeded"},
		{"there is none any more", []config.Hook{on("master")}, peer, nil, "true: all programs have succeeded"},
	} {
		s := newStage(tt.hooks...)
		var seen []string
		take := func(effects []Effect) {
			s.do(effects)
			for _, e := range effects {
				switch e := e.(type) {
				case Start:
					seen = append(seen, "start "+e.Command.Args[0])
					if want := "LVSD_PEER=" + strings.TrimPrefix(fmt.Sprint(tt.peer), "invalid IP"); e.Command.Env[len(e.Command.Env)-1] != want || !e.Urgent {
						t.Errorf("%s: %+v", tt.name, e)
					}
				case Reply:
					seen = append(seen, fmt.Sprintf("%t: %s", e.OK, e.Text))
				}
			}
		}
		st := status(vrrp.Backup)
		st.Question = vrrp.Question{Number: 7, Step: vrrp.Enter, Peer: tt.peer}
		take(s.Take(s.now, []*vrrp.Status{new(st)}, nil))
		take(s.Take(s.now, []*vrrp.Status{new(st)}, nil)) // It is told each second.
		for _, code := range tt.ends {
			for id := range s.begun {
				delete(s.begun, id)
				take(s.Ended(s.now, id, spawn.Outcome{Status: code}, nil))
				break
			}
		}
		if got := strings.Join(seen, "; "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The Master was only slow: its power stays on, if the program has not come so far.
func TestAProgramIsCalledOffWhenAMasterIsHeard(t *testing.T) {
	s := newStage(before("one", nil), before("two", nil))
	st := status(vrrp.Backup)
	st.Question = vrrp.Question{Number: 7, Step: vrrp.Enter, Peer: netip.MustParseAddr("10.0.0.1")}
	s.do(s.Take(s.now, []*vrrp.Status{new(st)}, nil))
	st.Question = vrrp.Question{}
	effects := s.Take(s.now, []*vrrp.Status{new(st)}, nil)
	if len(effects) != 1 || effects[0] != (Cancel{1}) {
		t.Errorf("%+v", effects)
	}
	if effects = s.Ended(s.now, 1, spawn.Outcome{}, errors.New("called off")); len(effects) != 1 || s.statuses()[0].Running {
		t.Errorf("nothing is answered: %+v", effects)
	}
	st.Question = vrrp.Question{Number: 8, Step: vrrp.Enter, Peer: netip.MustParseAddr("10.0.0.1")}
	if effects = s.Take(s.now, []*vrrp.Status{new(st)}, nil); len(effects) != 1 {
		t.Errorf("asked again: %+v", effects)
	}
	// It is no failure of the program's, and no finding.
	st.Question = vrrp.Question{}
	s.Take(s.now, []*vrrp.Status{new(st)}, nil)
	was := s.statuses()[0].Last
	effects = s.Ended(s.now, 2, spawn.Outcome{Canceled: true, Signal: syscall.SIGTERM}, nil)
	if h := s.statuses()[0]; len(effects) != 1 || effects[0].(Tell).Code != "hook-called-off" || h.Running || h.Runs != 2 || h.Failures != 1 || h.CalledOff != 1 || h.Last != was || !h.Before {
		t.Errorf("called off: %+v, %+v", effects, h)
	}
}
