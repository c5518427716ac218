package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// TestWhatIfCommand holds what --help promises.
func TestWhatIfCommand(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		answer     api.WhatIf
		exit       int
		out, errs  string // a part of each
		asked      string
	}{
		{"nothing is lost", "--down web1 --down rack1-*", api.WhatIf{Services: []api.WhatIfService{{Name: "web", Supply: api.Served}}}, 0, "web (): 0 connections", "", "[web1 rack1-*] 0s"},
		{"something is", "--down web1 --rate", api.WhatIf{Lost: true, Services: []api.WhatIfService{}}, exitDifferences, "", "", "[web1] 3s"},
		{"something is, for a program", "--down web1 -o json", api.WhatIf{Lost: true, Services: []api.WhatIfService{}}, exitDifferences, `"lost":true`, "", "[web1] 0s"},
		{"nobody is called that", "--down web9", api.WhatIf{Error: `no real server is called "web9"`}, exitFailure, "", `no real server is called "web9"`, "[web9] 0s"},
		{"nobody is named", "", api.WhatIf{}, exitUsage, "", "--down SERVER", ""},
	} {
		asked := ""
		source := oneStatus{supposed: func(o api.WhatIfOrder) api.WhatIf { asked = fmt.Sprint(o.Down, " ", o.Rate); return tt.answer }}
		out, errs, exit := command(t, append([]string{"whatif", "--socket", answering(t, source)}, strings.Fields(tt.args)...)...)
		if exit != tt.exit || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) || asked != tt.asked {
			t.Errorf("%s: exit status %d, output %q, error %q, asked %q; want %d, %q, %q, %q", tt.name, exit, out, errs, asked, tt.exit, tt.out, tt.errs, tt.asked)
		}
	}
	if _, errs, exit := command(t, "whatif", "--down", "web1", "--socket", "/nowhere/lvsd.sock"); exit != exitNoAnswer || !strings.Contains(errs, "systemctl start lvsd") {
		t.Errorf("without a daemon: exit status %d, error %q", exit, errs)
	}
	if out, _, _ := command(t, "__complete", "whatif", "--socket", answering(t, oneStatus{}), "--down", ""); !strings.HasPrefix(out, "a\nb\nc\n") {
		t.Errorf("completed are %q", out)
	}
}

func (s oneStatus) WhatIf(_ context.Context, o api.WhatIfOrder) (api.WhatIf, error) {
	if s.supposed == nil {
		return api.WhatIf{}, fmt.Errorf("nobody supposes")
	}
	return s.supposed(o), nil
}
