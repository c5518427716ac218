package vrrp

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	met := Condition{Name: "interface eth0", OK: true, Penalty: 10, Reason: "interface eth0 is down"}
	hard := Condition{Name: "interface eth1", Reason: "interface eth1 is down"}
	silent := Condition{Name: "socket", Reason: "no socket", Silent: true}
	soft := Condition{Name: "ping gateway", Penalty: 60, Reason: "gateway does not answer"}
	softer := Condition{Name: "ping dns", Penalty: 30, Reason: "dns does not answer"}
	for _, tt := range []struct {
		name       string
		conditions []Condition
		fault      string
		priority   uint8 // of 100
		unmet      []string
	}{
		{"no condition", nil, "", 100, nil},
		{"one that is met", []Condition{met}, "", 100, nil},
		{"without a penalty the router stands back", []Condition{met, hard}, hard.Reason, 100, []string{hard.Reason}},
		{"the first one is the reason", []Condition{silent, hard}, silent.Reason, 100, []string{silent.Reason, hard.Reason}},
		{"a penalty lowers the priority", []Condition{soft}, "", 40, []string{soft.Reason}},
		{"penalties add up", []Condition{soft, met, softer}, "", 10, []string{soft.Reason, softer.Reason}},
		{"the priority stays above 0", []Condition{soft, softer, softer}, "", 1, []string{soft.Reason, softer.Reason, softer.Reason}},
		{"a penalty beside a fault", []Condition{soft, hard}, hard.Reason, 40, []string{soft.Reason, hard.Reason}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(tt.conditions, nil)
			if got := effective(100, v.penalty); v.fault != tt.fault || got != tt.priority || !slices.Equal(v.unmet, tt.unmet) {
				t.Errorf("fault %q, priority %d, unmet %q", v.fault, got, v.unmet)
			}
			if got := effective(255, v.penalty); got != 255 {
				t.Errorf("the owner's priority is %d", got)
			}
		})
	}
}

func TestConcerning(t *testing.T) {
	table := Condition{Name: "table loaded", OK: true}
	gateway := Condition{Name: "ping gateway", OK: true, Tracked: true}
	missing := Condition{Name: gateway.Name, Reason: "ping gateway is not known yet"}
	for _, tt := range []struct {
		name  string
		track []string
		given []Condition
		want  []Condition
	}{
		{"a router that tracks nothing", nil, []Condition{table, gateway}, []Condition{table}},
		{"one that tracks it", []string{gateway.Name}, []Condition{table, gateway}, []Condition{table, gateway}},
		{"one that tracks what the director does not know, beside what it does", []string{gateway.Name}, []Condition{table}, []Condition{table, missing}},
		{"one that tracks what the director does not know", []string{gateway.Name}, nil, []Condition{missing}},
		{"interfaces are the session's own", []string{"interface eth1"}, []Condition{table}, []Condition{table}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := concerning(tt.track, tt.given); !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPenaltyIsToldAtOnceAndOutlivesAReload(t *testing.T) {
	r := matrixStates["master"]()
	now := epoch.Add(20 * time.Millisecond)
	if got := script(r.Penalize(now, 60)); got != "send 40" {
		t.Errorf("a penalty: %q", got)
	}
	if got := script(r.Penalize(now, 60)); got != "" {
		t.Errorf("the same penalty: %q", got)
	}
	c := r.c
	c.Priority = 150
	if got := script(r.Update(now, c)); got != "send 90" || r.Status().Priority != 90 || r.Status().MasterPriority != 90 {
		t.Errorf("a reload: %q, status %+v", got, r.Status())
	}
	if got := script(receive(r, now, lower, advertOf(91))); got != "Backup" {
		t.Errorf("a better advert: %q", got)
	}
}

// A deafListener is a Link on which nothing ever happens.
type deafListener struct{ Link }

func (deafListener) Listen(map[Port][]Identity) {}

// SIGHUP applies each option, also those that will be added.
func TestEveryFieldOfAConfigIsApplied(t *testing.T) {
	was := testConfig()
	for i := range reflect.TypeFor[Config]().NumField() {
		field := reflect.TypeFor[Config]().Field(i)
		t.Run(field.Name, func(t *testing.T) {
			c := was
			change(t, reflect.ValueOf(&c).Elem().Field(i))
			s := NewSession(deafListener{}, nil, func(Event) {})
			s.apply(epoch, Desired{Routers: []Config{was}})
			s.apply(epoch, Desired{Routers: []Config{c}})
			m := s.members[keyOf(&c)]
			if m == nil || !reflect.DeepEqual(m.router.c, c) {
				t.Errorf("a changed %s is not applied", field.Name)
			}
		})
	}
}

// change gives a field another value.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.MustParseAddr("10.0.0.77")))
		return
	case []netip.Prefix:
		v.Set(reflect.ValueOf([]netip.Prefix{netip.MustParsePrefix("10.0.0.77/24")}))
		return
	case Authentication:
		v.Set(reflect.ValueOf(Authentication{Password: "x"}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	default:
		t.Fatalf("say how to change a %s", v.Type())
	}
}
