package checker

import (
	"fmt"
	"strings"
)

// An Advice is what a check says of its server beside whether it is up. The zero Advice
// says nothing: the server has the weight that is configured.
type Advice struct {
	// Weight is a number by Measure, of which it is at most Measure.Limit.
	Weight  uint16
	Measure Measure
	Mode    Mode
}

// A Measure is what the number of an Advice means.
type Measure uint8

// What the number of an Advice means.
const (
	// Unweighted: nothing.
	Unweighted Measure = iota
	// Percent: so much of the weight.
	Percent
	// Absolute: that is the weight, in place of the configured one.
	Absolute
)

// MaxWeight bounds an absolute weight that a check may give.
const MaxWeight = 10_000

// Limit is the greatest number.
func (m Measure) Limit() int { return [...]int{Percent: 100, Absolute: MaxWeight}[m] }

// A Mode is what is to become of a server as its administrators want it.
type Mode uint8

// The modes of a server.
const (
	// Undirected: nobody has said anything of it.
	Undirected Mode = iota
	// Ready: it is used as its health is.
	Ready
	// Drain: it gets no new connections and keeps those that it has.
	Drain
	// Maintenance: it is not used at all.
	Maintenance
)

// String returns the advice in an operator's words: "drain, 50%"; empty: none.
func (a Advice) String() string {
	var all []string
	switch a.Mode {
	case Drain:
		all = append(all, "drain")
	case Maintenance:
		all = append(all, "maint")
	}
	switch a.Measure {
	case Percent:
		all = append(all, fmt.Sprintf("%d%%", a.Weight))
	case Absolute:
		all = append(all, fmt.Sprintf("weight %d", a.Weight))
	}
	return strings.Join(all, ", ")
}
