package sim

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzGroup lets a script happen to a sync group whose shape a seed decides: its sites,
// networks, intervals and priorities. See acts for what a script says.
func FuzzGroup(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, randomScript(rand.New(rand.NewPCG(seed, 0))))
	}
	// A link of the Master dies, and all that an operator can order, one act after the other.
	f.Add(uint64(3), []byte{6, 0, 0, 200, 6, 0, 0, 100, 15, 0, 1, 200, 16, 0, 0, 90, 15, 1, 0, 90, 16, 0, 0, 10})
	// The keeper is replaced while conditions change.
	f.Add(uint64(4), []byte{17, 0, 3, 250, 11, 0, 0, 5, 18, 0, 0x81, 1, 11, 1, 0, 250, 19, 5, 0xff, 3})
	// A router comes back to a group that was refused.
	f.Add(uint64(107), []byte("\xb97O\xdb4\xecy\xf9ZU\xea "))
	// Roles are offered where a link between the directors is cut.
	f.Add(uint64(5), []byte("2\xa5\x83A˧7\xca\f\xc1\xc1\xc1\tM\xa5\xa77ga\xb9K\xd7Հ\x00\x00\x00\xf8"))
	// A standby is ordered while a router ends, which then comes back.
	f.Add(uint64(23), []byte("Ԁ\x1a\xaft\xc4\x136\xf1[\x885\bV\x9f*\xe8\u0600b"))
	// A router that waits to leave is put into a group that has left.
	f.Add(uint64(268), []byte("\xb97O\xdb4\xecy\xf9ZU@ Ą\xe4\x9f\xc3\xd8\xea\xadE\x01+\xaf\xd0\xed\xfe\a\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0"))
	// Conditions change while an offer waits for a successor that is not heard in one network.
	f.Add(uint64(45), []byte("\x11\x00\x03\x85\xa2!\xfa\v\xff\x00\x05 \x00\x81\x03\xfa"))
	// A keeper is replaced while another Master leaves, of routers with unlike intervals.
	f.Add(uint64(37), []byte("\xb97O\xdb4\xecy\xf9\xc3\xd8\xf5>\r\x95\xb0\x9d\xad0<\xb8\\333334\x90\x8d8\xdc\xf5"))
	// One finishes what is to be done before it leaves, and a cut hides it from the other.
	f.Add(uint64(238), []byte("$\x83\xde\xe8\x01\x92\x94\x15e\x11\x88\x8f\xc3@q\xb1x\x02\x01У7a\xf1"))
	f.Fuzz(func(t *testing.T, seed uint64, script []byte) {
		if err := newGroup(seed, nil).play(script); err != nil {
			var lines []string
			_ = newGroup(seed, func(line string) { lines = append(lines, line) }).play(script)
			t.Fatalf("%v\n%s", err, strings.Join(lines[max(0, len(lines)-80):], "\n"))
		}
	})
}
