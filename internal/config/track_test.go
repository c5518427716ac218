package config_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lvsd/lvsd/vrrp"
)

// "README's own NAT example keeps a director Master that cannot reach any server."
func TestTheInterfaceOfAnExtraAddressIsTracked(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"as in README", `extra_address "192.168.1.254/24" { interface = "eth1" }`, []string{"interface eth1"}},
		{"and is tracked by itself too", "track \"interface\" \"eth1\" {}\nextra_address \"192.168.1.254/24\" { interface = \"eth1\" }", []string{"interface eth1"}},
		{"with two addresses", "extra_address \"192.168.1.254/24\" { interface = \"eth1\" }\nextra_address \"192.168.2.254/24\" { interface = \"eth1\" }", []string{"interface eth1"}},
		{"which is the router's own", `extra_address "192.168.1.254/24" {}`, nil},
		{"and I do not want that", "extra_address \"192.168.1.254/24\" {\n  interface = \"eth1\"\n  track = false\n}", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, track := range router(t, "extra_address", tt.text).Track {
				got = append(got, track.Condition)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("it tracks %q, want %q", got, tt.want)
			}
		})
	}
}

// A condition that is defined once is the same for all who track it, and what its
// definition says of damping is theirs.
func TestASharedCondition(t *testing.T) {
	c := parsed(t, `
condition "ping" "gateways" {
  addresses = ["10.9.0.254", "10.9.0.253"]
  up_after  = "10s"
}
condition "interface" "eth1" { down_after = "3s" }
virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.9.0.200/24"]
  track "ping" "gateways" { weight = -20 }
  extra_address "192.168.1.254/24" { interface = "eth1" }
}
virtual_router "inside" {
  interface = "eth1"
  id        = 52
  addresses = ["10.9.1.200/24"]
  track "ping" "gateways" { reverse = true }
  track "ping" "dns" { addresses = ["10.9.0.53"] }
}
`)
	if n := len(c.Conditions); n != 2 || c.Conditions[0].Name != "ping gateways" || len(c.Conditions[0].Checks) != 2 || c.Conditions[1].Name != "ping dns" {
		t.Errorf("conditions %+v", c.Conditions)
	}
	want := [][]vrrp.Track{
		{{Condition: "ping gateways", Weight: -20, UpAfter: 10 * time.Second}, {Condition: "interface eth1", DownAfter: 3 * time.Second}},
		{{Condition: "ping gateways", Reverse: true, UpAfter: 10 * time.Second}, {Condition: "ping dns"}},
	}
	for i := range want {
		if got := c.Routers[i].Track; !slices.Equal(got, want[i]) {
			t.Errorf("%s tracks %+v, want %+v", c.Routers[i].Name, got, want[i])
		}
	}
}
