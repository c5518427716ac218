package sim

import (
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/internal/director"
	"github.com/lvsd/lvsd/ipvsctl"
)

// logInput writes down what a core is told.
func (c *Cluster) logInput(n *Node, in director.Input) {
	if c.Log == nil {
		return
	}
	text := fmt.Sprintf("%+v", in)
	switch in := in.(type) {
	case director.Probed:
		text = ""
		for _, o := range in {
			text += fmt.Sprintf(" %v:%d %v", o.Target.Addr, o.Target.Port, o.Result.Outcome)
		}
	case director.RoutersSeen:
		text = string(in[0].State)
	case director.Failover:
		text = fmt.Sprintf("%+v", in.FailoverOrder)
	case director.StandBy:
		text = fmt.Sprintf("%+v", in.StandbyOrder)
	case director.Resume:
		text = ""
	case director.ReadingEnded:
		text = fmt.Sprintf("%d: %v", in.Number, in.Err)
		if in.Config != nil {
			text = fmt.Sprintf("%d: %s", in.Number, in.Config.Digest)
		}
	}
	c.logf("%s: < %s %s", n.Name, name(in), text)
}

// logEffect writes down what a core wants done.
func (c *Cluster) logEffect(n *Node, e director.Effect) {
	if c.Log == nil {
		return
	}
	text := ""
	switch e := e.(type) {
	case director.Heartbeat:
		return
	case director.SetTable:
		text = oneLine(e.Table)
	case director.SetTargets:
		text = fmt.Sprint(len(e))
	case director.TellKeeper:
		text = fmt.Sprintf("priority %d, preempt %t, offers %v, %s: %t", e.Routers[0].Priority, e.Routers[0].Preempt, e.Offers, e.Conditions[0].Name, e.Conditions[0].OK)
	case director.Conclude:
		text = fmt.Sprintf("ok %t, routers %+v, standby %t, %v %v %s", e.Outcome.OK, e.Outcome.Routers, e.Outcome.Standby != nil, e.Outcome.Ended, e.Outcome.Warnings, e.Outcome.Error)
	case director.SaveStandby:
		text = fmt.Sprintf("%d: %t", e.Number, e.Standby != nil)
	case director.Read:
		text = fmt.Sprint(e.Number)
	case director.Tell:
		text = fmt.Sprintf("%v %s %s: %s %v", e.Severity, e.Code, e.Subject, e.Text, e.Attributes)
	default:
		text = fmt.Sprintf("%+v", e)
	}
	c.logf("%s: > %s %s", n.Name, name(e), text)
}

func name(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "director.") }

func oneLine(t ipvsctl.Table) string {
	return strings.ReplaceAll(strings.TrimSpace(t.String()), "\n", "; ")
}
