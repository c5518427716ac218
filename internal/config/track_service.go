package config

import (
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
)

// A serviceCondition is about the real servers of a virtual service.
type serviceCondition struct {
	conditionOptions
	minimum share
}

// A share is a number of things, or so many of a hundred.
type share struct {
	n       int
	percent bool
}

var trackService = newConditionKind(conditionKind{
	name: "service", help: "Met while enough real servers of the virtual service of that name are up, as this director sees them. Servers with weight 0 do not count.", sufficient: true, doubt: doubtHard,
}, func() []block.Entry[serviceCondition] {
	return []block.Entry[serviceCondition]{
		block.Text("minimum", minimumHelp,
			share{n: 1}, readShare, func(s *serviceCondition) *share { return &s.minimum }).Within(minimumRange).Unless("1, or with \"service\" its min_healthy"),
	}
}, (*serviceCondition).self, func(b *block.Body, s *serviceCondition) Condition {
	claim(b, trackedService, b.Labels[1], b.LabelAt(1))
	return Condition{Service: b.Labels[1], Minimum: s.minimum.n, Percent: s.minimum.percent, Own: !b.Given("minimum")}
})

// readShare reads a number, or a percentage.
func readShare(b *block.Body, s string, at block.Place) (share, bool) {
	digits, percent := strings.CutSuffix(s, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || percent && n > 100 || n > maxServers {
		b.Mistake(at, "Invalid minimum", "%q is neither a number of real servers from 1, such as 2, nor a percentage of them from \"1%%\" to \"100%%\".", s)
		return share{}, false
	}
	return share{n, percent}, true
}

// doubtHard warns about a condition for whose sake both directors would stand back at
// once.
func doubtHard(b *block.Body) {
	b.Doubt(b.Head, "Both directors would stand back", "When the real servers of %q fail, both directors see it and stand back, so that nobody holds the addresses of this router. Give it a weight, such as weight = -20: then a director that sees more of them is Master.", b.Labels[1])
}
