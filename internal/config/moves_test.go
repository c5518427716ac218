package config_test

import (
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// In a cloud nothing but a program moves the address.
func TestARouterWithoutAddressesNeedsSomethingElseThatMoves(t *testing.T) {
	for text, valid := range map[string]bool{
		"":                                  false,
		`extra_address "10.13.0.200/24" {}`: true,
		`route "10.9.0.0/16" { via = "10.13.0.1" }`:                    true,
		"rule {\n  priority = 100\n  table    = 100\n}":                true,
		`on "master" { run = ["/usr/bin/true"] }`:                      true,
		`address "10.13.0.200/24" {}`:                                  true,
		"peers = [\"fe80::16\"]\nroute \"::/0\" { via = \"fe80::1\" }": true,
	} {
		s := config.SourcesOf(t, "virtual_router \"cloud\" {\n  interface = \"eth0\"\n  id = 51\n  addresses = []\n"+text+"\n}\n")
		if c, diags := config.Parse(s, options()); (c != nil) != valid {
			t.Errorf("%s: %v", text, diags)
		}
	}
}
