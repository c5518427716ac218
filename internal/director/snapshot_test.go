package director

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// Programs that read the status need not tell null from an empty list.
func TestStatusHasNoNullAndNoMomentThatNeverWas(t *testing.T) {
	empty := clusterOf()
	empty.Routers = nil
	alone := webService(ipvsctl.Direct)
	alone.Fallback = nil
	for _, tt := range []struct {
		name  string
		c     *config.Config
		heard []*vrrp.Status
	}{
		{"nothing at all", empty, nil},
		{"a router that the keeper has not spoken of", clusterOf(), nil},
		{"a router that has not begun", clusterOf(), []*vrrp.Status{new(vrrp.NewRouter(clusterOf().Routers[0]).Status())}},
		{"a service without a result", clusterOf(checked(tcpTarget)), nil},
		{"a service without real servers", clusterOf(alone), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newOutsides()
				f.statuses = tt.heard
				f.changed <- struct{}{}
				d, stop, ended := begin(t, f, tt.c, nil)
				for _, place := range blanks("status", decoded(t, statusOf(t, d))) {
					t.Errorf("%s", place)
				}
				stop()
				<-ended
			})
		})
	}
}

func TestEveryRouterIsInTheStatusOnce(t *testing.T) {
	c := clusterOf()
	c.Routers = append(c.Routers, vrrp.Config{Name: "inside", Interval: time.Second})
	s := tellOf(t, c)
	s.handle(RoutersSeen{{Name: "inside", State: vrrp.Master}})
	var got []string
	for _, r := range s.core.Status(s.now, Edges{}).Routers {
		got = append(got, fmt.Sprintf("%s: %s %s", r.Name, r.State, r.Fault))
	}
	want := []string{"inside: Master ", "outside: Initialize the keeper has not reported yet"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routers (-want +got):\n%s", diff)
	}
}

func TestTheStatusTellsTheChecksOfAServerApart(t *testing.T) {
	ping := tcpTarget
	ping.Spec, ping.Port = checker.SpecOf(checker.Ping{}), 0
	s := tellOf(t, clusterOf(checked(tcpTarget, ping)))
	s.hear(checker.Failed)
	s.handle(Probed{{ping, checker.Result{Outcome: checker.Passed}}})
	server := s.core.Status(s.now, Edges{}).Services[0].Servers[0]
	var got []string
	for _, c := range server.Checks {
		got = append(got, fmt.Sprintf("%s up %v", c.Kind, c.Up))
	}
	if diff := cmp.Diff([]string{"tcp up false", "ping up true"}, got); diff != "" || server.Health != api.Down {
		t.Errorf("the server is %s; checks (-want +got):\n%s", server.Health, diff)
	}
}

func TestTheTrafficOfAServiceIsItsOwn(t *testing.T) {
	c := clusterOf(checked(tcpTarget))
	s := tellOf(t, c)
	counted := ipvsctl.RowsOf([]ipvsctl.Row[ipvsctl.Counters]{{Value: ipvsctl.Counters{Connections: 9, BytesOut: 7}}})
	seen := ipvsctl.Snapshot{Counters: map[ipvsctl.ServiceKey]ipvsctl.Rows[ipvsctl.Counters]{c.Services[0].Key: counted}}
	want := api.Traffic{Connections: 9, BytesOut: 7}
	if got := s.core.Status(s.now, Edges{Table: seen}).Services[0].Traffic; got != want {
		t.Errorf("traffic %+v, want %+v, whatever its servers have counted", got, want)
	}
}

func decoded(t *testing.T, s *api.Status) any {
	t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// blanks lists the nulls and the zero moments of decoded JSON.
func blanks(place string, v any) []string {
	var all []string
	switch v := v.(type) {
	case nil:
		return []string{place + " is null"}
	case string:
		if strings.HasPrefix(v, "0001-01-01") {
			return []string{place + " is " + v}
		}
	case []any:
		for i := range v {
			all = append(all, blanks(fmt.Sprintf("%s[%d]", place, i), v[i])...)
		}
	case map[string]any:
		for k := range v {
			all = append(all, blanks(place+"."+k, v[k])...)
		}
	}
	return all
}
