package daemon

import (
	"errors"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/event"
	"github.com/lvsd/lvsd/vrrp"
)

// "lvsd was killed, I removed the virtual router, and its route is still there." Where a
// keeper runs, it removes what it does not know.
func TestRoutesOfARemovedRouterAreSweptWithoutAKeeper(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config config.Config
		swept  int
	}{
		{"nothing runs", config.Config{}, 1},
		{"a virtual router", config.Config{Routers: []vrrp.Config{{Name: "outside"}}}, 0},
		{"what is static", config.Config{Static: vrrp.Holdings{Rules: []vrrp.Rule{{}}}}, 0},
	} {
		swept, told := 0, 0
		sweepLeftovers(&tt.config, func(event.Event) { told++ }, func() error { swept++; return errors.New("no") })
		if swept != tt.swept || told != swept {
			t.Errorf("%s: swept %d times, told %d", tt.name, swept, told)
		}
	}
}
