// Package apitest has the answers of a daemon that tests of several packages tell of. Only
// tests import it.
package apitest

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// Noon is when the fixtures were taken.
var Noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Before is so long before Noon.
func Before(d time.Duration) time.Time { return Noon.Add(-d) }

// Healthy is the Master of the pair with 10.13.0.200, with nothing wrong.
func Healthy() *api.Status {
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

// Up is a server that is up, and as it is configured.
func Up(name, address string, weight uint32) api.Server {
	return api.Server{
		Name: name, Address: address, Forward: "nat", Health: "up", Since: Before(26*time.Hour - time.Second),
		Checks: []api.Check{{Kind: "http", Up: true, Last: api.Result{
			At: Before(time.Second), Latency: 1200 * time.Microsecond, Outcome: api.Passed}}},
		Weight: weight, KernelWeight: weight, InKernel: true,
		Counters: api.Counters{Active: 4 * weight, Inactive: 27 * weight, Connections: 51234 * uint64(weight), BytesIn: 7e6, BytesOut: 9e8},
	}
}

// Fail takes a server out as the director does.
func Fail(s *api.Server, detail string, took time.Duration) {
	s.Health, s.Since, s.InKernel, s.KernelWeight, s.Counters = "down", Before(12*time.Second), false, 0, api.Counters{}
	s.Checks[0].Up = false
	s.Checks[0].Last = api.Result{At: Before(time.Second), Latency: took, Outcome: api.Failed, Detail: detail}
}

// Drain takes a server out as the operator does, with its connections left.
func Drain(s *api.Server) { s.Weight, s.KernelWeight = 0, 0 }

// Unserve makes it so that no real server of a service takes connections.
func Unserve(v *api.Service, why string) {
	v.Supply, v.Reason = api.Unserved, why
	if v.Fallback != nil {
		v.Fallback.InKernel, v.Fallback.KernelWeight = true, 1
	}
}

// Large has as many services and servers.
func Large(services, servers int) *api.Status {
	st := Healthy()
	st.Services = nil
	for i := range services {
		v := api.Service{
			Name: fmt.Sprintf("shop-%04d", i), Scheduler: "wlc", InKernel: true, Supply: api.Served,
			Address: fmt.Sprintf("tcp 10.13.%d.%d:80", i/250, i%250+1),
		}
		for j := range servers {
			v.Servers = append(v.Servers, Up(fmt.Sprintf("node-%04d-%02d", i, j), fmt.Sprintf("192.168.%d.%d:80", i/250, i%250+1), 1+uint32(j)))
		}
		st.Services = append(st.Services, v)
	}
	return st
}
