package checker

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Agent is a probe that asks a program beside a server how the server is, in the words of
// HAProxy's agent-check.
type Agent struct {
	// Send is what is said to the agent when the connection is established.
	Send []byte `json:"send,omitempty"`
	// Required: the probe fails where the agent says nothing that is understood. Otherwise
	// everything is as it said last.
	Required bool `json:"required,omitempty"`
}

// Kind returns "agent".
func (Agent) Kind() string { return "agent" }

// Validate returns what is wrong with the options; nil if they can be used.
func (a Agent) Validate() error { return ValidateSend(a.Send) }

// AgentLimit is how long an agent's line may be, in bytes.
const AgentLimit = 1024

// A Report is what an agent has said at one time. It leaves out what is as it was before.
type Report struct {
	// Up and Down: it said that its server is that.
	Up, Down bool
	// Words are those by which it said that its server is down: "stopped: disk full".
	Words string
	Advice
}

// ParseReport reads the line of an agent, without its end. As with HAProxy, words that are
// not known count for nothing, and of several that contradict each other the last one counts.
func ParseReport(line string) (r Report, err error) {
	said, why, _ := strings.Cut(line, "#")
	understood := false
	for _, word := range strings.FieldsFunc(said, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }) {
		understood = r.take(strings.ToLower(word)) || understood
	}
	if why = strings.TrimSpace(why); r.Down && why != "" {
		r.Words += ": " + why
	}
	if !understood {
		return Report{}, fmt.Errorf("the agent says %.60q, of which no word is understood", line)
	}
	return r, nil
}

// take takes one word, and reports whether it is known.
func (r *Report) take(word string) bool {
	switch word {
	case "up":
		r.Up, r.Down, r.Words = true, false, ""
	case "down", "fail", "failed", "stopped":
		r.Up, r.Down, r.Words = false, true, word
	case "ready":
		r.Mode = Ready
	case "drain":
		r.Mode = Drain
	case "maint":
		r.Mode = Maintenance
	default:
		return r.takeShare(word) || strings.HasPrefix(word, "maxconn:")
	}
	return true
}

// takeShare takes a word that is a percentage.
func (r *Report) takeShare(word string) bool {
	digits, ok := strings.CutSuffix(word, "%")
	n, err := strconv.ParseUint(digits, 10, 8)
	if !ok || err != nil || int(n) > Percent.Limit() {
		return false
	}
	r.Weight, r.Measure = uint16(n), Percent
	return true
}

// then is what an agent has said in all when it has said something more.
func (r Report) then(next Report) Report {
	if next.Up || next.Down {
		r.Up, r.Down, r.Words = next.Up, next.Down, next.Words
	}
	if next.Measure != Unweighted {
		r.Weight, r.Measure = next.Weight, next.Measure
	}
	r.Mode = cmp.Or(next.Mode, r.Mode)
	return r
}
