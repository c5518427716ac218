package director

import (
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/config"
)

func TestCertificatesThatEndAreAFinding(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	day := func(n int) checker.Day { return checker.DayOf(now.AddDate(0, 0, n)) }
	for _, tt := range []struct {
		name string
		days int
		ends []checker.Day
		want string // empty: no finding
	}{
		{"none was seen", 14, []checker.Day{0, 0}, ""},
		{"all last longer", 14, []checker.Day{day(15), day(90)}, ""},
		{"one ends in time", 14, []checker.Day{day(90), day(14)}, "1 certificate of real servers ends within 14 days, the first one on 2026-12-04 (web/b)"},
		{"all end", 14, []checker.Day{day(3), day(2)}, "2 certificates of real servers end within 14 days, the first one on 2026-11-22 (web/b)"},
		{"two end on one day", 14, []checker.Day{day(2), day(2)}, "2 certificates of real servers end within 14 days, the first one on 2026-11-22 (web/a)"},
		{"one has ended, and is not verified", 1, []checker.Day{day(-3), 0}, "1 certificate of real servers ends within 1 day, the first one on 2026-11-17 (web/a)"},
		{"nobody wants to know", 0, []checker.Day{day(1)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Healths{services: []config.Service{{Name: "web"}}}
			for i, end := range tt.ends {
				h.services[0].Servers = append(h.services[0].Servers, config.Server{Name: string(rune('a' + i)), Checks: []config.Check{{}}})
				health := checker.NewHealth(checker.Up)
				health.Observe(now, checker.Result{Outcome: checker.Passed, CertificateEnds: end}, checker.Rules{Rise: 1, Fall: 1})
				health.Observe(now, checker.Result{Outcome: checker.Failed, Detail: "connection refused"}, checker.Rules{Rise: 1, Fall: 3}) // what was seen is still known
				h.checks = append(h.checks, health)
			}
			var all findings
			all.certificates(now, tt.days, &h)
			got := ""
			for _, f := range all {
				got += f.Text
			}
			if got != tt.want || len(all) > 0 && (all[0].Code != "certificate-ends" || !strings.Contains(all[0].Remedy, "renew")) {
				t.Errorf("%q %+v\nwant %q", got, all, tt.want)
			}
		})
	}
}
