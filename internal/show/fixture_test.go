package show

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

// If a golden test fails, run "go test ./internal/show -update" and look at
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

// noon is when the fixtures were taken.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return noon.Add(-d) }

// healthy is the Master of the pair with 10.13.0.200, with nothing wrong.
func healthy() *api.Status {
	body, err := os.ReadFile("../api/testdata/status-v1.json")
	if err != nil {
		panic(err)
	}
	st := new(api.Status)
	if err := json.Unmarshal(body, st); err != nil {
		panic(err)
	}
	return st
}

func up(name, address string, weight uint32) api.Server {
	return api.Server{
		Name: name, Address: address, Forward: "nat", Health: "up", Since: before(26*time.Hour - time.Second),
		Checks: []api.Check{{Kind: "http", Up: true, Last: api.Result{
			At: before(time.Second), Latency: 1200 * time.Microsecond, Outcome: api.Passed}}},
		Weight: weight, KernelWeight: weight, InKernel: true,
		Counters: api.Counters{Active: 4 * weight, Inactive: 27 * weight, Connections: 51234 * uint64(weight), BytesIn: 7e6, BytesOut: 9e8},
	}
}

// fail takes a server out as the director does.
func fail(s *api.Server, detail string, took time.Duration) {
	s.Health, s.Since, s.InKernel, s.KernelWeight, s.Counters = "down", before(12*time.Second), false, 0, api.Counters{}
	s.Checks[0].Up = false
	s.Checks[0].Last = api.Result{At: before(time.Second), Latency: took, Outcome: api.Failed, Detail: detail}
}

// drain takes a server out as the operator does, with its connections left.
func drain(s *api.Server) { s.Weight, s.KernelWeight = 0, 0 }

// unserve makes it so that no real server of a service takes connections.
func unserve(v *api.Service, why string) {
	v.Supply, v.Reason = api.Unserved, why
	if v.Fallback != nil {
		v.Fallback.InKernel, v.Fallback.KernelWeight = true, 1
	}
}

// large has as many services and servers.
func large(services, servers int) *api.Status {
	st := healthy()
	st.Services = nil
	for i := range services {
		v := api.Service{
			Name: fmt.Sprintf("shop-%04d", i), Scheduler: "wlc", InKernel: true, Supply: api.Served,
			Address: fmt.Sprintf("tcp 10.13.%d.%d:80", i/250, i%250+1),
		}
		for j := range servers {
			v.Servers = append(v.Servers, up(fmt.Sprintf("node-%04d-%02d", i, j), fmt.Sprintf("192.168.%d.%d:80", i/250, i%250+1), 1+uint32(j)))
		}
		st.Services = append(st.Services, v)
	}
	return st
}
