package doctor

import (
	"fmt"
	"testing"
)

// ruleset is what "nft -j list ruleset" prints for one chain of the hook input with these
// rules, each a list of expressions.
func ruleset(policy string, rules ...string) []byte {
	text := `{"nftables":[{"metainfo":{"version":"1.0.6"}},{"table":{"family":"inet","name":"filter"}},
{"chain":{"family":"inet","table":"filter","name":"input","type":"filter","hook":"input","prio":0,"policy":"` + policy + `"}},
{"chain":{"family":"inet","table":"filter","name":"forward","type":"filter","hook":"forward","prio":0,"policy":"drop"}}`
	for _, r := range rules {
		text += fmt.Sprintf(`,{"rule":{"family":"inet","table":"filter","chain":"input","handle":1,"expr":[%s]}}`, r)
	}
	return []byte(text + "]}")
}

const (
	established = `{"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},{"accept":null}`
	loopback    = `{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"lo"}},{"accept":null}`
	ssh         = `{"match":{"op":"==","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":22}},{"accept":null}`
	vrrpByIP    = `{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"protocol"}},"right":"vrrp"}},{"counter":{"packets":0,"bytes":0}},{"accept":null}`
	vrrpNumber  = `{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":112}},{"accept":null}`
	vrrpInSet   = `{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":{"set":["icmp","vrrp"]}}},{"accept":null}`
	noVRRP      = `{"match":{"op":"==","left":{"meta":{"key":"l4proto"}},"right":"vrrp"}},{"drop":null}`
	notTCP      = `{"match":{"op":"!=","left":{"meta":{"key":"l4proto"}},"right":"tcp"}},{"drop":null}`
	fromPeer    = `{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":"10.13.0.16"}},{"accept":null}`
	insideOnly  = `{"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"eth1"}},{"accept":null}`
	blocked     = `{"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":"@blocked"}},{"drop":null}`
	elsewhere   = `{"jump":{"target":"services"}}`
	syncPort    = `{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":{"set":[123,8848]}}},{"accept":null}`
	portRange   = `{"match":{"op":"==","left":{"payload":{"protocol":"udp","field":"dport"}},"right":{"range":[8000,9000]}}},{"accept":null}`
	byXT        = `{"xt":{"type":"match","name":"comment"}},{"accept":null}`
	limited     = `{"limit":{"rate":5,"per":"second"}},{"accept":null}`
)

func TestWhatAPacketFilterLetsIn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy string
		rules  []string
		vrrp   answer
		sync   answer
	}{
		{"nothing is filtered", "accept", nil, yes, yes},
		{"everything is dropped", "drop", nil, no, no},
		{"what a server's firewall usually has", "drop", []string{established, loopback, ssh}, no, no},
		{"adverts are let in by IP's protocol", "drop", []string{established, vrrpByIP}, yes, no},
		{"by number", "drop", []string{vrrpNumber}, yes, no},
		{"by a set", "drop", []string{vrrpInSet}, yes, no},
		{"dropped where all else passes", "accept", []string{noVRRP}, no, yes},
		{"all but TCP is dropped", "accept", []string{notTCP}, no, no},
		{"let in before", "accept", []string{vrrpNumber, notTCP}, yes, no},
		{"the peer is let in, by its address", "drop", []string{fromPeer}, perhaps, perhaps},
		{"an interface is let in", "drop", []string{insideOnly}, perhaps, perhaps},
		{"a list of blocked addresses", "accept", []string{blocked}, perhaps, perhaps},
		{"another chain decides", "drop", []string{elsewhere}, perhaps, perhaps},
		{"connection_sync is let in", "drop", []string{syncPort}, no, yes},
		{"a range of ports", "drop", []string{portRange}, no, perhaps},
		{"rules of iptables", "drop", []string{byXT}, perhaps, perhaps},
		{"a limit of packets", "drop", []string{limited}, perhaps, perhaps},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chains, err := ParseFilters(ruleset(tt.policy, tt.rules...))
			if err != nil || len(chains) != 1 {
				t.Fatalf("%d chains, %v", len(chains), err)
			}
			if v, s := chains[0].lets(adverts), chains[0].lets(syncMessages); v != tt.vrrp || s != tt.sync {
				t.Errorf("adverts: %d, want %d; connection_sync: %d, want %d", v, tt.vrrp, s, tt.sync)
			}
		})
	}
}

// Whatever nft prints, reading and judging it ends.
func FuzzParseFilters(f *testing.F) {
	f.Add(ruleset("drop", established, vrrpInSet, elsewhere, portRange))
	f.Add([]byte(`{"nftables":[{"rule":{"expr":[{"match":{"op":"==","left":{"meta":null},"right":{"set":[{"range":[1,2]},[],{}]}}}]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		chains, err := ParseFilters(text)
		for i := range chains {
			_, _ = chains[i].lets(adverts), chains[i].lets(syncMessages)
		}
		if err == nil && chains == nil {
			t.Error("no chains are not unknown chains")
		}
	})
}
