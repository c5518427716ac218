package checker

import (
	"net/netip"
	"testing"
)

func TestASpecHasAWay(t *testing.T) {
	v := Via{Source: netip.MustParseAddr("10.13.0.11"), Interface: "eth1", Mark: 7, Proxy: ProxyV1}
	for _, o := range []Options{TCP{}, HTTP{Path: "/a\tvia {}"}} {
		plain := SpecOf(o)
		s := plain.By(v)
		if got, err := s.Via(); got != v || err != nil {
			t.Errorf("%q goes by %v, %v", s, got, err)
		}
		if s.Kind() != o.Kind() || s == plain || s.By(Via{}) != plain || s.By(v) != s {
			t.Errorf("%q and %q", s, plain)
		}
		var h HTTP
		if err := s.Decode(&h); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if got, err := plain.Via(); got != (Via{}) || err != nil {
			t.Errorf("%q goes by %v, %v", plain, got, err)
		}
	}
	secret := SpecOf(HTTP{Path: "/a", Headers: []Header{{Name: "Authorization", Value: "Basic c2VjcmV0"}}}).By(v)
	if got, want := secret.Wants(), `{"headers":"[hidden]","path":"/a"} via {"source":"10.13.0.11","interface":"eth1","mark":7,"proxy":1}`; got != want {
		t.Errorf("it wants %s, want %s", got, want)
	}
	if _, err := Spec("tcp\tvia {").Via(); err == nil {
		t.Error("half a way is read")
	}
}
