package checker

import (
	"strings"
	"testing"
)

func TestParseStatus(t *testing.T) {
	tests := []struct{ in, want, err string }{
		{in: "200-299", want: "200-299"},
		{in: " 200-299 , 304", want: "200-299,304"},
		{in: "404", want: "404"},
		{in: "404-404", want: "404"},
		{in: "100-599", want: "100-599"},
		{in: "", err: `status "" must be a code from 100 to 599`},
		{in: "200,", err: `status "" must be a code`},
		{in: "2xx", err: `status "2xx" must be a code`},
		{in: "600", err: "must be a code from 100 to 599"},
		{in: "0200", err: "must be a code"},
		{in: "+20", err: "must be a code"},
		{in: "299-200", err: `is reversed: write "200-299"`},
		{in: "200-", err: "must be a code"},
		{in: "200-299-300", err: "must be a code"},
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
