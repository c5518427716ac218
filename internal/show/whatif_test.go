package show

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/golden"
)

func TestWhatIf(t *testing.T) {
	rate := func(v float64) *float64 { return &v }
	all := &api.WhatIf{Services: []api.WhatIfService{
		{Name: "web", Address: "tcp 10.13.0.200:80", Supply: api.Served, Was: api.Served, Connections: 900, Rate: rate(30), Servers: []api.WhatIfServer{
			{Name: "c1\x1b[2J", Address: "192.168.1.4:80", Down: true, WasWeight: 3, WasShare: 0.5, Rate: rate(0)},
			{Name: "c2", Address: "192.168.1.5:80", Weight: 2, WasWeight: 2, WasShare: 1. / 3, Share: 2. / 3, Connections: 600, Upper: 500, Over: true, Rate: rate(20)},
			{Name: "c3", Address: "192.168.1.6:80", Weight: 1, WasWeight: 1, WasShare: 1. / 6, Share: 1. / 3, Connections: 300, Upper: 500, Rate: rate(10)}}},
		{Name: "mail", Address: "tcp 10.13.0.200:25", Supply: api.Unserved, Was: api.Served, Reason: "down", Connections: 1, Servers: []api.WhatIfServer{
			{Name: "c1", Address: "192.168.1.4:25", Down: true, WasWeight: 1, WasShare: 1}}},
		{Name: "dns", Address: "udp 10.13.0.200:53", Supply: api.Withheld, Was: api.Withheld},
	}}
	for name, on := range map[string]Terminal{"whatif": {}, "whatif-narrow-colour": {Width: 60, Color: true}} {
		var out strings.Builder
		if err := on.WriteWhatIf(&out, all); err != nil {
			t.Error(err)
		}
		golden.Check(t, "testdata/"+name+".txt", out.String())
	}
}

func TestHistory(t *testing.T) {
	var out strings.Builder
	if err := (Terminal{}).WriteHistory(&out, nil); err != nil || out.String() != "no configuration is kept\n" {
		t.Errorf("%q, %v", &out, err)
	}
	out.Reset()
	c := &api.Configuration{Files: []api.KeptFile{{Path: "/etc/lvsd/a.hcl", Text: "x = \"a\\tb\"\n\ty\x1b[2J"}, {Path: "/etc/lvsd/b.hcl", Text: "b\n"}}}
	if err := WriteConfiguration(&out, c); err != nil || out.String() != "# /etc/lvsd/a.hcl\nx = \"a\\tb\"\n\ty\\x1b[2J\n\n# /etc/lvsd/b.hcl\nb\n" {
		t.Errorf("%q, %v", &out, err)
	}
}
