package daemon

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/vrrp"
)

// If a golden test fails, run "go test ./internal/daemon -update" and look at
// the difference. Keep it only if you know what caused it and want it.
var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// noon is when all fixtures were taken.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return noon.Add(-d) }

// healthy is the Master of the pair with 10.13.0.200, nothing wrong.
func healthy() *director.Status {
	return &director.Status{
		Version: "0.1.0", Node: "lvs1", PID: 812, Started: before(26 * time.Hour), Ready: true,
		Reload: director.ReloadStatus{
			Path: "/etc/lvsd", Digest: "1f3870be274f6c49b3e31a0c6728957f", Applied: before(26 * time.Hour),
			Last: before(26 * time.Hour), OK: true, Succeeded: 1,
		},
		Foreign: []string{},
		Keeper:  director.KeeperStatus{PID: 819},
		Routers: []vrrp.Status{outside()},
		Services: []director.ServiceStatus{{
			Name: "web", Address: "tcp 10.13.0.200:80", Scheduler: "wrr", InKernel: true, Supply: director.Served,
			Key: ipvsctl.ServiceKey{Protocol: ipvsctl.TCP, Addr: netip.MustParseAddr("10.13.0.200"), Port: 80},
			Servers: []director.ServerStatus{
				up("compute-0-0", "192.168.1.4:80", 3), up("compute-0-1", "192.168.1.5:80", 3), up("192.168.2.2", "192.168.2.2:80", 1),
			},
			Fallback: &director.ServerStatus{Name: "fallback", Address: "10.13.0.200:8080", Forward: "nat", Health: "unchecked", Checks: []director.CheckStatus{}, Weight: 1},
		}},
		Probes: checker.Stats{Targets: 3, Kinds: map[string]checker.KindStats{
			"http": {Passed: 140400, Failed: 2, Seconds: 168.5, Buckets: []uint64{0, 100000, 40000, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
		}},
		Table: ipvsctl.Stats{Operations: map[string]uint64{"add-service": 1, "add-destination": 3}, Audited: before(7 * time.Second)},
	}
}

func outside() vrrp.Status {
	return vrrp.Status{
		Name: "outside", Interface: "eth0", VRID: 51, Version: 3, State: vrrp.Master, Since: before(26*time.Hour - 4*time.Second),
		Priority: 150, Interval: time.Second, Master: netip.MustParseAddr("10.13.0.15"), MasterPriority: 150, Held: 3,
		Addresses: []netip.Prefix{
			netip.MustParsePrefix("10.13.0.200/24"), netip.MustParsePrefix("192.168.1.254/24"), netip.MustParsePrefix("192.168.2.254/24"),
		},
		Counters: vrrp.Counters{AdvertsSent: 93596, BecameMaster: 1, Discarded: map[vrrp.Reason]uint64{"checksum": 2}},
	}
}

func up(name, address string, weight uint32) director.ServerStatus {
	return director.ServerStatus{
		Name: name, Address: address, Forward: "nat", Health: "up", Since: before(26*time.Hour - time.Second),
		Checks: []director.CheckStatus{{Kind: "http", Up: true, Last: checker.Result{
			At: before(time.Second), Latency: 1200 * time.Microsecond, Outcome: checker.Passed}}},
		Weight: weight, KernelWeight: weight, InKernel: true,
		Counters: ipvsctl.Counters{Active: 4 * weight, Inactive: 27 * weight, Connections: 51234 * uint64(weight), BytesIn: 7e6, BytesOut: 9e8},
	}
}

// TestWireNames pins version 1 of the JSON, which programs of users read. Fields
// may be added; none may change its name or its meaning.
func TestWireNames(t *testing.T) {
	pretty, err := json.MarshalIndent(decoded(t, status(noon, healthy())), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../api/testdata/status-v1.json", string(pretty)+"\n")
}

// TestNoFigureIsForgotten looks for fields of what the director says that the
// conversion leaves zero.
func TestNoFigureIsForgotten(t *testing.T) {
	var st director.Status
	fill(reflect.ValueOf(&st).Elem())
	missing(t, "Status", reflect.ValueOf(*status(noon, &st)))
}

// fill sets every field to a value that is not zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		switch v.Addr().Interface().(type) {
		case *time.Time:
			v.Set(reflect.ValueOf(noon))
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
		if v.Type() != reflect.TypeFor[*director.ServerStatus]() { // a fallback has no fallback
			fill(v.Elem())
		}
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

// missing reports the fields of v that are zero.
func missing(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch pkg := v.Type().PkgPath(); {
	case v.IsZero():
		t.Errorf("%s is not converted", name)
	case pkg == "time" || pkg == "net/netip":
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			missing(t, name+"[0]", v.Index(i))
		}
	case v.Kind() != reflect.Struct:
	default:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "Fallback" {
				missing(t, name+"."+f.Name, v.Field(i))
			}
		}
	}
}

// Programs that read the status need not tell null from an empty list.
func TestStatusHasNoNullAndNoMomentThatNeverWas(t *testing.T) {
	st := &director.Status{
		Findings: []event.Finding{{}}, Routers: []vrrp.Status{{}}, Probes: checker.Stats{Kinds: map[string]checker.KindStats{"tcp": {}}},
		Services: []director.ServiceStatus{{}, {Servers: []director.ServerStatus{{}, {Checks: []director.CheckStatus{{}}}}, Fallback: &director.ServerStatus{}}},
	}
	for name, st := range map[string]*director.Status{"nothing at all": {}, "one empty thing of each kind": st} {
		for _, place := range blanks("status", decoded(t, status(noon, st))) {
			t.Errorf("%s: %s", name, place)
		}
	}
}

func decoded(t *testing.T, v any) (decoded any) {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
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

func TestAFindingForPrograms(t *testing.T) {
	f := event.Finding{Code: "forwarding", Severity: event.Warning, Subject: "net.ipv4.ip_forward", Text: "no answer reaches a client", Remedy: "set it"}
	body, err := json.Marshal(finding(&f))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"code":"forwarding","severity":"warning","subject":"net.ipv4.ip_forward","text":"no answer reaches a client","remedy":"set it"}`
	if string(body) != want {
		t.Errorf("JSON %s, want %s", body, want)
	}
}

// BenchmarkStatusJSON is what "lvsd status" of 1,000 services with 10 real
// servers each costs the daemon, besides the director's loop.
func BenchmarkStatusJSON(b *testing.B) {
	st := healthy()
	like := st.Services[0]
	like.Servers = slices.Repeat(like.Servers[:1], 10)
	st.Services = slices.Repeat([]director.ServiceStatus{like}, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(status(noon, st)); err != nil {
			b.Fatal(err)
		}
	}
}
