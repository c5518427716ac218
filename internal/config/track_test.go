package config_test

import (
	"slices"
	"testing"
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
