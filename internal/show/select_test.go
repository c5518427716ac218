package show

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

func TestProblemsCountAllServersAndShowTheFailedOnes(t *testing.T) {
	status := func() *api.Status {
		st := healthy()
		fail(&st.Services[0].Servers[1], "status 503, want 200-299", 2*time.Millisecond)
		return st
	}
	var out strings.Builder
	if err := (Terminal{}).WriteProblems(&out, status()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if !strings.Contains(text, "2/3 up") || strings.Count(text, "compute-") != 1 || strings.Contains(text, "ROUTER") {
		t.Errorf("want one of three servers and no router:\n%s", text)
	}
	st := status()
	if Problems(st); len(st.Services) != 1 || len(st.Services[0].Servers) != 1 || len(st.Routers) != 0 {
		t.Errorf("for programs: %d routers, services %+v", len(st.Routers), st.Services)
	}
}

func TestProblemsShowTheRoutersOfAllFindings(t *testing.T) {
	for name, edit := range map[string]func(*api.Router){
		"its adverts are not sent":              func(r *api.Router) { r.Unsent = "operation not permitted" },
		"its neighbours cannot be asked":        func(r *api.Router) { r.Unasked = "no buffer space available" },
		"somebody else answers for its address": func(r *api.Router) { r.Rivals = []api.Rival{{}} },
		"it stands aside":                       func(r *api.Router) { r.State, r.Held, r.Aside = api.Backup, 0, &api.Aside{} },
		"its address has another id elsewhere":  func(r *api.Router) { r.Dispute = "10.13.0.16 advertises it as id 52" },
		"an address is missing":                 func(r *api.Router) { r.Held-- },
		"its Master is overdue":                 func(r *api.Router) { r.State, r.Held, r.Overdue = api.Backup, 0, time.Second },
	} {
		st := healthy()
		edit(&st.Routers[0])
		if Problems(st); len(st.Routers) != 1 {
			t.Errorf("%s: it is left out", name)
		}
	}
}
