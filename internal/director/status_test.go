package director

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// TestNoFigureIsForgotten looks for fields of the API that stay zero although
// everything in the domains' values is set.
func TestNoFigureIsForgotten(t *testing.T) {
	var (
		router vrrp.Status
		key    ipvsctl.ServiceKey
		result checker.Result
		probes checker.Stats
		table  ipvsctl.Stats
	)
	for _, v := range []any{&router, &key, &result, &probes, &table} {
		fill(reflect.ValueOf(v).Elem())
	}
	router.State, result.Outcome = vrrp.Backup, checker.Passed
	routers := routerStatus(&router, 0)
	routers.HeldBack = &api.Held{By: api.User{Name: "x", UID: 1}, Since: start} // The core knows that.
	routers.Transitions = []api.Transition{{At: start, From: api.Backup, To: api.Master, Why: "x"}}
	routers.Hooks = []api.Hook{{}} // from another edge
	fill(reflect.ValueOf(&routers.Hooks).Elem())
	routers.Resources = []api.Resource{{}} // from another edge, too
	fill(reflect.ValueOf(&routers.Resources).Elem())
	for _, v := range []any{routers, keyStatus(key), resultStatus(result), probesStatus(&probes), tableStatus(table)} {
		unset(t, reflect.TypeOf(v).Name(), reflect.ValueOf(v))
	}
}

// A counter of what cannot happen would be asked about.
func TestOnlyARouterWithKeysCountsWhatIsWrongWithThem(t *testing.T) {
	for name, tt := range map[string]struct {
		by   *vrrp.AuthenticationStatus
		keys bool
	}{"none": {nil, false}, "a password": {&vrrp.AuthenticationStatus{}, false}, "keys": {&vrrp.AuthenticationStatus{Keys: []uint16{1}}, true}} {
		counters := routerStatus(&vrrp.Status{Authentication: tt.by}, 0).Counters
		if _, counted := counters.Discarded[string(vrrp.ReasonHMACWrong)]; counted != tt.keys {
			t.Errorf("%s: counted %t", name, counted)
		}
		if n, counted := counters.Discarded[string(vrrp.ReasonTTL)]; !counted || n != 0 {
			t.Errorf("%s: what has not happened yet is %d, counted %t", name, n, counted)
		}
	}
}

// A histogram has a bucket for each bound, and one for what is beyond the last.
func TestAHistogramOfNothingIsWhole(t *testing.T) {
	h := routerStatus(&vrrp.Status{}, 0).AdvertGaps
	if len(h.Bounds) == 0 || len(h.Buckets) != len(h.Bounds)+1 {
		t.Errorf("%d bounds and %d buckets", len(h.Bounds), len(h.Buckets))
	}
}

// A counter that is copied to another one's place is as bad as one that is forgotten.
func TestEveryCounterOfARouterKeepsItsName(t *testing.T) {
	var router vrrp.Status
	from := reflect.ValueOf(&router.Counters).Elem()
	for i := range from.NumField() {
		if f := from.Field(i); f.Kind() == reflect.Map {
			f.Set(reflect.MakeMap(f.Type()))
			f.SetMapIndex(reflect.ValueOf("reason").Convert(f.Type().Key()), reflect.ValueOf(uint64(i+1)))
		} else {
			f.SetUint(uint64(i + 1))
		}
	}
	to := reflect.ValueOf(routerStatus(&router, 0).Counters)
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		got := to.FieldByName(name)
		if got.Kind() == reflect.Map {
			got = got.MapIndex(reflect.ValueOf("reason"))
		}
		if got.Uint() != uint64(i+1) {
			t.Errorf("%s is %d in the API, want %d", name, got.Uint(), i+1)
		}
	}
	if n := to.NumField(); n != from.NumField() {
		t.Errorf("the API has %d counters, want %d", n, from.NumField())
	}
}

// TestEveryFigureHasAPlace looks for fields of the domains' values that the API
// does not have.
func TestEveryFigureHasAPlace(t *testing.T) {
	for _, pair := range []struct {
		from, to reflect.Type
		left     string // what is for the director alone
	}{
		{reflect.TypeFor[vrrp.Status](), reflect.TypeFor[api.Router](), "Age Offered Question Split"},
		{reflect.TypeFor[vrrp.Counters](), reflect.TypeFor[api.RouterCounters](), ""},
		{reflect.TypeFor[checker.Stats](), reflect.TypeFor[api.Probes](), ""},
		{reflect.TypeFor[checker.Result](), reflect.TypeFor[api.Result](), "Number Report Silent"},
	} {
		for i := range pair.from.NumField() {
			name := pair.from.Field(i).Name
			if _, ok := pair.to.FieldByName(name); !ok && !slices.Contains(strings.Fields(pair.left), name) {
				t.Errorf("%v has %s, and %v does not", pair.from, name, pair.to)
			}
		}
	}
}

// The keeper tells ages once a second, or less often when the machine is busy.
func TestAgesGoOnWhileTheKeeperIsSilent(t *testing.T) {
	r := routerStatus(&vrrp.Status{Peers: []vrrp.Peer{{Age: time.Minute}}, Rivals: []vrrp.Rival{{Age: time.Hour}}}, 2*time.Second)
	if got, want := r.Peers[0].Age, time.Minute+2*time.Second; got != want {
		t.Errorf("the peer's age is %v, want %v", got, want)
	}
	if got, want := r.Rivals[0].Age, time.Hour+2*time.Second; got != want {
		t.Errorf("the rival's age is %v, want %v", got, want)
	}
}

// fill sets every field to a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		switch v.Addr().Interface().(type) {
		case *time.Time:
			v.Set(reflect.ValueOf(start))
		case *netip.Addr:
			v.Set(reflect.ValueOf(netip.MustParseAddr("10.13.0.200")))
		case *netip.Prefix:
			v.Set(reflect.ValueOf(netip.MustParsePrefix("10.13.0.200/24")))
		default:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		v.Set(reflect.ValueOf(1).Convert(v.Type()))
	}
}

// unset reports the fields of v that are zero.
func unset(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch pkg := v.Type().PkgPath(); {
	case v.IsZero():
		t.Errorf("%s is not converted", name)
	case pkg == "time" || pkg == "net/netip":
	case v.Kind() == reflect.Pointer:
		unset(t, name, v.Elem())
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			unset(t, name+"[0]", v.Index(i))
		}
	case v.Kind() != reflect.Struct:
	default:
		for i := range v.NumField() {
			unset(t, name+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}

// Whoever watches a counter finds it before it counts for the first time.
func TestCountersAreThereBeforeTheirFirstEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		authentication *vrrp.AuthenticationStatus
		discarded      int
	}{
		"without keys": {nil, 15},
		"with keys":    {&vrrp.AuthenticationStatus{Keys: []uint16{1}}, 21},
	} {
		got := routerStatus(&vrrp.Status{Authentication: tt.authentication, Counters: vrrp.Counters{Discarded: map[vrrp.Reason]uint64{"ttl": 3}}}, 0).Counters
		if n, there := got.Discarded["checksum"]; n != 0 || !there || got.Discarded["ttl"] != 3 || len(got.Discarded) != tt.discarded {
			t.Errorf("%s: discarded %v", name, got.Discarded)
		}
		if _, there := got.Mismatched["owner"]; !there {
			t.Errorf("%s: mismatched %v", name, got.Mismatched)
		}
	}
}
