package keepalived

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The time from a failure to the verdict is keepalived's, both of a server that refuses or
// answers wrongly at once, and of one that is silent.
func TestAFailureIsFoundAfterTheSameTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tenths := func(n int) time.Duration { return time.Duration(1+r.IntN(n)) * 100 * time.Millisecond }
	for range 10_000 {
		y := rhythm{loop: time.Second + tenths(600), delay: tenths(300), timeout: tenths(100), retry: uint64(r.IntN(8))}
		p := y.pace()
		wait := y.loop / 2
		if y.delay > y.loop && y.retry > 0 {
			near(t, y, p)
			continue
		}
		n := time.Duration(y.retry)
		same(t, y, "refused", n*y.delay+wait, time.Duration(p.fall-1)*p.fast+wait, 5)
		same(t, y, "silent", y.silence()+wait, silence(p)+wait, 10)
	}
}

// near is same where the pause between tries is longer than the loop, which has no
// counterpart: a server is down by less than that pause sooner or later.
func near(t *testing.T, y rhythm, p pace) {
	t.Helper()
	n, wait := time.Duration(y.retry), p.interval/2
	for what, times := range map[string][2]time.Duration{
		"refused": {y.loop/2 + n*y.delay, wait + time.Duration(p.fall-1)*p.interval},
		"silent":  {y.loop/2 + y.silence(), wait + silence(p)},
	} {
		if d := times[1] - times[0]; d > y.delay*3/4 || -d > y.delay*3/4 {
			t.Errorf("%+v: a server that is %s is down after %v, keepalived's after %v", y, what, times[1], times[0])
		}
	}
}

// same checks that two times differ by so many percent at most, and by a rounded interval.
func same(t *testing.T, y rhythm, what string, theirs, ours time.Duration, percent int) {
	t.Helper()
	slack := theirs*time.Duration(percent)/100 + 50*time.Millisecond
	if d := ours - theirs; d > slack || -d > slack {
		t.Errorf("%+v: a server that is %s is down after %v, keepalived's after %v", y, what, ours, theirs)
	}
}

func TestExpressionsOfPCREMeanTheSame(t *testing.T) {
	option := func(names ...string) (all []setting[string]) {
		for _, n := range names {
			all = append(all, setting[string]{value: n, given: true})
		}
		return all
	}
	for name, tt := range map[string]struct {
		pattern string
		options []setting[string]
		want    string // empty: there is none
	}{
		"nothing special":                       {pattern: "OK [0-9]+", want: "OK [0-9]+"},
		"the end may be before a newline":       {pattern: "OK$", want: `OK(?:\n?\z)`},
		"the end alone":                         {pattern: "OK$", options: option("dollar_endonly"), want: `OK\z`},
		"the end of each line":                  {pattern: "^OK$", options: option("multiline"), want: "(?m)^OK$"},
		"a dollar sign in a class":              {pattern: `[]$]x[^]$]`, want: `[]$]x[^]$]`},
		"a dollar sign that is one":             {pattern: `\$5`, want: `\$5`},
		"either case, all lines":                {pattern: "a.b", options: option("caseless", "dotall", "caseless"), want: "(?is)a.b"},
		"anchored, also with alternatives":      {pattern: "a|b", options: option("anchored"), want: `\A(?:a|b)`},
		"blanks, and the end before a newline":  {pattern: `a\h\Z`, want: `a[\t ](?:\n?\z)`},
		"what comes before is not looked at":    {pattern: "(?<=a)b"},
		"nor is what was found before":          {pattern: `(a)\1`},
		"nor is anything kept that was matched": {pattern: "a++b"},
		"no matter how long":                    {pattern: string(make([]byte, maxRegex+1))},
	} {
		t.Run(name, func(t *testing.T) {
			got, wrong := translated(tt.pattern, tt.options)
			if got != tt.want || (wrong == "") != (tt.want != "") {
				t.Errorf("%q, %q; want %q", got, wrong, tt.want)
			}
		})
	}
}

func TestRangesOfAGroup(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.10":              "192.0.2.10",
		"192.0.2.10-12":           "192.0.2.12",
		"192.0.2.250-192.0.3.4":   "192.0.3.4",
		"192.0.2.64/28":           "192.0.2.79",
		"2001:db8::fffe-ffff":     "2001:db8::ffff",
		"2001:db8::1-2001:db8::9": "2001:db8::9",
		"2001:db8::80/124":        "2001:db8::8f",
		"192.0.2.10-10":           "",
		"192.0.2.10-256":          "",
		"192.0.2.65/28":           "",
		"192.0.2.0/33":            "",
		"192.0.2.0/0":             "",
		"192.0.2.1-2001:db8::1":   "",
	} {
		first, ok := address(text)
		if !ok {
			t.Errorf("%s: no address", text)
		}
		last, ok := endOf(first, text)
		if (ok && last.String() != want) || ok != (want != "") {
			t.Errorf("%s: ends with %v, %v; want %q", text, last, ok, want)
		}
	}
}
