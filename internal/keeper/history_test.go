package keeper

import (
	"fmt"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

func TestHistory(t *testing.T) {
	now := time.Now()
	h := make(history)
	for i := range 12 {
		h.note(now, vrrp.Event{At: now.Round(0).Add(-time.Second), Router: "outside", From: vrrp.Backup, To: vrrp.Master, Text: fmt.Sprint(i)})
	}
	h.note(now, vrrp.Event{Router: "outside", From: vrrp.Backup, To: vrrp.Backup, Text: "a note"})
	h.note(now, vrrp.Event{Text: "of the keeper itself", From: vrrp.Backup, To: vrrp.Master})
	h.note(now, vrrp.Event{At: now.Add(time.Hour), Router: "inside", From: vrrp.Initialize, To: vrrp.Backup, Text: "the clock was set meanwhile"})
	got := h["outside"]
	if len(h) != 2 || len(got) != maxTransitions || got[0].Why != "11" || got[9].Why != "2" {
		t.Errorf("%d routers, %+v; want the last ten, the newest first", len(h), got)
	}
	if ago := now.Sub(got[0].At); ago.Round(time.Millisecond) != time.Second {
		t.Errorf("it was %v ago", ago)
	}
	if at := h["inside"][0].At; at.After(now) {
		t.Errorf("it is yet to come: %v", at.Sub(now))
	}
	if h.keep([]vrrp.Config{{Name: "inside"}}); len(h) != 1 || h["inside"] == nil {
		t.Errorf("kept %v", h)
	}
}
