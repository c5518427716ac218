package main

import (
	"strings"
	"testing"
)

// What the shell offers after "lvsd check".
func TestCheckCompletesWhomItCanAsk(t *testing.T) {
	socket := answering(t, oneStatus{})
	for _, tt := range []struct{ name, given, want string }{
		{"services", "", "web ftp dns"},
		{"the real servers of a service, and its fallbacks", "ftp", "a b sorry"},
		{"of another one", "dns", "c"},
		{"of none", "mail", ""},
		{"nothing after a server", "ftp a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			names, _ := completeServiceAndServer(&socket)(nil, strings.Fields(tt.given), "")
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("after %q it completes %q, want %q", tt.given, got, tt.want)
			}
		})
	}
}
