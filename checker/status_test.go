package checker

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseStatus(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: "200-299", want: "200-299"},
		{in: " 200-299 , 304", want: "200-299,304"},
		{in: "404", want: "404"},
		{in: "100-599", want: "100-599"},
		{in: "", err: `status "": want a code from 100 to 599`},
		{in: "200,", err: `status "": want a code`},
		{in: "2xx", err: `status "2xx": want a code`},
		{in: "600", err: "want a code from 100 to 599"},
		{in: "0200", err: "want a code"},
		{in: "+20", err: "want a code"},
		{in: "299-200", err: `the smaller code comes first: "200-299"`},
		{in: "200-", err: "want a code"},
		{in: "200-299-300", err: "want a code"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseStatus(tt.in)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want %q in it", err, tt.err)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Fatalf("got %v, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestStatusContains(t *testing.T) {
	ranges, err := ParseStatus("200-299,304")
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[int]bool{199: false, 200: true, 299: true, 300: false, 304: true, 305: false} {
		if got := ranges.Contains(code); got != want {
			t.Errorf("Contains(%d) = %v, want %v", code, got, want)
		}
	}
}

func TestHTTPValidate(t *testing.T) {
	good := HTTP{
		Method: "HEAD", Path: "/a?b=c%20d", Host: "www.example:8080", Status: StatusRanges{{200, 200}, {301, 301}},
		Headers: []Header{{"Accept", "*/*"}, {"X-Probe", "lvsd a=b"}}, Body: "(?i)ok", ServerName: "www.example",
	}
	if err := good.Validate(); err != nil {
		t.Errorf("a good one: %v", err)
	}
	if err := (HTTP{}).Validate(); err != nil {
		t.Errorf("all defaults: %v", err)
	}
	tests := []struct {
		spec HTTP
		want string
	}{
		{HTTP{Method: "GET /x"}, "want a word such as GET"},
		{HTTP{Path: "index.html"}, "begins with /"},
		{HTTP{Path: "/a b"}, "has no space"},
		{HTTP{Path: "/\r\nX: y"}, "has no space"},
		{HTTP{Host: "a\r\nX: y"}, "want a name"},
		{HTTP{ServerName: "a b"}, "want a name"},
		{HTTP{Body: "("}, "body: error parsing regexp"},
		{HTTP{Headers: []Header{{"", "x"}}}, `header name ""`},
		{HTTP{Headers: []Header{{"A b", "c"}}}, `header name "A b"`},
		{HTTP{Headers: []Header{{"A", "b\rc"}}}, "control character"},
		{HTTP{Headers: []Header{{"A", "b\xff"}}}, "not UTF-8"},
		{HTTP{Headers: []Header{{"host", "x"}}}, "the probe sets it itself"},
	}
	for _, tt := range tests {
		err := tt.spec.Validate()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q in it", tt.spec, err, tt.want)
		}
	}
}

// FuzzHTTPValidate proves that what is accepted cannot end a line of the
// request before its time, and survives as a Spec.
func FuzzHTTPValidate(f *testing.F) {
	f.Add("GET", "/", "a.example", "A", "b", "200-299")
	f.Fuzz(func(t *testing.T, method, path, host, name, value, status string) {
		ranges, err := ParseStatus(status)
		if err != nil && ranges != nil {
			t.Fatalf("%q: %v and %v", status, ranges, err)
		}
		o := HTTP{Method: method, Path: path, Host: host, Headers: []Header{{name, value}}, Status: ranges}
		if o.Validate() != nil {
			return
		}
		if text := method + path + host + name + value; strings.ContainsAny(text, "\r\n\x00") {
			t.Fatalf("%+v would break the request", o)
		}
		if again, err := ParseStatus(ranges.String()); len(ranges) > 0 && (err != nil || !slices.Equal(again, ranges)) {
			t.Fatalf("%q is %v, and that is %v, %v", status, ranges, again, err)
		}
		var back HTTP
		if err := SpecOf(o).Decode(&back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, back, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("options sent as a Spec (-sent +received):\n%s", diff)
		}
	})
}
