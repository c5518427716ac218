package director

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

// assert orders hooks to be run again, and returns of whom they are asked for; nil: of
// nobody.
func (h *helm) assert(names ...string) *AssertHooks {
	h.Helper()
	effects := h.core.Handle(h.now, Assert{api.AssertOrder{Names: names}, alice, h.answer})
	h.write(effects)
	for _, e := range effects {
		if a, ok := e.(AssertHooks); ok {
			return &a
		}
	}
	return nil
}

func TestAnOrderToRunHooksAgain(t *testing.T) {
	h := helmOf(t)
	for _, names := range [][]string{nil, {"outside"}} {
		a := h.assert(names...)
		if a == nil || !cmp.Equal(a.Names, names) || a.By != alice {
			t.Fatalf("%q: asked for %+v", names, a)
		}
		a.Asker(api.Ordered{OK: true})
	}
	h.wantLines("it is logged with the user", "run again", `level=INFO msg="the hooks are run again, as was ordered" event=assertion-ordered of=all user=alice uid=1000`,
		`level=INFO msg="the hooks are run again, as was ordered" event=assertion-ordered of=outside user=alice uid=1000`)
	if a := h.assert("outsite"); a != nil {
		t.Errorf("of a name that is not configured: %+v", a)
	}
	h.handle(Stop{})
	if a := h.assert(); a != nil {
		t.Errorf("while lvsd stops: %+v", a)
	}
	want := []string{"ok=true", "ok=true", `ok=false, there is no virtual router or sync group "outsite": the virtual routers are inside, outside`, "ok=false, lvsd is stopping"}
	if diff := cmp.Diff(want, h.answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}
