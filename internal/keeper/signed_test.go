package keeper

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

const second = vrrp.Sequence(1) << 32

// A keeper that was killed has signed since its last report, as long ago as that was.
func TestANewKeeperSignsAfterTheOneThatWasKilled(t *testing.T) {
	c := &Client{changed: make(chan struct{}, 1), kick: make(chan struct{}, 1), follow: func([]*vrrp.Status, []vrrp.Event) {}, desired: new(vrrp.Desired)}
	ended := make(chan struct{})
	close(ended)
	told := func() vrrp.Sequence {
		t.Helper()
		var w bytes.Buffer
		c.order(&w, nil, ended)
		var o order
		if err := json.Unmarshal(w.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		return o.Signed
	}
	if got := told(); got != 0 {
		t.Errorf("the first keeper of a new director is told %#x", got)
	}
	c.SignAfter(100 * second)
	if got := told(); got != 100*second || c.Signed() != 100*second {
		t.Errorf("the first keeper of a start is told %#x", got)
	}
	c.take(snapshot{})
	c.take(snapshot{Signed: 200 * second})
	c.take(snapshot{})
	if got := c.mayHaveSigned(c.signedAt.Add(2500 * time.Millisecond)); got != 203*second || c.Signed() != 200*second {
		t.Errorf("2.5 s after the report of %#x it may have signed with %#x", c.Signed(), got)
	}
	if got := told(); got != 201*second {
		t.Errorf("the next keeper is told %#x", got)
	}
}

func TestAKeeperIsToldWhatWasSignedBeforeIt(t *testing.T) {
	k, d := &keeper{session: vrrp.NewSession(nil, nil, nil)}, new(vrrp.Desired)
	if k.obey(order{Desired: d, Signed: 7}); d.Signed != 7 {
		t.Errorf("the Session is told %d", d.Signed)
	}
}
