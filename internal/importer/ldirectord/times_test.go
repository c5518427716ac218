package ldirectord

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A server that hangs is down after as long as in ldirectord, which gives each probe its
// time limit, and waits an interval after it.
func TestAServerThatHangsIsDownAfterTheSameTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		interval, timeout, fall := time.Duration(1+r.IntN(60))*time.Second, time.Duration(1+r.IntN(60))*time.Second, 1+r.IntN(10)
		stretched, comment := asLong(interval, timeout, fall)
		n := time.Duration(fall)
		there, here := n*timeout+(n-1)*interval, stretched+(n-1)*max(interval, stretched)
		if d := (there - here).Abs(); d > (there+interval/2)/10+n*10*time.Millisecond || stretched < timeout || (comment != "") != (there != n*timeout) {
			t.Errorf("every %v, limit %v, %d times: %v (%s), which is down after %v in the place of %v", interval, timeout, fall, stretched, comment, here, there)
		}
	}
}
