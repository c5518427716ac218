package vrrp

import "testing"

// As ip-rule(8) shows them.
func TestPortsAsText(t *testing.T) {
	for want, p := range map[string]Ports{"80": {80, 80}, "80-81": {80, 81}, "1024-65535": {1024, 65535}} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
