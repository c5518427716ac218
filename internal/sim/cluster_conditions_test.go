package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

// conditions are a ping of some addresses, and the servers of one of the services. They
// have chance of their own, so that a seed means what it meant without them.
func (f *files) conditions() []config.Condition {
	rng := rand.New(rand.NewPCG(uint64(f.version), uint64(len(f.services))))
	ping := config.Condition{Name: "ping some", Minimum: 1 + rng.IntN(2)}
	rise, fall := 1+rng.IntN(3), 1+rng.IntN(3)
	for i := range ping.Minimum + rng.IntN(2) {
		ping.Checks = append(ping.Checks, config.Check{Rise: uint16(rise), Fall: uint16(fall),
			Target: checker.Target{Spec: checker.SpecOf(checker.Ping{OwnRoute: true}), Addr: serverAddr(i), Interval: probeInterval, Timeout: time.Second}})
	}
	all := []config.Condition{ping}
	if len(f.services) > 0 {
		s := &f.services[rng.IntN(len(f.services))]
		all = append(all, config.Condition{Name: "service " + s.Name, Service: s.Name, Minimum: 1 + rng.IntN(3)})
	}
	return all[rng.IntN(2):]
}

// conditions: in every step the keeper has been told what the newest results say of
// each condition, as far as they say anything.
func (k *check) conditions() {
	if slices.Contains(k.notices, "STOPPING") || len(k.told) != len(k.running.Conditions) {
		if !slices.Contains(k.notices, "STOPPING") {
			k.fail("tells the keeper of %d conditions, and %d are configured", len(k.told), len(k.running.Conditions))
		}
		return
	}
	for i := range k.running.Conditions {
		c, told := &k.running.Conditions[i], k.told[i]
		all, up, down := k.tally(c)
		state := fmt.Sprintf("%s: %d of %d are up and %d down, and %d must be up: told %+v", c.Name, up, all, down, c.Minimum, told)
		switch {
		case told.Name != c.Name:
			k.fail("tells of %s in the place of %s", told.Name, c.Name)
		case up >= c.Minimum && !told.OK:
			k.fail("%s", state)
		case all-down < c.Minimum && (told.OK || told.Unknown || told.Reason == ""):
			k.fail("%s", state)
		}
	}
}

// tally counts what a condition asks for, and of that what is certainly up or down.
func (k *check) tally(c *config.Condition) (all, up, down int) {
	count := func(isUp, isDown bool) {
		all++
		if isUp {
			up++
		}
		if isDown {
			down++
		}
	}
	for j := range c.Checks {
		count(k.verdict(&config.Server{Checks: c.Checks[j : j+1]}))
	}
	for i := range k.running.Services {
		s := &k.running.Services[i]
		for j := range s.Servers {
			if s.Name == c.Service && s.Servers[j].Destination.Weight > 0 {
				count(k.verdict(&s.Servers[j]))
			}
		}
	}
	return all, up, down
}
