package vrrp

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	down := Condition{Name: "interface eth1", Reason: "interface eth1 is down"}
	up := Condition{Name: "interface eth1", OK: true, Reason: "interface eth1 is down"}
	silent := Condition{Name: "socket", Reason: "no socket", Silent: true}
	gateway := Condition{Name: "ping gateway", Reason: "gateway does not answer"}
	dns := Condition{Name: "ping dns", Reason: "dns does not answer"}
	unknown := Condition{Name: "process sshd", Unknown: true, Reason: "processes are hidden"}
	load := Condition{Name: "file load", OK: true, Counts: true, Number: 7}
	hard := func(c Condition) demand { return demand{Condition: c, Track: Track{Condition: c.Name}} }
	weighed := func(c Condition, weight int) demand {
		return demand{Condition: c, Track: Track{Condition: c.Name, Weight: weight}}
	}
	reversed := func(d demand) demand { d.Reverse = true; return d }
	for _, tt := range []struct {
		name     string
		demands  []demand
		fault    string
		priority uint8 // of 100
		unmet    []string
	}{
		{"no condition", nil, "", 100, nil},
		{"a hard one that is met", []demand{hard(up)}, "", 100, nil},
		{"without a weight the router stands back", []demand{hard(up), hard(down)}, down.Reason, 100, []string{down.Reason}},
		{"the first one is the reason", []demand{{Condition: silent}, hard(down)}, silent.Reason, 100, []string{silent.Reason, down.Reason}},
		{"a penalty lowers the priority", []demand{weighed(gateway, -60)}, "", 40, []string{gateway.Reason}},
		{"and does not while it is met", []demand{weighed(up, -60)}, "", 100, nil},
		{"penalties add up", []demand{weighed(gateway, -60), weighed(up, -10), weighed(dns, -30)}, "", 10, []string{gateway.Reason, dns.Reason}},
		{"the priority stays above 0", []demand{weighed(gateway, -60), weighed(dns, -60)}, "", 1, []string{gateway.Reason, dns.Reason}},
		{"and below the owner's", []demand{weighed(up, 253)}, "", 254, nil},
		{"what is beyond a bound counts for the rest", []demand{weighed(up, 253), weighed(dns, -200)}, "", 153, []string{dns.Reason}},
		{"a penalty beside a fault", []demand{weighed(gateway, -60), hard(down)}, down.Reason, 40, []string{gateway.Reason, down.Reason}},
		{"a bonus while it is met", []demand{weighed(up, 20)}, "", 120, nil},
		{"and none while it is not", []demand{weighed(gateway, 20)}, "", 100, []string{gateway.Reason}},
		{"reversed, hard and met", []demand{reversed(hard(up))}, "interface eth1 holds, and must not (reverse)", 100, []string{"interface eth1 holds, and must not (reverse)"}},
		{"reversed, hard and not met", []demand{reversed(hard(down))}, "", 100, nil},
		{"a reversed penalty while it is met", []demand{reversed(weighed(up, -20))}, "", 80, []string{"interface eth1 holds, and must not (reverse)"}},
		{"a reversed bonus while it is not", []demand{reversed(weighed(down, 20))}, "", 120, nil},
		{"what is unknown makes nobody stand back", []demand{hard(unknown), reversed(hard(unknown))}, "", 100, nil},
		{"nor does it cost anything", []demand{weighed(unknown, -20), reversed(weighed(unknown, -20))}, "", 100, nil},
		{"nor does it lose a bonus", []demand{weighed(unknown, 20)}, "", 120, nil},
		{"a number times its weight", []demand{weighed(load, -3)}, "", 79, nil},
		{"the other way round", []demand{reversed(weighed(load, -3))}, "", 121, nil},
		{"a number that is not there", []demand{weighed(Condition{Name: "file load", Counts: true, Reason: "no such file"}, -3)}, "", 100, []string{"no such file"}},
		{"a number that is not known", []demand{weighed(Condition{Name: "file load", Counts: true, Unknown: true}, -3)}, "", 100, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := judge(tt.demands)
			if got := effective(100, v.effect); v.fault != tt.fault || got != tt.priority || !slices.Equal(v.unmet(), tt.unmet) {
				t.Errorf("fault %q, priority %d, unmet %q", v.fault, got, v.unmet())
			}
			if got := effective(255, v.effect); got != 255 {
				t.Errorf("the owner's priority is %d", got)
			}
		})
	}
}

// `lvsd vrrp` shows all conditions that a router tracks, and those of others only while
// they are not met.
func TestWhichConditionsAreShown(t *testing.T) {
	tracked := func(c Condition) demand { return demand{Condition: c, Track: Track{Condition: c.Name}} }
	v := judge([]demand{
		{Condition: Condition{Name: "table loaded", OK: true}},
		{Condition: Condition{Name: "operator"}},
		tracked(Condition{Name: "ping gateway", OK: true}),
		tracked(Condition{Name: "ping dns"}),
	})
	var names []string
	for _, j := range v.judged {
		names = append(names, j.Name)
	}
	if want := []string{"operator", "ping gateway", "ping dns"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestDemanded(t *testing.T) {
	table := Condition{Name: "table loaded", OK: true}
	gateway := Condition{Name: "ping gateway", OK: true, Tracked: true}
	missing := Condition{Name: gateway.Name, Reason: "ping gateway is not known yet"}
	tracked := Track{Condition: gateway.Name, Weight: -20}
	for _, tt := range []struct {
		name  string
		track []Track
		given []Condition
		want  []demand
	}{
		{"none", nil, nil, nil},
		{"one that concerns all", nil, []Condition{table}, []demand{{Condition: table, given: true}}},
		{"one that only others track", nil, []Condition{table, gateway}, []demand{{Condition: table, given: true}}},
		{"one that it tracks", []Track{tracked}, []Condition{table, gateway}, []demand{{Condition: table, given: true}, {gateway, tracked, true}}},
		{"one that it tracks and nobody has given", []Track{tracked}, []Condition{table}, []demand{{Condition: table, given: true}, {missing, tracked, true}}},
		{"interfaces are the session's own", []Track{{Condition: "interface eth1"}}, []Condition{table}, []demand{{Condition: table, given: true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := demanded(tt.track, tt.given); !slices.Equal(got, tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// "The link to the rack flapped, and so did the Master."
func TestWhatFlapsCountsOnlyAfterItHasLasted(t *testing.T) {
	const second = time.Second
	track := Track{Condition: "interface eth1", UpAfter: 10 * second, DownAfter: 3 * second}
	up, down, unknown := Condition{OK: true}, Condition{Reason: "it is down"}, Condition{Unknown: true}
	type sight struct {
		at    time.Duration
		is    Condition
		want  Condition
		until time.Duration // 0: nothing changes by itself
	}
	held := Condition{Reason: "it is down; this is over, but not for 10s yet"}
	for _, tt := range []struct {
		name   string
		sights []sight
	}{
		{"what it is at first counts at once", []sight{{0, down, down, 0}}},
		{"down for less than down_after", []sight{{0, up, up, 0}, {second, down, up, 4 * second}, {3 * second, up, up, 0}, {20 * second, up, up, 0}}},
		{"down for that long", []sight{{0, up, up, 0}, {second, down, up, 4 * second}, {4 * second, down, down, 0}}},
		{"each time anew", []sight{{0, up, up, 0}, {second, down, up, 4 * second}, {2 * second, up, up, 0}, {3 * second, down, up, 6 * second}, {4 * second, down, up, 6 * second}, {6 * second, down, down, 0}}},
		{"up for less than up_after", []sight{{0, down, down, 0}, {second, up, held, 11 * second}, {2 * second, down, down, 0}}},
		{"up for that long", []sight{{0, down, down, 0}, {second, up, held, 11 * second}, {11 * second, up, up, 0}}},
		{"a flap past what cannot be told is one", []sight{{0, up, up, 0}, {second, unknown, unknown, 0}, {2 * second, down, up, 5 * second}, {3 * second, unknown, unknown, 0}, {4 * second, down, up, 7 * second}}},
		{"what cannot be told is never late", []sight{{0, down, down, 0}, {second, unknown, unknown, 0}, {2 * second, down, down, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d damper
			for _, s := range tt.sights {
				got := s.is
				until := d.damp(epoch.Add(s.at), track, &got)
				want := time.Time{}
				if s.until > 0 {
					want = epoch.Add(s.until)
				}
				if s.want.OK {
					got.Reason = ""
				}
				if got != s.want || !until.Equal(want) {
					t.Errorf("after %v: %+v until %v, want %+v until %v", s.at, got, until, s.want, want)
				}
			}
		})
	}
}

func TestAnEffectIsToldAtOnceAndOutlivesAReload(t *testing.T) {
	r := matrixStates["master"]()
	now := epoch.Add(20 * time.Millisecond)
	if got := script(r.Adjust(now, -60)); got != "send 40" {
		t.Errorf("an effect: %q", got)
	}
	if got := script(r.Adjust(now, -60)); got != "" {
		t.Errorf("the same effect: %q", got)
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
func (deafListener) Refuse([]netip.Addr)        {}

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
	case map[netip.Addr]Attributes:
		v.Set(reflect.ValueOf(map[netip.Addr]Attributes{netip.MustParseAddr("10.0.0.1"): {Label: "eth0:x"}}))
		return
	case Announcing:
		v.Set(reflect.ValueOf(Announcing{Repeat: 5}))
		return
	case []netip.Prefix:
		v.Set(reflect.ValueOf([]netip.Prefix{netip.MustParsePrefix("10.0.0.77/24")}))
		return
	case Clearance:
		v.Set(reflect.ValueOf(Clearance{Timeout: time.Second}))
		return
	case VirtualMAC:
		v.Set(reflect.ValueOf(VirtualMAC{Device: "vrrp4-51"}))
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
