package director

import (
	"fmt"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/text"
)

// certificates finds certificates of real servers that end within some days: one
// finding for all, since they are usually renewed in the same way. One that has ended
// fails its check, which says so.
func (all *findings) certificates(now time.Time, days int, h *Healths) {
	var first checker.Day
	ending, subject := 0, ""
	limit := checker.DayOf(now.AddDate(0, 0, days))
	i := 0
	for w := range eachCheck(h.services) {
		end := h.checks[i].Last().CertificateEnds
		i++
		if end == 0 || end > limit || days == 0 {
			continue
		}
		if ending++; first == 0 || end < first {
			s := &h.services[w.service]
			first, subject = end, fmt.Sprintf("%s/%s", s.Name, s.Servers[w.server].Name)
		}
	}
	if ending > 0 {
		all.add(api.Warning, "certificate-ends", "", "renew what ends, and let the servers load it",
			"%s of real servers %s within %s, the first one on %s (%s)", text.Count(ending, "certificate"), map[bool]string{true: "ends", false: "end"}[ending == 1],
			text.Count(days, "day"), first.Time().Format(time.DateOnly), subject)
	}
}
