package checker

import (
	"bytes"
	"encoding/gob"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpec(t *testing.T) {
	page := HTTP{Method: "GET", Path: "/a", Headers: []Header{{"A", "b"}}, Status: StatusRanges{{200, 299}, {304, 304}}, Body: "<p>", TLS: TLS{Insecure: true}}
	secure := page
	secure.Secure = true
	tests := []struct {
		options Options
		kind    string
		want    Spec
	}{
		{TCP{}, "tcp", "tcp"},
		{Ping{}, "ping", "ping"},
		{HTTP{}, "http", "http"},
		{HTTP{Secure: true}, "https", "https"},
		{page, "http", `http {"method":"GET","path":"/a","headers":[{"name":"A","value":"b"}],"status":[{"first":200,"last":299},{"first":304,"last":304}],"body":"\u003cp\u003e","insecure":true}`},
		{secure, "https", `https {"method":"GET","path":"/a","headers":[{"name":"A","value":"b"}],"status":[{"first":200,"last":299},{"first":304,"last":304}],"body":"\u003cp\u003e","insecure":true}`},
	}
	for _, tt := range tests {
		got := SpecOf(tt.options)
		if got != tt.want || got.Kind() != tt.kind {
			t.Errorf("%+v: %s of kind %s, want %s of kind %s", tt.options, got, got.Kind(), tt.want, tt.kind)
		}
	}
}

func TestSpecDecode(t *testing.T) {
	sent := HTTP{Secure: true, Path: "/a", Headers: []Header{{"A", "b"}}, Status: StatusRanges{{200, 299}}, TLS: TLS{CA: "/etc/ca.pem"}}
	received := HTTP{Secure: true}
	if err := SpecOf(sent).Decode(&received); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, received); diff != "" {
		t.Errorf("options (-sent +received):\n%s", diff)
	}
	kept := HTTP{Path: "/kept"}
	if err := SpecOf(HTTP{}).Decode(&kept); err != nil || kept.Path != "/kept" {
		t.Errorf("%+v, %v: want what the Spec does not mention as it was", kept, err)
	}
	for _, broken := range []Spec{"http {", `http {"path":7}`, `http {"status":"wrong"}`} {
		if err := broken.Decode(new(HTTP)); err == nil || !strings.Contains(err.Error(), "JSON") && !strings.Contains(err.Error(), "HTTP.") {
			t.Errorf("%s: error %v, want one that names what is wrong", broken, err)
		}
	}
}

// A target that was read in another process is the same target.
func TestTargetsSurviveBeingSent(t *testing.T) {
	web := target(1)
	web.Spec = SpecOf(HTTP{Secure: true, Path: "/a"})
	sent := []Target{target(1), web}
	var wire bytes.Buffer
	var received []Target
	if err := gob.NewEncoder(&wire).Encode(sent); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&wire).Decode(&received); err != nil {
		t.Fatal(err)
	}
	for i := range sent {
		if received[i] != sent[i] {
			t.Errorf("sent %+v, received %+v", sent[i], received[i])
		}
	}
}

type unwritable struct{ C chan int }

func (unwritable) Kind() string { return "unwritable" }

func TestSpecOfOptionsThatCannotBeSent(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	SpecOf(unwritable{})
}
