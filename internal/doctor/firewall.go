package doctor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// A Chain is a chain of packet filters for what is for this machine itself.
type Chain struct {
	Name   string // "inet filter input"
	Family string
	Drops  bool // what no rule decides
	Rules  []Rule
}

// A Rule is one of a Chain.
type Rule struct {
	verdict verdict
	// matches are its conditions: all of them must be met.
	matches []match
}

// A verdict is what a rule does with a packet.
type verdict uint8

const (
	passes  verdict = iota // on to the next rule
	accepts                // this chain is done
	drops
	leaves // for another chain, which is not followed
)

// A match says whether it is met by packets of a kind.
type match func(kind) answer

// A kind of packets: those of a protocol, to a port if it has any.
type kind struct {
	protocol string
	number   int
	port     int
}

// The kinds that a director must hear.
var (
	adverts      = kind{protocol: "vrrp", number: 112}
	syncMessages = kind{protocol: "udp", number: 17, port: 8848}
)

// An answer is whether something is so.
type answer uint8

const (
	perhaps answer = iota
	no
	yes
)

// ParseFilters reads what "nft -j list ruleset" prints: the chains of the hook input. What
// it does not know of a rule may be met or not.
func ParseFilters(text []byte) ([]Chain, error) {
	var doc struct {
		NFTables []map[string]json.RawMessage `json:"nftables"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("reading what nft prints: %w", err)
	}
	type place struct{ family, table, chain string }
	places := make(map[place]int)
	chains := []Chain{} // Not nil: there are none, and that is known.
	for _, object := range doc.NFTables {
		var c struct{ Family, Table, Name, Hook, Policy string }
		if raw, ok := object["chain"]; ok && json.Unmarshal(raw, &c) == nil && c.Hook == "input" && slices.Contains([]string{"ip", "ip6", "inet"}, c.Family) {
			places[place{c.Family, c.Table, c.Name}] = len(chains)
			chains = append(chains, Chain{Name: c.Family + " " + c.Table + " " + c.Name, Family: c.Family, Drops: c.Policy == "drop"})
		}
		var r struct {
			Family, Table, Chain string
			Expr                 []map[string]json.RawMessage
		}
		if raw, ok := object["rule"]; ok && json.Unmarshal(raw, &r) == nil {
			if i, known := places[place{r.Family, r.Table, r.Chain}]; known {
				chains[i].Rules = append(chains[i].Rules, ruleOf(r.Expr))
			}
		}
	}
	return chains, nil
}

// ruleOf reads the parts of a rule.
func ruleOf(parts []map[string]json.RawMessage) (r Rule) {
	for _, part := range parts {
		for word, value := range part {
			switch word {
			case "accept":
				r.verdict = accepts
			case "drop", "reject":
				r.verdict = drops
			case "jump", "goto", "queue", "vmap":
				r.verdict = leaves
			case "counter", "log", "comment", "mangle":
			case "match":
				r.matches = append(r.matches, matchOf(value))
			default: // "limit", "xt", …
				r.matches = append(r.matches, func(kind) answer { return perhaps })
			}
		}
	}
	return r
}

// matchOf reads one condition.
func matchOf(raw json.RawMessage) match {
	var m struct {
		Op   string
		Left struct {
			Meta    struct{ Key string }
			CT      struct{ Key string }
			Payload struct{ Protocol, Field string }
		}
		Right json.RawMessage
	}
	unknown := func(kind) answer { return perhaps }
	if json.Unmarshal(raw, &m) != nil || m.Op != "==" && m.Op != "in" && m.Op != "!=" {
		return unknown
	}
	right, listed := values(m.Right)
	judge := func(of func(kind) answer) match {
		return func(k kind) answer {
			a := of(k)
			if m.Op == "!=" && a != perhaps {
				return yes + no - a
			}
			return a
		}
	}
	left := m.Left
	switch {
	case left.Meta.Key == "l4proto", left.Payload.Field == "protocol", left.Payload.Field == "nexthdr":
		return judge(func(k kind) answer { return among(listed, right, k.protocol, k.number) })
	case left.Meta.Key == "iifname" && slices.Equal(right, []string{"lo"}):
		return judge(func(kind) answer { return no })
	case left.CT.Key == "state":
		return judge(func(kind) answer { return among(listed, right, "new", -1) })
	case left.Payload.Protocol == "tcp", left.Payload.Protocol == "icmp", left.Payload.Protocol == "icmpv6", left.Payload.Protocol == "udp", left.Payload.Protocol == "sctp":
		return func(k kind) answer {
			switch {
			case k.protocol != left.Payload.Protocol:
				return no // also for "!=": it looks into packets of its protocol only
			case left.Payload.Field == "dport":
				return judge(func(k kind) answer { return among(listed, right, strconv.Itoa(k.port), k.port) })(k)
			}
			return perhaps
		}
	}
	return unknown
}

// among reports whether a name or a number is one of the values.
func among(listed bool, right []string, name string, number int) answer {
	switch {
	case slices.Contains(right, name) || slices.Contains(right, strconv.Itoa(number)):
		return yes
	case listed:
		return no
	}
	return perhaps
}

// values reads the right side of a condition: a value, or a set of values. It reports whether
// these are all: there may be ranges and names of sets.
func values(raw json.RawMessage) (list []string, all bool) {
	var one any
	if json.Unmarshal(raw, &one) != nil {
		return nil, false
	}
	if object, ok := one.(map[string]any); ok {
		one = object["set"]
	}
	items, isList := one.([]any)
	if !isList {
		items = []any{one}
	}
	all = true
	for _, item := range items {
		switch v := item.(type) {
		case string:
			list = append(list, v)
			all = all && v != "" && v[0] != '@'
		case float64:
			list = append(list, strconv.Itoa(int(v)))
		default:
			all = false
		}
	}
	return list, all
}

// lets reports whether a chain lets packets of a kind in.
func (c *Chain) lets(k kind) answer {
	decided := func(v verdict) answer {
		if v == drops {
			return no
		}
		return yes
	}
	mayPass, mayDrop := false, false
	for _, r := range c.Rules {
		met := yes
		for _, m := range r.matches {
			if a := m(k); a == no {
				met = no
				break
			} else if a == perhaps {
				met = perhaps
			}
		}
		switch {
		case met == no || r.verdict == passes:
		case r.verdict == leaves:
			mayPass, mayDrop = true, true
		case met == perhaps:
			mayPass, mayDrop = mayPass || r.verdict == accepts, mayDrop || r.verdict == drops
		case r.verdict == drops && mayPass, r.verdict == accepts && mayDrop:
			return perhaps
		default:
			return decided(r.verdict)
		}
	}
	switch {
	case c.Drops && !mayPass:
		return no
	case !c.Drops && !mayDrop:
		return yes
	}
	return perhaps
}
