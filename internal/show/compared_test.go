package show

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
)

// TestComparedBesideOrBelowEachOther by the width that there is.
func TestComparedBesideOrBelowEachOther(t *testing.T) {
	wlc, rr, row := "-s wlc", "-s rr", "-g -w 1 \x1b[2J"
	c := &api.Compared{Program: "keepalived", Differences: true, Directors: []api.ComparedDirector{{Name: "lvs1"}, {Name: "lvs2"}}}
	c.Directors[1].Rows = []api.ComparedRow{
		{About: "IPVS table", Key: "-t 10.13.0.200:80", Theirs: &wlc, Ours: &rr, Differs: true},
		{About: "IPVS table", Key: "-t 10.13.0.200:80 -r 192.168.1.4:80", Theirs: &row, Ours: &row},
		{About: "addresses", Key: "address 10.13.0.200 on eth0", Ours: &rr, Differs: true},
		{About: "addresses", Key: "address 10.13.0.201 on eth0", Theirs: &rr, Differs: true},
	}
	for name, on := range map[string]Terminal{"beside": {}, "narrow": {Width: 40}} {
		var b strings.Builder
		if err := on.WriteCompared(&b, c); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "testdata/compared-"+name+".txt", b.String())
	}
}
