package api

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/internal/golden"
)

// noon is when all fixtures were taken.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return noon.Add(-d) }

// healthy is the Master of the pair with 10.13.0.200, nothing wrong.
func healthy() *Status {
	return &Status{
		SchemaVersion: SchemaVersion, Time: noon, Version: "0.1.0", Node: "lvs1", PID: 812, Started: before(26 * time.Hour), Ready: true,
		Reload: Reload{
			Path: "/etc/lvsd", Digest: "1f3870be274f6c49b3e31a0c6728957f", Applied: before(26 * time.Hour),
			Last: before(26 * time.Hour), OK: true, Succeeded: 1,
		},
		Findings: []Finding{}, Foreign: []string{},
		Keeper:  Keeper{PID: 819, Age: 300 * time.Millisecond, AgeText: Duration(300 * time.Millisecond)},
		Routers: []Router{outside()}, SyncGroups: []SyncGroup{},
		Services: []Service{{
			Name: "web", Address: "tcp 10.13.0.200:80", Scheduler: "wrr", InKernel: true, Supply: Served,
			Key: ServiceKey{Protocol: 6, ProtocolName: "tcp", Address: netip.MustParseAddr("10.13.0.200"), Port: 80},
			Servers: []Server{
				up("compute-0-0", "192.168.1.4:80", 3), up("compute-0-1", "192.168.1.5:80", 3), up("192.168.2.2", "192.168.2.2:80", 1),
			},
			Traffic: Traffic{Connections: 358638, PacketsIn: 4303656, PacketsOut: 3586380, BytesIn: 21e6, BytesOut: 27e8}, Transitions: Transitions{ToUp: 2, ToDown: 2},
			Probes:   ServiceProbes{Latency: Histogram{Bounds: []float64{.001, .005}, Buckets: []uint64{100000, 40400, 2}, Sum: 168.5}, Reasons: map[string]uint64{"refused": 2}},
			Fallback: &Server{Name: "fallback", Address: "10.13.0.200:8080", Forward: "nat", Health: "unchecked", Checks: []Check{}, Weight: 1},
		}},
		Probes: Probes{Targets: 3, Kinds: map[string]Kind{
			"http": {Passed: 140400, Failed: 2, Seconds: 168.5, Buckets: []uint64{0, 100000, 40000, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
		}},
		Streams: []Stream{{Name: "all", Program: "/etc/lvsd/hooks/collect", User: "nobody", Running: true, Since: before(26 * time.Hour), Starts: 1, Lines: 14}},
		Table:   Table{Operations: map[string]uint64{"add-service": 1, "add-destination": 3}, Audited: before(7 * time.Second)},
	}
}

func outside() Router {
	return Router{
		Name: "outside", Interface: "eth0", VRID: 51, Version: 3, State: Master, Since: before(26*time.Hour - 4*time.Second),
		Priority: 150, Configured: 150, MissedAdverts: 3, Conditions: []Condition{{Name: "interface eth1", Met: true, Hard: true}}, Interval: time.Second, IntervalText: Duration(time.Second), Master: netip.MustParseAddr("10.13.0.15"), MasterPriority: 150, Held: 3,
		Rivals: []Rival{},
		Resources: []Resource{
			{Kind: "mount", Name: "/srv", State: ResourceRunning, Since: noon.Add(-time.Hour), Runs: 3, Failures: 1},
			{Kind: "systemd", Name: "apache2.service", State: ResourceRunning, Since: noon.Add(-time.Minute)},
		},
		Hooks: []Hook{{On: "any", Program: "/etc/lvsd/hooks/notify", User: "nobody", Runs: 3, Failures: 1,
			Last: HookRun{At: before(26 * time.Hour), State: "master", Took: 12 * time.Millisecond, TookText: Duration(12 * time.Millisecond), OK: true, Result: "exited with status 0"}},
			{On: "master", Program: "/etc/lvsd/hooks/fence", Before: true, Runs: 6, Failures: 1, CalledOff: 2,
				Last: HookRun{At: before(26 * time.Hour), State: "master", Took: time.Second, TookText: Duration(time.Second), OK: true, Result: "exited with status 0"}}},
		Peers: []Peer{{Address: netip.MustParseAddr("10.13.0.16"), Priority: 100, Age: 26 * time.Hour, AgeText: Duration(26 * time.Hour)}},
		Addresses: []netip.Prefix{
			netip.MustParsePrefix("10.13.0.200/24"), netip.MustParsePrefix("192.168.1.254/24"), netip.MustParsePrefix("192.168.2.254/24"),
		},
		Counters: RouterCounters{AdvertsSent: 93596, BecameMaster: 1, Discarded: map[string]uint64{"checksum": 2}},
		Transitions: []Transition{
			{At: before(26*time.Hour - 4*time.Second), From: Backup, To: Master, Why: "no adverts from any Master"},
			{At: before(26 * time.Hour), From: Initialize, To: Backup, Why: "started"},
		},
		AdvertGaps:     Histogram{Bounds: []float64{1.1, 2}, Buckets: []uint64{0, 0, 0}},
		AdvertLateness: Histogram{Bounds: []float64{0.00005, 0.0001}, Buckets: []uint64{93500, 90, 4}, Sum: 1.9, Max: 0.0021},
	}
}

func up(name, address string, weight uint32) Server {
	return Server{
		Name: name, Address: address, Forward: "nat", Health: "up", Since: before(26*time.Hour - time.Second),
		Checks: []Check{{Kind: "http", Up: true, Last: Result{
			At: before(time.Second), Latency: 1200 * time.Microsecond, LatencyText: Duration(1200 * time.Microsecond), Outcome: Passed, CertificateEnds: before(-90 * 24 * time.Hour).Truncate(24 * time.Hour)}}},
		Weight: weight, KernelWeight: weight, InKernel: true,
		Counters: Counters{Active: 4 * weight, Inactive: 27 * weight, Connections: 51234 * uint64(weight), BytesIn: 7e6, BytesOut: 9e8},
	}
}

// TestWireNames pins version 1 of the JSON, which programs of users read. Fields
// may be added; none may change its name or its meaning.
func TestWireNames(t *testing.T) {
	body, err := json.Marshal(healthy())
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/status-v1.json", string(pretty)+"\n")
}

// TestManualKnowsEveryMember holds lvsd-status(8) to the JSON.
func TestManualKnowsEveryMember(t *testing.T) {
	manual, err := os.ReadFile("../../packaging/lvsd-status.8")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(manual), "\n.Sh JSON\n")
	text, _, _ = strings.Cut(text, "\n.Sh METRICS\n")
	known := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^\.(?:It |Pf \( |Pq )?Li (.*)$`).FindAllStringSubmatch(text, -1) {
		for word := range strings.FieldsSeq(line[1]) {
			known[word] = true
		}
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(r reflect.Type) {
		for r.Kind() == reflect.Slice || r.Kind() == reflect.Pointer || r.Kind() == reflect.Map {
			r = r.Elem()
		}
		if r.Kind() != reflect.Struct || r.PkgPath() != reflect.TypeFor[Status]().PkgPath() || seen[r] {
			return
		}
		seen[r] = true
		for i := range r.NumField() {
			name, _, _ := strings.Cut(r.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" && !known[name] {
				t.Errorf("lvsd-status(8) does not explain %s of %v", name, r)
			}
			walk(r.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[Status]())
	walk(reflect.TypeFor[Reloaded]())
	walk(reflect.TypeFor[Ordered]())
}

func TestAFindingForPrograms(t *testing.T) {
	f := Finding{Code: "forwarding", Severity: Warning, Subject: "net.ipv4.ip_forward", Text: "no answer reaches a client", Remedy: "set it"}
	body, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"code":"forwarding","severity":"warning","subject":"net.ipv4.ip_forward","text":"no answer reaches a client","remedy":"set it"}`
	if string(body) != want {
		t.Errorf("JSON %s, want %s", body, want)
	}
}
