package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkAgent = newCheckKind("agent", "A program beside the server says how the server is, in the words of HAProxy's agent-check: one line of \"up\", \"down\", \"fail\" or \"stopped\", \"ready\", \"drain\" or \"maint\", and a share of the weight such as \"50%\"; \"#\" begins a reason. What it does not say is as it said last: \"ready\" alone ends drain and maint, and \"up\" alone ends down. maxconn and unknown words are ignored.",
	agentTable, (*agentCheck).self, func(b *block.Body, a *agentCheck) probe { return a.compile(b) })

type agentCheck struct {
	probe
	asks checker.Agent
}

var agentTable = block.NewTable("check", func() []block.Entry[agentCheck] {
	return append(networked(tcpViaTable, (*agentCheck).self),
		sendOption("What is said to the agent when the connection is established, with the end of a line if it waits for that: \"web1\\n\".", func(a *agentCheck) *[]byte { return &a.asks.Send }),
		block.Flag("required", "The check fails if the agent does not answer, or says nothing that is understood. If false, everything is as it said last, or as if there were no agent if it has never said anything: an agent that ends does not take its server out.",
			false, func(a *agentCheck) *bool { return &a.asks.Required }),
	)
})

// compile works out whom a check asks.
func (a *agentCheck) compile(b *block.Body) probe {
	if a.port == 0 && !a.partial {
		b.Require("port", "port = 5555, where the agent listens")
	}
	a.auxiliary = !a.asks.Required
	return a.asking(b, a.asks)
}
