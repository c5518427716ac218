package config_test

import (
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

const groupOfTwo = `
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  track "interface" "eth2" {}
}
virtual_router "inside" {
  interface = "eth1"
  id        = 51
  addresses = ["192.168.1.254/24"]
}
virtual_router "alone" {
  interface = "eth2"
  id        = 51
  addresses = ["192.168.2.254/24"]
}
`

// Each router of a group knows that it is in it, and has what the group tracks
// beside what it tracks itself; a reload tells which router's group changed.
func TestTheRoutersOfASyncGroup(t *testing.T) {
	read := func(text string) *config.Config {
		s, err := config.FromFiles(".", config.SourceFile{Name: "lvsd.hcl", Text: []byte(groupOfTwo + text)})
		if err != nil {
			t.Fatal(err)
		}
		c, diags := config.Parse(s, options())
		if c == nil {
			t.Fatal(diags)
		}
		return c
	}
	before := read("")
	after := read("sync_group \"nat\" {\n  routers = [\"inside\", \"outside\"]\n  track \"interface\" \"eth2\" {}\n  track \"interface\" \"eth3\" {}\n}")
	for i, want := range []string{"nat interface eth2 interface eth3", "nat interface eth2 interface eth3", ""} {
		r := after.Routers[i]
		got := r.SyncGroup
		for _, t := range r.Track {
			got += " " + t.Condition
		}
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("router %s: %q, want %q", r.Name, got, want)
		}
	}
	names(t, "sync_group/routers", "sync_group", before, after)
}
