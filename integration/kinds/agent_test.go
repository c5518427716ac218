package kinds

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
)

// TestAgentAgreesWithHAProxy has HAProxy, whose words an agent speaks, ask the same agent,
// and compares what each of them makes of every answer and of those before it. The agent is
// a script behind socat.
func TestAgentAgreesWithHAProxy(t *testing.T) {
	if !*all {
		t.Skip("only with -all: it takes half a minute")
	}
	at := newSite(t)
	script := at.write("agent", "#!/bin/sh\nexec cat $DIR/said\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	haproxy, socat := at.command("haproxy", "-db", "-f", "$DIR/haproxy.cfg"), at.command("socat", "TCP-LISTEN:5555,bind=$ADDR,fork,reuseaddr", "EXEC:$DIR/agent")
	at.write("said", "up\n")
	at.write("haproxy.cfg", `global
  stats socket $DIR/socket mode 600 level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
backend web
  server web1 $ADDR:80 weight 40 agent-check agent-port 5555 agent-inter 100ms
`)
	at.run(socat)
	beside := &site{t: t, dir: at.dir, addr: at.addr, logs: []string{at.path("haproxy-output")}}
	beside.run(haproxy)
	target := checker.Target{Spec: checker.SpecOf(checker.Agent{}), Addr: at.addr, Port: 5555, Interval: 100 * time.Millisecond, Timeout: 5 * time.Second}
	c := checker.New(at.prober, 1)
	c.Set([]*checker.Target{&target})
	results := make(chan checker.Result)
	go c.Run(t.Context(), func(all []checker.Observation) {
		for _, o := range all {
			select {
			case results <- o.Result:
			case <-t.Context().Done():
			}
		}
	})
	for _, said := range []string{
		"up", "50%", "down # disk full", "75%", "up", "drain", "up", "ready", "maint", "30%", "ready", "100%",
		"UP READY 25%\r", "stopped", "up", "garbage", "up garbage", "-5%", "50%", "up,75%,ready", "up\t20%", "down up", "up down",
		"ready", "up maxconn:10 100%", "up\ndown", "", "5", "50 %", "50%x", "downtown", "99.5%", "+7%", "# up", "up # down",
		"drain maint", "ready drain", "ready", "garbage down", "up", "x 25%", "20% 60%", "0%",
	} {
		next := at.write("next", said+"\n")
		if err := os.Rename(next, at.path("said")); err != nil {
			t.Fatal(err)
		}
		var ours, theirs string
		for end := time.Now().Add(20 * time.Second); ; {
			// What was asked before may be on its way still, so what both say counts when it stays.
			time.Sleep(300 * time.Millisecond)
			for range 2 {
				ours = describeAgent(<-results)
			}
			theirs = beside.haproxyState()
			if ours == theirs {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%q: %s, and HAProxy: %s", said, ours, theirs)
				break
			}
		}
		t.Logf("%-22q %s", said, theirs)
	}
}

// describeAgent is what follows from what an agent has said, for a server of weight 40.
func describeAgent(r checker.Result) string {
	weight := 40
	if r.Advice.Measure == checker.Percent {
		weight = 40 * int(r.Advice.Weight) / 100
	}
	state := "up"
	switch {
	case r.Advice.Mode == checker.Maintenance:
		state = "maint"
	case r.Outcome == checker.Failed:
		state = "down"
	case r.Advice.Mode == checker.Drain:
		state = "drain"
	}
	return agentState(state, fmt.Sprint(weight))
}

// agentState is a state and a weight; HAProxy does not show a new one in maintenance.
func agentState(state, weight string) string {
	if state == "maint" {
		return state
	}
	return state + ", " + weight
}

// haproxyState is the same of HAProxy's only server, by its socket.
func (at *site) haproxyState() string {
	socket, err := (&net.Dialer{}).DialContext(context.Background(), "unix", at.path("socket"))
	if err != nil {
		return err.Error()
	}
	defer socket.Close()
	fmt.Fprintln(socket, "show stat")
	text, err := io.ReadAll(socket)
	if err != nil {
		return err.Error()
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(strings.TrimSpace(string(text)), "# "))).ReadAll()
	if err != nil {
		return err.Error()
	}
	for _, row := range rows[1:] {
		if row[1] != "web1" {
			continue
		}
		state := "up"
		switch words := row[17]; {
		case strings.HasPrefix(words, "MAINT"):
			state = "maint"
		case strings.HasPrefix(words, "DOWN"):
			state = "down"
		case strings.HasPrefix(words, "DRAIN (agent)"):
			state = "drain"
		}
		return agentState(state, row[18])
	}
	return "no server web1"
}
