package director

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

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
		heard []vrrp.Status
	}{
		{"nothing at all", empty, nil},
		{"a router that the keeper has not spoken of", clusterOf(), nil},
		{"a router that has not begun", clusterOf(), []vrrp.Status{vrrp.NewRouter(clusterOf().Routers[0]).Status()}},
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
