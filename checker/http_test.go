package checker

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestHTTPTexts(t *testing.T) {
	// RFC 9110, section 5.6.2: tchar.
	const tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		s := string([]byte{byte(c)})
		text := c == '\t' || ' ' <= c && c <= '~'
		if got, want := isToken(s), strings.Contains(tokens, s); got != want {
			t.Errorf("isToken(%q) = %v, want %v", s, got, want)
		}
		if got := isText(s); got != text {
			t.Errorf("isText(%q) = %v, want %v", s, got, text)
		}
		if got, want := isWord(s), text && c > ' '; got != want {
			t.Errorf("isWord(%q) = %v, want %v", s, got, want)
		}
	}
	if isToken("") || !isText("") || !isWord("") {
		t.Error("want nothing to be text and a word, and no token")
	}
	if umlaut := "ü"; !isText(umlaut) || !isWord(umlaut) || isToken(umlaut) {
		t.Error("want letters beyond ASCII in texts and words, and not in tokens")
	}
}

func TestHTTPValidate(t *testing.T) {
	good := HTTP{Method: "HEAD", Path: "/a?b=c%20d", Host: "www.example:8080", Status: StatusRanges{{200, 200}, {301, 301}}, Headers: []Header{{"Accept", "*/*"}, {"X-Probe", "lvsd a=b"}}, Body: "(?i)ok", TLS: TLS{ServerName: "www.example"}}
	if err := good.Validate(); err != nil {
		t.Errorf("a good one: %v", err)
	}
	if err := (HTTP{}).Validate(); err != nil {
		t.Errorf("all defaults: %v", err)
	}
	if err := (HTTP{Body: strings.Repeat("plain ", 10_000)}).Validate(); err != nil {
		t.Errorf("a long plain text: %v", err)
	}
	tests := []struct {
		spec HTTP
		want string
	}{
		{HTTP{Method: "GET /x"}, "must be a word such as GET"},
		{HTTP{Path: "index.html"}, "must begin with /"},
		{HTTP{Path: "/a b"}, "must not contain a space"},
		{HTTP{Path: "/\r\nX: y"}, "must not contain a space"},
		{HTTP{Host: "a\r\nX: y"}, "must be a name"},
		{HTTP{Host: "http://a.example"}, "must be a name"},
		{HTTP{TLS: TLS{ServerName: "a b"}}, "must be a host name"},
		{HTTP{Body: "("}, "body is not a valid regular expression"},
		{HTTP{Body: strings.Repeat("x{1000}", 100)}, "body: the regular expression takes 100002 steps"},
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

// Each dot is one step, and the beginning and the end are two more.
func TestAnExpressionOfTenThousandStepsIsTheLargest(t *testing.T) {
	if err := validatePattern("body", strings.Repeat(".", 9_998)); err != nil {
		t.Errorf("10,000 steps: %v", err)
	}
	if err := validatePattern("body", strings.Repeat(".", 9_999)); err == nil || !strings.Contains(err.Error(), "takes 10001 steps, but the limit is 10000") {
		t.Errorf("10,001 steps: error %v, want the limit", err)
	}
}
