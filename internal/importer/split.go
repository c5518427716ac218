package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Part is a file of a configuration.
type Part struct {
	Name   string // without a folder: "web.hcl"
	Blocks []*Block
}

// rest is the file of what is no virtual service.
const rest = "lvsd.hcl"

// Split puts each virtual service into a file of its own, and all else into lvsd.hcl.
func Split(blocks []*Block) []Part {
	parts := []Part{{Name: rest}}
	taken := map[string]bool{rest: true}
	for _, b := range blocks {
		if b.Kind != "virtual_service" || len(b.Labels) == 0 {
			parts[0].Blocks = append(parts[0].Blocks, b)
			continue
		}
		name := fileName(b.Labels[0])
		for n := 2; taken[name+".hcl"]; n++ {
			name = fmt.Sprintf("%s-%d", fileName(b.Labels[0]), n)
		}
		taken[name+".hcl"] = true
		parts = append(parts, Part{name + ".hcl", []*Block{b}})
	}
	if len(parts[0].Blocks) == 0 {
		return parts[1:]
	}
	return parts
}

// fileName makes a name of a file of the name of a virtual service: letters, digits, "-", "_"
// and "." stay.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.", r):
			return r
		}
		return '-'
	}, name)
	clean = strings.Trim(clean, "-.")
	return cmp.Or(clean[:min(len(clean), 200)], "service")
}

// Sort orders losses by their places.
func Sort(losses []Loss) {
	slices.SortStableFunc(losses, func(a, b Loss) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
