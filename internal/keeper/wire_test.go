package keeper

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/lvsd/lvsd/vrrp"
)

// A secret is encoded as nothing wherever it is part of, and reaches the keeper all
// the same.
func TestKeysReachTheKeeper(t *testing.T) {
	router := func(name string, keys ...vrrp.Key) vrrp.Config {
		return vrrp.Config{Name: name, Authentication: vrrp.Authentication{Mode: vrrp.Enforce, Keys: keys}}
	}
	key := func(id uint8, text string) vrrp.Key {
		return vrrp.Key{ID: id, File: "/key", Secret: vrrp.NewSecret(text)}
	}
	want := []vrrp.Config{router("a", key(1, "\x00\xff one"), key(2, "two")), router("b"), router("c", key(1, "three"))}
	sent, err := json.Marshal(order{Desired: &vrrp.Desired{Routers: want}, Keys: keysOf(want)})
	if err != nil {
		t.Fatal(err)
	}
	var o order
	if err := json.Unmarshal(sent, &o); err != nil {
		t.Fatal(err)
	}
	giveKeys(o.Desired.Routers, o.Keys)
	if !reflect.DeepEqual(o.Desired.Routers, want) {
		t.Errorf("arrived as %+v", o.Desired.Routers)
	}
	giveKeys(o.Desired.Routers, o.Keys[:1]) // No order is so, and none ends the keeper.
	giveKeys(o.Desired.Routers, nil)
}
